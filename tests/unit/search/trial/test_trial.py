"""One trial: the score of a plain pipeline to the digit, what trials share, what they report, how they fail."""

from __future__ import annotations

import json
import math
import pickle
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline

from mlrunner.core import arrow
from mlrunner.core.build import build
from mlrunner.core.column_roles import Roles
from mlrunner.evaluation import metrics
from mlrunner.evaluation.cross_validation import cross_validate
from mlrunner.evaluation.scoring import Parts, evaluate, features_of
from mlrunner.groups.model import Model
from mlrunner.search.objective import Goal
from mlrunner.search.trial import Found, Part, TrialTask, boosting, running

NAN, INF = float("nan"), float("inf")
TARGETS = {"regression": "y", "classification": "label"}
METRICS = {"regression": "r2", "classification": "accuracy"}
SENTENCES = ("arrived on time", "late and the box was broken", "never came at all", "fine thanks would buy again")


# What the tests of trials share


def features(**changed: Any) -> dict[str, Any]:
    """The settings of conf/features/native.yaml, or others."""
    native = {
        "_target_": "mlrunner.groups.features.Features",
        "impute": None,
        "indicate_missing": False,
        "scale": None,
        "low_cardinality": 4,
        "high_cardinality": "target",
        "text_features": 8,
        "seed": 0,
    }
    return {**native, **changed}


LINEAR = features(impute="median", indicate_missing=True, scale="standard", low_cardinality=20)


def model(target: str, learned: dict[str, Any] | None = None, codes: bool = False, **arguments: Any) -> dict[str, Any]:
    """A `model` group, resolved."""
    return {
        "_target_": "mlrunner.groups.model.EstimatorModel",
        "name": target.rpartition(".")[2],
        "targets": None,
        "estimator": {"_target_": target, **arguments},
        "encode_labels": codes,
        "features": learned or features(),
        "search": {},
    }


def named(name: str, task: str = "regression", **changed: Any) -> dict[str, Any]:
    """A small model of one of the families."""
    is_class = task == "classification"
    kind = "Classifier" if is_class else "Regressor"
    boost = {"n_estimators": 12, "subsample": 0.8, "random_state": 0, "n_jobs": 1}
    made: dict[str, tuple[str, dict[str, Any], bool, dict[str, Any]]] = {
        "xgboost": (f"xgboost.XGB{kind}", features(), True, {**boost, "tree_method": "hist", "max_depth": 3}),
        "lightgbm": (f"lightgbm.LGBM{kind}", features(), True, {**boost, "subsample_freq": 1, "verbosity": -1}),
        "ridge": (f"sklearn.linear_model.Ridge{'Classifier' if is_class else ''}", LINEAR, False, {}),
        "rf": (f"sklearn.ensemble.RandomForest{kind}", LINEAR, False, {"n_estimators": 8, "random_state": 0}),
    }
    target, learned, codes, arguments = made[name]
    return model(target, learned, codes, **{**arguments, **changed})


def rows(count: int, seed: int) -> pd.DataFrame:
    """A cleaned table: numbers with gaps, few and many categories, text, a number and a class to predict."""
    random = np.random.default_rng(seed)
    number, gaps = random.normal(size=count), random.normal(size=count)
    few = random.choice(["a", "b", "c"], count)
    y = 2 * number + gaps + (few == "a") + random.normal(size=count) / 5
    return pd.DataFrame(
        {
            "number": number,
            "gaps": np.where(random.random(count) < 0.15, NAN, gaps),
            "few": few,
            "many": np.where(random.random(count) < 0.1, None, random.choice([f"c{one}" for one in range(15)], count)),
            "text": random.choice(SENTENCES, count),
            "customer": random.integers(0, 9, count),
            "y": y,
            "label": np.where(y > 1, "high", np.where(y < -1, "low", "middle")),
        },
        index=np.arange(count) * 2 + 5,
    )


def write(table: pd.DataFrame, path: Path) -> str:
    with path.open("wb") as sink:
        arrow.write_table(table, sink)
    return str(path)


@dataclass
class Data:
    """The files of one split, and what stands in them."""

    folder: Path
    train: pd.DataFrame = field(default_factory=lambda: rows(240, 1))
    validation: pd.DataFrame = field(default_factory=lambda: rows(90, 2))

    def __post_init__(self) -> None:
        numbers = np.random.default_rng(5).integers(0, 4, len(self.train))
        self.folds = pd.DataFrame({"fold": numbers}, index=self.train.index)
        self.folder.mkdir(exist_ok=True)
        self.files = {
            part: write(getattr(self, part), self.folder / f"{part}.arrow") for part in ("train", "validation", "folds")
        }

    def roles(self, task: str) -> Roles:
        return Roles(TARGETS[task], group="customer")

    def part(self, settings: dict[str, Any], folds: bool = False) -> Part:
        held = ("", self.files["folds"]) if folds else (self.files["validation"], "")
        return Part(self.files["train"], *held, model=settings)

    def task(self, *settings: dict[str, Any], task: str = "regression", folds: bool = False, **more: Any) -> TrialTask:
        """A trial of a model, with as many repeats as there are settings."""
        parts = tuple(self.part(one, folds) for one in settings)
        told = {"metric": METRICS[task], **more}
        return TrialTask(0, parts, self.roles(task), task, **told)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    return Data(tmp_path_factory.mktemp("rows") / "files")


@pytest.fixture(autouse=True)
def cold() -> Iterator[None]:
    """A process that has run no trial yet."""
    running.PREPARED.clear()
    boosting.MATRICES.clear()
    yield
    running.PREPARED.clear()
    boosting.MATRICES.clear()


@dataclass
class Listener:
    """Hears reports, and ends the trial at the n-th."""

    until: int | None = None
    heard: list[tuple[int, float]] = field(default_factory=list)

    def __call__(self, step: int, value: float) -> bool:
        self.heard.append((step, value))
        return len(self.heard) == self.until


def run(task: TrialTask, report: Callable[[int, float], bool] | None = None) -> Found:
    return running.run(task, report or Listener())


def done(task: TrialTask, report: Callable[[int, float], bool] | None = None) -> dict[str, float]:
    """The metrics of a trial that came to its end."""
    found = run(task, report)
    assert (found.state, found.error) == ("COMPLETE", None)
    return found.metrics


class Scripted(BaseEstimator):
    """A user's own estimator: says what it is told to say."""

    def __init__(self, says: Any = 0.0, raises: str | None = None, over: int = 0) -> None:
        self.says, self.raises, self.over = says, raises, over

    def fit(self, x: Any, y: Any) -> Scripted:
        del y
        if self.raises is not None and len(x) > self.over:
            raise {"ValueError": ValueError, "MemoryError": MemoryError}[self.raises]("no\n  more")
        return self

    def predict(self, x: Any) -> Any:
        return [self.says] * len(x)


class Own(Model):
    """A user's own model: builds its whole pipeline."""

    def __init__(self, alpha: float, scaled: bool) -> None:
        self.alpha, self.scaled = alpha, scaled

    def build(self, table: pd.DataFrame, task: str) -> Pipeline:
        del table, task
        from sklearn.compose import make_column_selector, make_column_transformer
        from sklearn.impute import SimpleImputer

        numbers = make_column_transformer((SimpleImputer(), make_column_selector(dtype_include="number")))
        whole = Pipeline([("numbers", numbers), ("ridge", Ridge(self.alpha))])
        return whole if self.scaled else Pipeline([("all", whole)])

    def problems(self, task: str) -> list[str]:
        del task
        return []


def scripted(**arguments: Any) -> dict[str, Any]:
    return model("tests.unit.search.trial.test_trial.Scripted", LINEAR, **arguments)


def plainly(data: Data, settings: dict[str, Any], task: str) -> dict[str, float]:
    """Fit and score in a plain pipeline, from tables that no file has held."""
    roles = data.roles(task)
    table = features_of(data.train, roles)
    fitted = build(settings, "model").build(table, task).fit(table, data.train[roles.target])
    found: dict[str, float] = metrics.score(
        fitted, features_of(data.validation, roles), data.validation[roles.target], task
    )
    return found


# What a trial is told, and what it tells


TASKS = [
    pytest.param(TrialTask(0, (), Roles("y"), "regression", "r2"), id="bare"),
    pytest.param(
        TrialTask(7, (Part("a", "b", "", {"x": None}),), Roles("y", ("a", "b"), "g", "t"), "classification", "f1"),
        id="roles",
    ),
    pytest.param(
        TrialTask(
            8, (Part("é", "", "f", named("rf")),) * 2, Roles("y"), "regression", "r2", 3, True, True, "/a b/model"
        ),
        id="everything",
    ),
]


@pytest.mark.parametrize("task", TASKS)
def test_a_task_goes_through_files_and_pipes(task: TrialTask) -> None:
    assert TrialTask.read(task.json()) == task
    assert isinstance(TrialTask.read(task.json()).roles.ignore, tuple)
    assert pickle.loads(pickle.dumps(task)) == task


def test_what_was_found_goes_through_files_and_pipes() -> None:
    found = Found(3, "FAIL", {"r2": 0.1, "cv/r2_std": 1e-17}, [0.1, 0.2], 1.5, 0.5, 0.25, "it broke", "Traceback")
    assert Found(**json.loads(json.dumps(asdict(found)))) == found
    assert pickle.loads(pickle.dumps(found)) == found


def test_a_score_that_is_no_number_comes_back_as_one_that_is_none() -> None:
    read = Found(**json.loads(json.dumps(asdict(Found(3, "FAIL", {"r2": INF}, [NAN, 0.5])))))
    assert math.isnan(read.scores[0])
    assert (read.scores[1], read.metrics) == (0.5, {"r2": INF})


def test_a_task_has_no_place_for_test_rows(data: Data) -> None:
    task = data.task(named("ridge"))
    assert [one.name for one in fields(Part)] == ["train", "validation", "folds", "model"]
    told = [text for text in json.loads(task.json())["parts"][0].values() if isinstance(text, str)]
    assert told == [data.files["train"], data.files["validation"], ""]


# The score


FAMILIES = ["xgboost", "lightgbm", "ridge", "rf"]
families = pytest.mark.parametrize("name", FAMILIES)
kinds = pytest.mark.parametrize("task", ["regression", "classification"])


@families
@kinds
def test_a_trial_scores_what_a_plain_pipeline_scores(name: str, task: str, data: Data) -> None:
    settings = named(name, task)
    plain = plainly(data, settings, task)
    first, again = done(data.task(settings, task=task)), done(data.task(settings, task=task))
    assert first == again == {**plain, **{f"validation/{key}": value for key, value in plain.items()}}


@families
@kinds
def test_after_trials_of_others_the_score_is_the_same(name: str, task: str, data: Data) -> None:
    plain = plainly(data, named(name, task), task)
    for other in FAMILIES:
        done(data.task(named(other, task), task=task))
    found = done(data.task(named(name, task), task=task))
    assert {key: found[key] for key in plain} == plain


@families
@kinds
def test_with_folds_the_scores_are_those_of_cross_validation(name: str, task: str, data: Data) -> None:
    settings, roles = named(name, task), data.roles(task)
    table, target = features_of(data.train, roles), data.train[roles.target]
    crossed = cross_validate(
        lambda: build(settings, "model").build(table, task), table, target, data.folds["fold"], task
    )
    for _ in range(2):
        found = run(data.task(settings, task=task, folds=True))
        assert found.scores == [fold[METRICS[task]] for fold in crossed.folds]
        for key, value in crossed.mean.items():
            told = [found.metrics[key], found.metrics[f"cv/{key}"], found.metrics[f"cv/{key}_std"]]
            assert told == [value, value, crossed.std[key]]


def test_a_category_that_one_fold_lacks_does_not_change_the_score(tmp_path: Path) -> None:
    """`low_cardinality=4`: with the rare one there are five categories, without it four."""
    whole = rows(120, 3).assign(few=["a", "b", "c", "d"] * 30)
    whole.iloc[0, whole.columns.get_loc("few")] = "rare"
    made = Data(tmp_path, train=whole)
    settings, roles = named("xgboost"), made.roles("regression")
    parts = Parts(made.train, made.validation.head(0), made.validation, made.folds, roles)
    table, target = parts.of("train")
    fitted = build(settings, "model").build(table, "regression").fit(table, target)
    told = evaluate(fitted, parts, build(settings, "model"), "regression").scores
    assert done(made.task(settings, folds=True))["cv/r2"] == told["cv/r2"]


@pytest.mark.parametrize("folds", [False, True], ids=["held out", "folds"])
def test_repeats_are_averaged(folds: bool, data: Data) -> None:
    seeds = [named("xgboost", random_state=seed) for seed in range(3)]
    each = [run(data.task(one, folds=folds)) for one in seeds]
    found = run(data.task(*seeds, folds=folds))
    scores = [score for one in each for score in one.scores]
    assert len(set(scores)) == len(scores) == (12 if folds else 3)
    assert found.scores == scores
    part = "cv" if folds else "validation"
    assert found.metrics["r2"] == found.metrics[f"{part}/r2"] == float(np.mean(scores))
    assert found.metrics[f"{part}/r2_std"] == float(np.std(scores))


def test_one_fit_has_no_deviation(data: Data) -> None:
    assert [key for key in done(data.task(named("ridge"))) if key.endswith("_std")] == []


@pytest.mark.parametrize("scaled", [True, False], ids=["two steps", "one step"])
def test_a_users_own_model_is_scored_as_its_own_pipeline(scaled: bool, data: Data) -> None:
    for alpha in (0.5, 50.0):
        settings = {"_target_": "tests.unit.search.trial.test_trial.Own", "alpha": alpha, "scaled": scaled}
        plain = plainly(data, settings, "regression")
        found = done(data.task(settings))
        assert {key: found[key] for key in plain} == plain


def test_seconds_are_told(data: Data) -> None:
    found = run(data.task(named("rf"), folds=True))
    assert 0 < found.score_seconds < found.seconds
    assert found.fit_seconds > 0
    assert found.fit_seconds + found.score_seconds <= found.seconds


# What trials share


def test_the_second_trial_learns_no_features(data: Data) -> None:
    done(data.task(named("ridge")))
    (before,) = running.PREPARED.values()
    done(data.task(named("ridge", alpha=7.0)))
    done(data.task(named("rf")))
    assert list(running.PREPARED.values()) == [before]


@pytest.mark.parametrize(
    ("changed", "entries"),
    [({"folds": False}, 1), ({"folds": True}, 4)],
    ids=["held out", "folds"],
)
def test_each_fold_is_prepared_once(changed: dict[str, bool], entries: int, data: Data) -> None:
    for alpha in (1.0, 2.0, 3.0):
        done(data.task(named("ridge", alpha=alpha), **changed))
    assert len(running.PREPARED) == entries


def test_other_features_and_other_rows_are_prepared_anew(data: Data, tmp_path: Path) -> None:
    done(data.task(named("ridge")))
    done(data.task(model("sklearn.linear_model.Ridge", {**LINEAR, "scale": "robust"})))
    done(Data(tmp_path / "others", train=rows(100, 9)).task(named("ridge")))
    assert len(running.PREPARED) == 3


def test_what_was_used_longest_ago_is_forgotten_first(data: Data) -> None:
    def trial(seed: int) -> str:
        done(data.task(model("sklearn.linear_model.Ridge", {**LINEAR, "seed": seed})))
        return list(running.PREPARED)[-1]

    keys = [trial(seed) for seed in range(running.KEPT)]
    trial(0)
    newest = trial(running.KEPT)
    assert list(running.PREPARED) == [*keys[2:], keys[0], newest]


def test_an_estimator_that_overwrites_its_rows_spoils_nobody_elses(data: Data) -> None:
    plain = plainly(data, named("ridge"), "regression")["r2"]
    done(data.task(named("ridge", copy_X=False)))
    assert done(data.task(named("ridge")))["r2"] == plain


def test_another_target_of_the_same_rows_is_another_trial(data: Data) -> None:
    other = replace(data.task(named("ridge")), roles=Roles("number", ignore=("y",), group="customer"))
    alone = done(other)
    running.PREPARED.clear()
    done(data.task(named("ridge")))
    assert done(other) == alone


# Failures


KNOWN = "it gives r2, rmse, mae, median_absolute_error, mape"


@pytest.mark.parametrize(
    ("settings", "metric", "error", "traced"),
    [
        pytest.param(scripted(says=NAN), "r2", "r2 is nan", False, id="nan"),
        pytest.param(scripted(says=None), "r2", "r2 is nan", False, id="none"),
        pytest.param(scripted(says=INF), "r2", "r2 is -inf", False, id="infinity"),
        pytest.param(scripted(says=-INF), "rmse", "rmse is inf", False, id="infinite error"),
        pytest.param(scripted(), "acuracy", f"the model gives no acuracy; {KNOWN}", False, id="missing metric"),
        pytest.param(scripted(raises="ValueError"), "r2", "ValueError: no more", True, id="exception"),
        pytest.param(scripted(raises="MemoryError"), "r2", "MemoryError: no more", True, id="out of memory"),
        pytest.param(
            model("tests.unit.search.trial.test_trial.Scriptd"),
            "r2",
            "model.estimator._target_: tests.unit.search.trial.test_trial has no class 'Scriptd'. "
            "Did you mean 'Scripted'?",
            False,
            id="our own words",
        ),
        pytest.param(
            {"_target_": "mlrunner.groups.model.EstimatorModel", "name": "x"},
            "r2",
            "model.targets is not set; give it a value. model.estimator is not set; give it a value. "
            "model.encode_labels is not set; give it a value. model.features is not set; give it a value.",
            False,
            id="several problems",
        ),
    ],
)
def test_whatever_goes_wrong_is_a_failed_trial_with_a_sentence(
    settings: dict[str, Any], metric: str, error: str, traced: bool, data: Data
) -> None:
    found = run(data.task(settings, metric=metric))
    assert (found.state, found.error) == ("FAIL", error)
    assert (found.trace is not None) is traced
    assert found.seconds > 0


def test_rows_that_are_gone_are_a_failed_trial(data: Data) -> None:
    task = data.task(named("ridge"))
    found = run(replace(task, parts=(replace(task.parts[0], train="/nowhere/table.arrow"),)))
    assert found.state == "FAIL"
    assert found.error is not None
    assert found.error.startswith("FileNotFoundError: ")


def test_after_a_failure_the_next_trial_is_as_ever(data: Data) -> None:
    before = done(data.task(named("xgboost")))
    assert run(data.task(named("xgboost", max_depth=-3))).state == "FAIL"
    assert run(data.task(scripted(raises="ValueError"))).state == "FAIL"
    assert done(data.task(named("xgboost"))) == before


def test_folds_that_were_scored_before_the_failure_are_told(data: Data) -> None:
    sizes = [int((data.folds["fold"] != fold).sum()) for fold in range(4)]
    failing = next(place for place, size in enumerate(sizes) if size == max(sizes))
    found = run(data.task(scripted(says=1.0, raises="ValueError", over=max(sizes) - 1), folds=True))
    assert (found.state, len(found.scores), found.metrics) == ("FAIL", failing, {})


@pytest.mark.parametrize(
    ("metric", "found", "told"),
    [
        ("r2", {"r2": 0.5}, None),
        ("r2", {"r2": 0.0}, None),
        ("r2", {"r2": NAN}, "r2 is nan"),
        ("r2", {"r2": -INF}, "r2 is -inf"),
        ("f1", {}, "the model gives no f1; it gives "),
        ("roc_auc", {"f1": 1.0, "cv/f1": 1.0, "cv/f1_std": 0.0}, "the model gives no roc_auc; it gives f1"),
    ],
    ids=["number", "zero", "nan", "infinite", "nothing", "names"],
)
def test_refused(metric: str, found: dict[str, float], told: str | None) -> None:
    assert running.refused(metric, found) == told


def test_seconds_may_be_the_first_objective(data: Data) -> None:
    goal = Goal(("fit_seconds", "r2"), ("minimize", "maximize"))
    found = run(data.task(named("ridge"), metric=goal.measured))
    assert found.state == "COMPLETE"
    assert goal.values(found) == [found.fit_seconds, found.metrics["r2"]]


# Reports


@pytest.mark.parametrize("each_fold", [False, True], ids=["mean so far", "each fold"])
@pytest.mark.parametrize(("repeats", "folds"), [(1, True), (3, False), (2, True)], ids=["folds", "repeats", "both"])
def test_folds_and_repeats_are_reported(repeats: int, folds: bool, each_fold: bool, data: Data) -> None:
    seeds = [named("xgboost", random_state=seed) for seed in range(repeats)]
    heard = Listener()
    found = run(data.task(*seeds, folds=folds, prunes=True, each_fold=each_fold), heard)
    means = [float(np.mean(found.scores[: place + 1])) for place in range(len(found.scores))]
    told = found.scores if each_fold else means
    assert heard.heard == list(enumerate(told))[:-1]  # after the last there is nothing to spare
    assert found.metrics == done(data.task(*seeds, folds=folds))


@pytest.mark.parametrize("folds", [False, True], ids=["one fit", "folds"])
@pytest.mark.parametrize("prunes", [False, True])
def test_who_does_not_listen_hears_nothing(folds: bool, prunes: bool, data: Data) -> None:
    heard = Listener()
    done(data.task(named("ridge"), folds=folds, prunes=prunes and not folds), heard)
    assert heard.heard == []


def test_a_pruned_trial_tells_what_it_had(data: Data) -> None:
    whole = run(data.task(named("ridge"), folds=True))
    heard = Listener(until=2)
    found = run(data.task(named("ridge"), folds=True, prunes=True), heard)
    assert (found.state, found.error, found.trace) == ("PRUNED", None, None)
    assert found.scores == whole.scores[:2]
    assert found.metrics["r2"] == heard.heard[-1][1] == float(np.mean(whole.scores[:2]))


# Threads, and what is kept


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"n_jobs": -1}, {"n_jobs": 2}),
        ({"thread_count": -1, "nthread": -1}, {"thread_count": 2, "nthread": 2}),
        ({"n_jobs": 4}, {"n_jobs": 4}),
        ({"n_jobs": None}, {"n_jobs": None}),
        ({"verbosity": -1, "max_depth": -1}, {"verbosity": -1, "max_depth": -1}),
        ({"estimator": {"base": {"n_jobs": -1}}}, {"estimator": {"base": {"n_jobs": 2}}}),
        (
            {"estimators": [["a", {"n_jobs": -1}]]},
            {"estimators": [["a", {"n_jobs": 2}]]},
        ),
    ],
    ids=["all", "other names", "as told", "none", "other keys", "nested", "listed"],
)
def test_an_estimator_gets_its_share_of_threads(settings: dict[str, Any], told: dict[str, Any]) -> None:
    before = json.dumps(settings)
    assert running.limited(settings, 2) == told
    assert json.dumps(settings) == before


@pytest.mark.parametrize("prunes", [False, True], ids=["unwatched", "watched"])
@pytest.mark.parametrize("task", ["regression", "classification"])
@pytest.mark.parametrize("name", FAMILIES)
def test_the_pipeline_that_is_kept_is_the_one_that_was_scored(
    name: str, task: str, prunes: bool, data: Data, tmp_path: Path
) -> None:
    path = tmp_path / "model.joblib"
    found = done(data.task(named(name, task), task=task, prunes=prunes, keep=str(path)))
    kept, roles = joblib.load(path), data.roles(task)
    scores = metrics.score(kept, features_of(data.validation, roles), data.validation[roles.target], task)  # type: ignore[arg-type]
    assert {key: found[key] for key in scores} == scores


def test_nothing_is_kept_unasked_or_of_a_failure(data: Data, tmp_path: Path) -> None:
    done(data.task(named("ridge")))
    run(data.task(scripted(raises="ValueError"), keep=str(tmp_path / "model.joblib")))
    assert list(tmp_path.iterdir()) == []

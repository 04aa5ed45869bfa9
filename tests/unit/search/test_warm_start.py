"""Compositions that a search tries first: from the user, or the best of an earlier sweep."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import optuna
import pytest
import yaml
from optuna import Study

from mlrunner.core.errors import ConfigError
from mlrunner.search.results import RESULTS_FILE
from mlrunner.search.settings import GRID_SAMPLER
from mlrunner.search.space import Space
from mlrunner.search.trial_attributes import DEFAULT_OF
from mlrunner.search.warm_start import WARM_START, check_warm_start, enqueue_warm_start
from tests.support.spaces import DEPTH, RATE, build_space
from tests.support.sweeps import build_settings

GROUPS: dict[str, dict[str, Any]] = {
    "forest": {
        "estimator": {"depth": 2, "rate": 0},
        "search": {"estimator.depth": "int(interval(4,32))", "estimator.rate": "range(0,10,2)"},
    },
    "line": {"estimator": {"rate": 0}, "search": {"estimator.rate": "interval(0,1)"}},
}
KEY = "hydra.sweeper.warm_start"
DATASET = {"target": "tip", "task": "regression"}


@pytest.fixture(autouse=True)
def _quiet() -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)


def read_space(*overrides: str) -> Space:
    return build_space(*overrides, groups=GROUPS)


SPACE = read_space(
    "model=forest,line", "split='80_20',kfold", "a=null,true,b", "c=[1,2],[3]", "z=zip(x=choice(1,2),y=choice(3,4))"
)

FOREST = {"model": "forest"}  # the default model


def list_queued(study: Study) -> list[dict[str, Any]]:
    return [trial.system_attrs["fixed_params"] for trial in study.get_trials()]


def enqueue(
    warm_start: Any, home: Path = Path("/nonexistent"), space: Space = SPACE, defaults: Any = None
) -> list[dict[str, Any]]:
    """Queue in a new study."""
    study = optuna.create_study()
    enqueue_warm_start(study, warm_start, space, home, defaults or {})
    return list_queued(study)


# By hand


@pytest.mark.parametrize(
    ("warm_start", "params"),
    [
        pytest.param(None, [], id="nothing"),
        pytest.param("model=line", [{"model": "line"}], id="text"),
        pytest.param(f"model=forest,{DEPTH}=8", [{"model": "forest", f"forest:{DEPTH}": 8}], id="text-with-commas"),
        pytest.param(
            [f"model=forest,{DEPTH}=8", f"model=line,{RATE}=0.5"],
            [{"model": "forest", f"forest:{DEPTH}": 8}, {"model": "line", f"line:{RATE}": 0.5}],
            id="several",
        ),
        pytest.param([["model=line", f"{RATE}=1"]], [{"model": "line", f"line:{RATE}": 1}], id="lists"),
        pytest.param(
            f"{DEPTH}=32,{RATE}=8", [{"model": "forest", f"forest:{DEPTH}": 32, f"forest:{RATE}": 8}], id="end-and-step"
        ),
        pytest.param(
            ["a=null", "a=true", "a=b"], [FOREST | {"a": None}, FOREST | {"a": True}, FOREST | {"a": "b"}], id="choices"
        ),
        pytest.param(
            "split='80_20',c=[1,2]", [FOREST | {"split": "'80_20'", "c": "[1,2]"}], id="quoted-option-and-list"
        ),
        pytest.param("x=2,y=4", [FOREST | {"z": "x=2,y=4"}], id="zipped"),
    ],
)
def test_compositions_are_queued_as_parameters(warm_start: Any, params: list[dict[str, Any]]) -> None:
    check_warm_start(build_settings(warm_start=warm_start), SPACE, Path("/nonexistent"), DATASET)
    assert enqueue(warm_start) == params


def test_a_whole_number_is_queued_as_an_integer() -> None:
    (params,) = enqueue(f"{DEPTH}=8.0")
    assert type(params[f"forest:{DEPTH}"]) is int


def test_a_study_is_warm_started_once_and_first() -> None:
    study = optuna.create_study()
    for _ in range(2):
        enqueue_warm_start(study, f"model=line,{RATE}=0.5", SPACE, Path(), {})
    assert list_queued(study) == [{"model": "line", f"line:{RATE}": 0.5}]
    assert study.get_trials()[0].user_attrs == {WARM_START: True}
    assert study.user_attrs == {WARM_START: f"model=line,{RATE}=0.5"}
    assert {"model=line", f"{RATE}=0.5"} <= set(SPACE.suggest(study.ask()))


DIMENSIONS = f"the dimensions are a, c, model, {DEPTH}, {RATE}, split, z."
OUTSIDE = "{} lies outside {}; widen the range or change the value."


@pytest.mark.parametrize(
    ("warm_start", "sentence"),
    [
        pytest.param("modle=line", f"modle is not searched; {DIMENSIONS} Did you mean 'model'?", id="key"),
        pytest.param("seed=3", f"seed is not searched; {DIMENSIONS}", id="fixed"),
        pytest.param(
            f"model=line,{DEPTH}=8",
            f"{DEPTH} is not searched; the dimensions are a, c, model, {RATE}, split, z. Did you mean '{RATE}'?",
            id="another-models-key",
        ),
        pytest.param("model=lin", OUTSIDE.format("model=lin", "forest,line"), id="option"),
        pytest.param([f"{DEPTH}=8", f"{DEPTH}=33"], OUTSIDE.format(f"{DEPTH}=33", "int(interval(4,32))"), id="number"),
        pytest.param(f"{DEPTH}=deep", OUTSIDE.format(f"{DEPTH}=deep", "int(interval(4,32))"), id="text"),
        pytest.param(f"{DEPTH}=true", OUTSIDE.format(f"{DEPTH}=True", "int(interval(4,32))"), id="truth"),
        pytest.param(f"{RATE}=3", OUTSIDE.format(f"{RATE}=3", "range(0,10,2)"), id="between-steps"),
        pytest.param(f"model=line,{RATE}=1.5", OUTSIDE.format(f"{RATE}=1.5", "interval(0,1)"), id="this-models-range"),
        pytest.param("x=2,y=3", OUTSIDE.format("x=2", "zip(x=choice(1,2),y=choice(3,4))"), id="row"),
        pytest.param("x=2", OUTSIDE.format("x=2", "zip(x=choice(1,2),y=choice(3,4))"), id="half-a-row"),
        pytest.param([["a=null,b"]], "a=null,b has several values; write one composition for each.", id="several"),
    ],
)
def test_a_composition_outside_of_the_space_is_refused(warm_start: Any, sentence: str, tmp_path: Path) -> None:
    study = optuna.create_study()
    for refused in (
        lambda: check_warm_start(build_settings(warm_start=warm_start), SPACE, tmp_path, DATASET),
        lambda: enqueue_warm_start(study, warm_start, SPACE, tmp_path, {}),
    ):
        with pytest.raises(ConfigError) as caught:
            refused()
        assert str(caught.value) == f"{KEY}: {sentence}"
    assert (study.get_trials(), study.user_attrs) == ([], {})


def test_a_text_that_is_no_override_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"^'model=\[line' is not an override; write key=choice\(a,b\)"):
        check_warm_start(build_settings(warm_start=["model=[line"]), SPACE, Path("/nonexistent"), DATASET)


def test_a_grid_has_no_warm_start() -> None:
    with pytest.raises(ConfigError) as caught:
        check_warm_start(
            build_settings(warm_start="model=line", sampler={"_target_": GRID_SAMPLER}), SPACE, Path(), DATASET
        )
    assert str(caught.value) == f"{KEY}: a grid tries every combination anyway; leave it out."


@pytest.mark.parametrize(
    ("space", "warm_start", "params"),
    [
        pytest.param(read_space("model=forest", "a=3"), f"model=forest,a=3,{RATE}=2", [{RATE: 2}], id="fixed"),
        pytest.param(read_space(), f"model=forest,{DEPTH}=4", [{DEPTH: 4}], id="default-model"),
        pytest.param(SPACE, "split=80_20", [FOREST | {"split": "'80_20'"}], id="option-like-a-number"),
        pytest.param(read_space("+b=1,2"), "+b=2", [{"+b": 2}], id="addition"),
        pytest.param(
            read_space("m=zip(model=choice(forest,line),b=choice(1,2))"),
            f"model=line,b=2,{RATE}=0.5",
            [{"m": "model=line,b=2", f"line:{RATE}": 0.5}],
            id="zipped-model",
        ),
    ],
)
def test_a_fixed_override_may_be_repeated(space: Space, warm_start: str, params: list[dict[str, Any]]) -> None:
    assert enqueue(warm_start, space=space) == params


DEFAULTS: dict[str, dict[str, Any]] = {
    "forest": {"model": "forest", DEPTH: 6, RATE: 3, "a": True, "x": 1, "y": 3},
    "line": {"model": "line", RATE: 0.25, "a": None, "x": 1, "y": 4},
}


@pytest.mark.parametrize(
    ("warm_start", "params"),
    [
        # forest's rate of 3 lies between the steps of range(0,10,2), and c has no default: the sampler draws both
        pytest.param("model=forest", FOREST | {f"forest:{DEPTH}": 6, "a": True, "z": "x=1,y=3"}, id="all"),
        pytest.param("a=b", FOREST | {f"forest:{DEPTH}": 6, "a": "b", "z": "x=1,y=3"}, id="the default model"),
        # x=1 with y=4 is no row of the zip
        pytest.param(f"model=line,{RATE}=0.5", {"model": "line", f"line:{RATE}": 0.5, "a": None}, id="another value"),
        pytest.param("model=line,x=2", {"model": "line", f"line:{RATE}": 0.25, "a": None, "z": "x=2,y=4"}, id="a row"),
    ],
)
def test_what_is_not_named_is_the_default(warm_start: str, params: dict[str, Any]) -> None:
    assert enqueue(warm_start, defaults=DEFAULTS) == [params]


def test_a_warm_start_that_is_the_default_is_marked_as_such() -> None:
    study = optuna.create_study()
    enqueue_warm_start(study, ["model=line", f"model=line,{RATE}=0.5"], SPACE, Path(), DEFAULTS)
    assert [trial.user_attrs.get(DEFAULT_OF, {}).get("model") for trial in study.get_trials()] == ["line", None]


# An earlier sweep


def finish(folder: Path, *best: str) -> Path:
    """Write the summary of a finished sweep."""
    folder.mkdir(parents=True)
    (folder / RESULTS_FILE).write_text(yaml.safe_dump({"name": "optuna", "best_overrides": list(best)}))
    return folder


@pytest.mark.parametrize(
    "name", ["{folder}", "2026-01-31/12-00-00-000001", "12-00-00-000001"], ids=["path", "day", "time"]
)
def test_an_earlier_sweep_is_found_by_its_name(name: str, tmp_path: Path) -> None:
    folder = finish(tmp_path / "multirun/2026-01-31/12-00-00-000001", "model=line", f"{RATE}=0.5")
    warm_start = name.format(folder=folder)
    check_warm_start(build_settings(warm_start=warm_start), SPACE, tmp_path, DATASET)
    assert enqueue(warm_start, tmp_path) == [{"model": "line", f"line:{RATE}": 0.5}]


def test_the_newest_sweep_of_a_time_is_taken(tmp_path: Path) -> None:
    for day, model in (("2026-01-30", "line"), ("2026-01-31", "forest"), ("2025-12-31", "line")):
        finish(tmp_path / "multirun" / day / "12-00", f"model={model}")
    assert enqueue("12-00", tmp_path) == [{"model": "forest"}]


def test_overrides_of_an_earlier_sweep_outside_of_the_space_are_left_out(tmp_path: Path) -> None:
    finish(tmp_path / "multirun/d/t", "sweep=optuna", "dataset=wine", "model=forest", f"{DEPTH}=99", f"{RATE}=4")
    assert enqueue("t", tmp_path) == [{"model": "forest", f"forest:{RATE}": 4}]


def test_an_earlier_sweep_without_a_best_trial_fixes_no_parameter(tmp_path: Path) -> None:
    folder = finish(tmp_path / "multirun/d/t")
    (folder / RESULTS_FILE).write_text(yaml.safe_dump({"name": "optuna", "best_overrides": None}))
    assert enqueue("t", tmp_path) == [FOREST]


@pytest.mark.parametrize("name", ["t", "soon"])
def test_a_sweep_without_results_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "multirun/d/t").mkdir(parents=True)
    with pytest.raises(ConfigError) as caught:
        check_warm_start(build_settings(warm_start=name), SPACE, tmp_path, DATASET)
    assert str(caught.value) == (
        f"{KEY}={name} is not a finished sweep; give its folder, or compositions such as "
        "['model=rf,model.estimator.max_depth=8']."
    )


def test_the_whole_winner_of_an_earlier_sweep_is_queued(tmp_path: Path) -> None:
    best = {"model": "line", "split": "'80_20'", "a": None, "c": "[1,2]", "z": "x=2,y=4", f"line:{RATE}": 0.5}
    finish(tmp_path / "multirun/d/t", *SPACE.overrides(best))
    assert enqueue("t", tmp_path) == [best]

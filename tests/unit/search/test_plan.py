"""What a search would do: every set of choices composed and checked, told, and estimated; nothing is started."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import optuna
import pytest
from hydra.core.utils import setup_globals
from omegaconf import open_dict

from mlrunner.core.errors import ConfigError, ProblemsError
from mlrunner.search import entry, plan, session, settings
from mlrunner.search.plan import MANY, SHOWN, Plan
from mlrunner.search.space import Space
from mlrunner.search.space_reader import read as read_space
from mlrunner.search.trial_preparation import Drafts
from tests.unit.search.test_composer import Opened, opened

ALPHA, DEPTH = "model.estimator.alpha", "model.estimator.max_depth"
FIXED = ("sweep=optuna", "dataset=diabetes")


@pytest.fixture(scope="module")
def hydra(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLRUNNER_HOME", str(tmp_path_factory.mktemp("home")))
        setup_globals()
        yield opened(*FIXED)


@pytest.fixture
def home(hydra: Opened) -> Path:
    return Path(str(hydra.config.home))


def told(hydra: Opened, **sweeper: Any) -> settings.SweepSettings:
    config = hydra.config.copy()
    with open_dict(config):
        config.hydra.sweeper.update(sweeper)
    return settings.read(config)


def space(hydra: Opened, *typed: str, **sweeper: Any) -> Space:
    return entry.read_space(told(hydra, **sweeper), hydra.composer, [*FIXED, *typed])


def make(hydra: Opened, *typed: str, **sweeper: Any) -> tuple[Plan, Drafts]:
    return plan.make(told(hydra, **sweeper), space(hydra, *typed, **sweeper), hydra.composer)


def problems(hydra: Opened, *typed: str, **sweeper: Any) -> list[str]:
    with pytest.raises(ProblemsError) as caught:
        make(hydra, *typed, **sweeper)
    return caught.value.problems


# The plan


def test_a_plan_tells_what_would_be_done(hydra: Opened, home: Path) -> None:
    found, drafts = make(hydra, "model=ridge,dummy", n_trials=7, repeats=3)
    assert (found.limit, found.home) == (7, home)
    assert (found.goal.metrics, found.goal.directions) == (("r2",), ("maximize",))
    assert found.space.models == ["ridge", "dummy"]
    assert found.first.overrides[:3] == (*FIXED, "model=ridge")
    assert [one.composition.settings.seed for one in found.first.repeats] == [0, 1, 2]
    assert found.first.launch.shared == FIXED
    assert drafts.data == {"diabetes": found.first.repeats[0].data.fingerprint}


def test_a_plan_starts_nothing(hydra: Opened, home: Path) -> None:
    make(hydra, "model=ridge,dummy")
    assert list(home.iterdir()) == []


@pytest.mark.parametrize(
    ("typed", "sweeper", "sentences"),
    [
        pytest.param(
            ["model=ridge", f"{ALPHA}=range(-1,3)"],
            {},
            ["model.estimator: The 'alpha' parameter of Ridge must be a float in the range [0.0, inf)"],
            id="the-low-end",
        ),
        pytest.param(
            ["model=ridge,logistic_regression"],
            {},
            ["logistic_regression"],
            id="a-model-of-another-task",
        ),
        pytest.param(
            ["model=ridge", "split='80_20',nope"],
            {},
            ["Could not find 'split/nope'"],
            id="an-option",
        ),
        pytest.param(
            ["model=ridge", "split='80_20',8020"],
            {},
            ["8020"],
            id="a-number-for-an-option",
        ),
        pytest.param(
            ["model=ridge", "objective.metric=r2,acuracy"],
            {},
            ["acuracy is not a metric"],
            id="the-second-metric",
        ),
        pytest.param(
            ["model=ridge", "split.test=choice(0.2,1.2)", "cleaning.drop=[],[nope]"],
            {},
            ["split.test", "nope"],
            id="several",
        ),
    ],
)
def test_every_choice_is_checked_before_anything_runs(
    hydra: Opened, typed: list[str], sweeper: dict[str, Any], sentences: list[str]
) -> None:
    found = problems(hydra, *typed, **sweeper)
    assert len(found) == len(set(found))
    for sentence in sentences:
        assert any(sentence in one for one in found), found


def test_a_problem_that_all_compositions_have_is_told_once(hydra: Opened) -> None:
    assert problems(hydra, "model=ridge", "cleaning=none,preprocess", f"+{ALPHA}s=1") == [
        "model.estimator.alphas: Ridge has no such argument. Did you mean 'alpha'?"
    ]


def test_what_hydra_refuses_is_one_line(hydra: Opened) -> None:
    (sentence,) = problems(hydra, "model=ridge", "nothing.at.all=1,2")[:1]
    assert sentence.startswith("Could not override 'nothing.at.all'. To append to your config use +nothing.at.all=1")
    assert "\n" not in sentence


def test_what_is_excluded_is_not_checked(hydra: Opened) -> None:
    found, _ = make(hydra, "model=logistic_regression,ridge", exclude=["model=log*"])
    assert found.first.overrides[2] == "model=ridge"


def test_a_search_that_excludes_all_is_refused(hydra: Opened) -> None:
    assert problems(hydra, "model=ridge,dummy", exclude=["model=*"]) == [
        "hydra.sweeper.exclude leaves no combination; exclude less."
    ]


@pytest.mark.parametrize(
    ("typed", "sweeper", "sentence"),
    [
        (["model=ridge"], {"direction": "minimize"}, "hydra.sweeper.direction=minimize, but r2 is to maximize; leave"),
        (["model=dummy"], {}, "nothing to search: model=dummy has no search: of its own and no range was given; add"),
        (["model=ridge"], {"n_trials": None}, "hydra.sweeper.n_trials is null, which only a grid knows the end of;"),
        (
            ["model=ridge"],
            {"warm_start": "soon"},
            "hydra.sweeper.warm_start=soon is no finished sweep; name its folder",
        ),
        (["model=ridge"], {"warm_start": [f"{ALPHA}=0"]}, f"hydra.sweeper.warm_start: {ALPHA}=0 lies outside tag(log"),
    ],
    ids=["direction", "nothing", "endless", "no-sweep", "outside"],
)
def test_a_search_that_cannot_begin_is_refused(
    hydra: Opened, typed: list[str], sweeper: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        make(hydra, *typed, **sweeper)
    assert str(caught.value).startswith(sentence)


def test_several_objectives_have_a_direction_each(hydra: Opened) -> None:
    found, _ = make(hydra, "model=ridge", "objective.metric=[r2,fit_seconds]")
    assert found.goal.directions == ("maximize", "minimize")


# What is looked at

MODELS: dict[str, dict[str, Any]] = {
    "line": {"estimator": {"a": 1}, "search": {"estimator.a": "interval(0,1)"}},
    "mean": {"estimator": {}, "search": {}},
}


def probes(*typed: str) -> list[dict[str, Any]]:
    found = read_space(
        list(typed),
        {},
        lambda _, options: {name: MODELS[name] for name in options or ["mean"]},
        searched=True,
        loader=None,
        exclude=[],
    )
    return list(plan.probes(found))


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        pytest.param([], [{}], id="nothing"),
        pytest.param(["x=range(1,5)"], [{"x": 1}, {"x": 1}, {"x": 4}], id="both-ends"),
        pytest.param(["x=interval(0,1)"], [{"x": 0.0}, {"x": 0.0}, {"x": 1.0}], id="both-ends-of-floats"),
        pytest.param(["x=a,b"], [{"x": "a"}, {"x": "b"}] * 2, id="choices"),
        pytest.param(
            ["model=mean,line"],
            [{"model": "mean"}, {"model": "line", "line:model.estimator.a": 0.0}]
            + [{"model": "line", "line:model.estimator.a": end} for end in (0.0, 1.0)],
            id="models",
        ),
    ],
)
def test_the_choices_and_the_ends_are_looked_at(typed: list[str], expected: list[dict[str, Any]]) -> None:
    assert probes(*typed) == expected


def test_few_choices_are_looked_at_together() -> None:
    found = [(one["x"], one["y"]) for one in probes("x=1,2,3", "y=a,b")]
    assert set(found) == {(x, y) for x in (1, 2, 3) for y in "ab"}


def test_of_many_choices_each_is_looked_at_once() -> None:
    values = [str(number) for number in range(MANY + 1)]
    found = probes(f"x={','.join(values)}", "y=a,b")
    assert [(one["x"], one["y"]) for one in found] == [
        *[(int(value), "a") for value in values],
        (0, "a"),
        (0, "b"),
    ]


def test_the_choices_of_each_model_are_looked_at() -> None:
    found = {(one["model"], one["x"]) for one in probes("model=mean,line", "x=1,2")}
    assert found == {(model, x) for model in ("mean", "line") for x in (1, 2)}


# What is shown


def shown(hydra: Opened, capsys: pytest.CaptureFixture[str], *typed: str, **sweeper: Any) -> list[str]:
    found, _ = make(hydra, *typed, **sweeper)
    plan.show(found, plan.first_overrides(found, session.sampler_of(found)))
    return [line.rstrip() for line in capsys.readouterr().out.splitlines()]


def test_a_plan_is_shown_whole(hydra: Opened, capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(hydra, capsys, "model=dummy", "cleaning=none,preprocess", "split.test=choice(0.2,0.3)")
    assert lines[:4] == [
        "mlrunner  plan  20 trials of 4 combinations",
        "  objective  maximize r2",
        "  sampler    TPESampler",
        "  dimension     values             model",
    ]
    assert [line.split() for line in lines[4:6]] == [
        ["cleaning", "none,preprocess", "all"],
        ["split.test", "choice(0.2,0.3)", "all"],
    ]
    start = lines.index("  first compositions")
    assert len(lines[start + 1 :]) == SHOWN + 3
    assert all(line.startswith("    cleaning=") for line in lines[start + 1 : start + 1 + SHOWN])
    assert lines[-2:] == [
        "  time       not known: no earlier run with these models and this data; run one first",
        "  Nothing was started (hydra.sweeper.dry_run=true).",
    ]


def test_a_plan_shows_whose_a_dimension_is(hydra: Opened, capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(hydra, capsys, "model=ridge,rf", "objective.metric=[r2,fit_seconds]", n_trials=3)
    assert lines[0] == "mlrunner  plan  3 trials"
    assert lines[1:3] == ["  objective  maximize r2", "  objective  minimize fit_seconds"]
    cells = [line.split() for line in lines]
    assert [ALPHA, "tag(log,", "interval(0.001,", "1000))", "ridge"] in cells
    assert [DEPTH, "int(interval(4,", "32))", "rf"] in cells
    assert ["model", "ridge,rf", "all"] in cells


def test_the_first_compositions_are_those_that_come_first(hydra: Opened) -> None:
    found, _ = make(hydra, "model=ridge", n_trials=3)
    one, two = (plan.first_overrides(found, session.sampler_of(found)) for _ in range(2))
    assert one == two
    assert len(one) == 3
    assert len(set(one)) == 3


def test_the_first_compositions_are_none_that_are_excluded(hydra: Opened) -> None:
    found, _ = make(hydra, "model=ridge,dummy", "cleaning=none,preprocess", exclude=["model=ridge"], n_trials=20)
    firsts = plan.first_overrides(found, session.sampler_of(found), 20)
    assert not [one for one in firsts if "model=ridge" in one]


def test_the_first_compositions_are_those_that_are_known_to_be_good(hydra: Opened) -> None:
    found, _ = make(hydra, "model=ridge", warm_start=[f"{ALPHA}=0.125"])
    assert f"{ALPHA}=0.125" in plan.first_overrides(found, session.sampler_of(found))[0]


def test_the_first_of_a_grid_are_in_its_order(hydra: Opened) -> None:
    grid = {"n_trials": None}
    config = hydra.own.load_configuration("config", ["sweep=grid", "dataset=diabetes"], hydra.config.hydra.mode)
    read = settings.read(config).model_copy(update=grid)
    typed = ["model=ridge,dummy", f"{ALPHA}=1,2", "cleaning=none,preprocess"]
    found, _ = plan.make(read, entry.read_space(read, hydra.composer, [*FIXED, *typed]), hydra.composer)
    assert found.limit == 6
    firsts = [one[len(FIXED) :] for one in plan.first_overrides(found, session.sampler_of(found), 10)]
    assert firsts == [
        ("model=ridge", "cleaning=none", f"{ALPHA}=1"),
        ("model=ridge", "cleaning=none", f"{ALPHA}=2"),
        ("model=ridge", "cleaning=preprocess", f"{ALPHA}=1"),
        ("model=ridge", "cleaning=preprocess", f"{ALPHA}=2"),
        ("model=dummy", "cleaning=none"),
        ("model=dummy", "cleaning=preprocess"),
    ]


# How long


@pytest.fixture
def earlier(home: Path, hydra: Opened) -> Iterator[Any]:
    """Leave what an earlier run leaves; everything is gone afterwards."""
    made: list[Path] = []

    def leave(place: str, seconds: float | None, *overrides: str) -> None:
        folder = home / "multirun" / place
        (folder / ".hydra").mkdir(parents=True)
        composed = hydra.composer.compose(("dataset=diabetes", *overrides), 0, record=True)
        (folder / ".hydra" / "config.yaml").write_text(composed.record["config.yaml"])
        (folder / "result.json").write_text(json.dumps({"fit_seconds": seconds, "score_seconds": 0.5}))
        made.append(folder)

    yield leave
    for folder in made:
        for file in [*folder.rglob("*.*")]:
            if file.is_file():
                file.unlink()
    for top, _, _ in os.walk(home / "multirun", topdown=False):
        Path(top).rmdir()


def test_the_time_is_that_of_earlier_runs(hydra: Opened, earlier: Any) -> None:
    found, _ = make(hydra, "model=ridge", n_trials=20, repeats=3, n_jobs=2)
    earlier("2026-01-01/10-00", 1.0, "model=ridge")
    earlier("2026-01-01/11-00/0", 1.5, "model=ridge")
    earlier("2026-01-01/11-00/1", 9.0, "model=ridge")
    earlier("2026-01-01/12-00", 50.0, "model=rf")
    earlier("2026-01-01/13-00", 60.0, "model=ridge", "dataset=wine")
    earlier("2026-01-01/14-00", None, "model=ridge")
    assert plan.estimate(found) == (
        "about 60 s: 20 trials of 2.00 s, 2 at a time (median fit and score of 3 earlier runs)"
    )


def test_the_time_is_that_of_any_of_the_models(hydra: Opened, earlier: Any) -> None:
    found, _ = make(hydra, "model=ridge,dummy", n_trials=10, n_jobs=1)
    earlier("2026-01-01/10-00", 1.5, "model=dummy")
    assert plan.estimate(found) == (
        "about 20 s: 10 trials of 2.00 s, 1 at a time (median fit and score of 1 earlier runs)"
    )


def test_a_data_set_whose_name_begins_alike_is_another(hydra: Opened, earlier: Any) -> None:
    found, _ = make(hydra, "model=ridge")
    earlier("2026-01-01/10-00", 1.0, "model=ridge", "dataset.name=diabetes_large")
    assert plan.estimate(found).startswith("not known")


def test_the_study_of_a_plan_is_thrown_away(hydra: Opened, home: Path) -> None:
    found, _ = make(hydra, "model=ridge")
    plan.first_overrides(found, session.sampler_of(found))
    assert optuna.logging.get_verbosity() == optuna.logging.ERROR
    assert not (home / ".mlrunner").exists()

"""The plan of a search, its first trials, and what a dry run prints."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import optuna
import pytest

from mlrunner.core.errors import ConfigError
from mlrunner.search.optuna_config import SAMPLERS
from mlrunner.search.plan import (
    PREVIEW_TRIALS,
    SearchPlan,
    draw_first_trials,
    estimate_time,
    show_plan,
)
from mlrunner.search.search_factory import make_sampler_factory
from tests.support.search import HydraSweep

ALPHA, DEPTH = "model.estimator.alpha", "model.estimator.max_depth"
FIXED = ("sweep=optuna", "dataset=diabetes")


def draw(plan: SearchPlan, count: int = PREVIEW_TRIALS) -> list[tuple[str, ...]]:
    return draw_first_trials(plan, make_sampler_factory(plan), count)


def test_a_plan_holds_what_would_be_done_and_starts_nothing(diabetes_sweep: HydraSweep) -> None:
    plan, preparer = diabetes_sweep.plan("model=ridge,dummy", n_trials=7, repeats=2)
    home = Path(str(diabetes_sweep.config.home))
    assert (plan.limit, plan.home) == (7, home)
    assert (plan.objectives.metrics, plan.objectives.directions) == (("r2",), ("maximize",))
    assert plan.space.models == ["ridge", "dummy"]
    assert plan.first.overrides[:3] == (*FIXED, "model=ridge")
    assert [checked.composition.settings.seed for checked in plan.first.repeats] == [0, 1]
    assert plan.first.launch.shared == FIXED
    assert preparer.fingerprints == {"diabetes": plan.first.repeats[0].data.fingerprint}
    draw(plan)
    assert list(home.iterdir()) == []
    assert optuna.logging.get_verbosity() == optuna.logging.ERROR


@pytest.mark.parametrize(
    ("model", "values", "sentence"),
    [
        ("ridge", {"direction": "minimize"}, "hydra.sweeper.direction=minimize contradicts r2, whose"),
        ("dummy", {}, "nothing to search: model=dummy has no search: of its own and no range was given; add"),
        ("ridge", {"n_trials": None}, "hydra.sweeper.n_trials is null, which only a grid allows;"),
        ("ridge", {"warm_start": [f"{ALPHA}=0"]}, f"hydra.sweeper.warm_start: {ALPHA}=0 lies outside tag(log"),
    ],
    ids=["direction", "nothing", "endless", "outside"],
)
def test_a_search_that_cannot_start_is_refused(
    diabetes_sweep: HydraSweep, model: str, values: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        diabetes_sweep.plan(f"model={model}", **values)
    assert str(caught.value).startswith(sentence)


def test_the_first_trials_are_reproducible_after_the_warm_start(diabetes_sweep: HydraSweep) -> None:
    plan, _ = diabetes_sweep.plan("model=ridge", n_trials=3, warm_start=[f"{ALPHA}=0.125"])
    first, second = draw(plan), draw(plan)
    assert first == second
    assert len(first) == len(set(first)) == 3
    assert f"{ALPHA}=0.125" in first[0]


def test_an_excluded_combination_is_not_among_the_first_trials(diabetes_sweep: HydraSweep) -> None:
    plan, _ = diabetes_sweep.plan("model=ridge,dummy", "threads=1,2", exclude=["model=ridge"], n_trials=20)
    assert not [overrides for overrides in draw(plan, 20) if "model=ridge" in overrides]


def test_the_first_trials_of_a_grid_are_in_its_order(diabetes_sweep: HydraSweep) -> None:
    overrides = ["model=ridge,dummy", f"{ALPHA}=1,2", "threads=1,2"]
    plan, _ = diabetes_sweep.plan(*overrides, n_trials=None, sampler=SAMPLERS["grid"]())
    assert plan.limit == 6
    assert [overrides[len(FIXED) :] for overrides in draw(plan, 10)] == [
        ("model=ridge", "threads=1", f"{ALPHA}=1"),
        ("model=ridge", "threads=1", f"{ALPHA}=2"),
        ("model=ridge", "threads=2", f"{ALPHA}=1"),
        ("model=ridge", "threads=2", f"{ALPHA}=2"),
        ("model=dummy", "threads=1"),
        ("model=dummy", "threads=2"),
    ]


# What a dry run prints


def show(plan: SearchPlan, capsys: pytest.CaptureFixture[str]) -> list[str]:
    show_plan(plan, draw(plan))
    return [line.rstrip() for line in capsys.readouterr().out.splitlines()]


def test_a_plan_is_printed(diabetes_sweep: HydraSweep, capsys: pytest.CaptureFixture[str]) -> None:
    plan, _ = diabetes_sweep.plan("model=dummy", "threads=1,2", "tracking.name=choice(a,b)")
    lines = show(plan, capsys)
    assert lines[:4] == [
        "mlrunner  plan  20 trials of 4 combinations",
        "  objective maximize r2",
        "  sampler   TPESampler",
        "  dimension      values       model",
    ]
    assert [line.split() for line in lines[4:6]] == [["threads", "1,2", "all"], ["tracking.name", "choice(a,b)", "all"]]
    start = lines.index("  first compositions")
    assert len(lines[start + 1 :]) == PREVIEW_TRIALS + 3
    assert lines[-3].startswith("  defaults  dummy: threads=-1 lies outside 1,2; tracking.name=null lies outside")
    assert all(line.startswith("    threads=") for line in lines[start + 1 : start + 1 + PREVIEW_TRIALS])
    assert lines[-1] == "  time      unknown: no earlier run with these models and this data; run one first"


def test_a_plan_shows_the_model_of_a_dimension(diabetes_sweep: HydraSweep, capsys: pytest.CaptureFixture[str]) -> None:
    plan, _ = diabetes_sweep.plan("model=ridge,rf", "objective.metric=[r2,fit_seconds]", n_trials=3)
    lines = show(plan, capsys)
    assert lines[0] == "mlrunner  plan  3 trials"
    assert lines[1:3] == ["  objective maximize r2", "  objective minimize fit_seconds"]
    cells = [line.split() for line in lines]
    assert [ALPHA, "tag(log,", "interval(0.001,", "1000))", "ridge"] in cells
    assert [DEPTH, "null,4,8,16,32", "rf"] in cells
    assert ["model", "ridge,rf", "all"] in cells


def test_the_time_is_estimated_from_earlier_runs_of_the_models_on_the_data(diabetes_sweep: HydraSweep) -> None:
    plan, _ = diabetes_sweep.plan("model=ridge", n_trials=20, repeats=3, n_jobs=2)
    both, _ = diabetes_sweep.plan("model=ridge,dummy", n_trials=10, n_jobs=1)
    for place, seconds, *overrides in [
        ("10-00", 1.0, "model=ridge"),
        ("11-00/0", 1.5, "model=ridge"),
        ("11-00/1", 9.0, "model=ridge"),
        ("12-00", 50.0, "model=dummy"),
        ("13-00", 60.0, "model=ridge", "dataset.name=diabetes_large"),
        ("14-00", None, "model=ridge"),
    ]:
        folder = plan.home / "multirun/2026-01-01" / place
        (folder / ".hydra").mkdir(parents=True)
        composed = diabetes_sweep.composer.compose(("dataset=diabetes", *overrides), 0, record=True)
        (folder / ".hydra/config.yaml").write_text(composed.record["config.yaml"])
        (folder / "result.json").write_text(json.dumps({"fit_seconds": seconds, "score_seconds": 0.5}))
    estimates = estimate_time(plan), estimate_time(both)
    shutil.rmtree(plan.home / "multirun")
    assert estimates == (
        "about 60 s: 20 trials of 2.00 s, 2 at a time (median fit and score of 3 earlier runs)",
        "about 95 s: 10 trials of 9.50 s, 1 at a time (median fit and score of 4 earlier runs)",
    )

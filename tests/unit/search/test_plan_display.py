"""Printing a plan, and estimating its duration."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hydra.core.utils import setup_globals

from mlrunner.search.plan import PREVIEW_TRIALS, draw_first_trials
from mlrunner.search.plan_display import estimate_time, show_plan
from mlrunner.search.search_factory import make_sampler_factory
from tests.support.search import HydraSweep, open_hydra

ALPHA, DEPTH = "model.estimator.alpha", "model.estimator.max_depth"
FIXED = ("sweep=optuna", "dataset=diabetes")


@pytest.fixture(scope="module")
def hydra(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HydraSweep]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLRUNNER_HOME", str(tmp_path_factory.mktemp("home")))
        setup_globals()
        yield open_hydra(*FIXED)


@pytest.fixture
def home(hydra: HydraSweep) -> Path:
    return Path(str(hydra.config.home))


def show(hydra: HydraSweep, capsys: pytest.CaptureFixture[str], *overrides: str, **values: Any) -> list[str]:
    plan, _ = hydra.plan(*overrides, **values)
    show_plan(plan, draw_first_trials(plan, make_sampler_factory(plan)))
    return [line.rstrip() for line in capsys.readouterr().out.splitlines()]


def test_a_plan_is_printed(hydra: HydraSweep, capsys: pytest.CaptureFixture[str]) -> None:
    lines = show(hydra, capsys, "model=dummy", "cleaning=none,preprocess", "split.test=choice(0.2,0.3)")
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
    assert len(lines[start + 1 :]) == PREVIEW_TRIALS + 3
    assert all(line.startswith("    cleaning=") for line in lines[start + 1 : start + 1 + PREVIEW_TRIALS])
    assert lines[-2:] == [
        "  time       unknown: no earlier run with these models and this data; run one first",
        "  Nothing was started (hydra.sweeper.dry_run=true).",
    ]


def test_a_plan_shows_the_model_of_a_dimension(hydra: HydraSweep, capsys: pytest.CaptureFixture[str]) -> None:
    lines = show(hydra, capsys, "model=ridge,rf", "objective.metric=[r2,fit_seconds]", n_trials=3)
    assert lines[0] == "mlrunner  plan  3 trials"
    assert lines[1:3] == ["  objective  maximize r2", "  objective  minimize fit_seconds"]
    cells = [line.split() for line in lines]
    assert [ALPHA, "tag(log,", "interval(0.001,", "1000))", "ridge"] in cells
    assert [DEPTH, "int(interval(4,", "32))", "rf"] in cells
    assert ["model", "ridge,rf", "all"] in cells


@pytest.fixture
def record_run(home: Path, hydra: HydraSweep) -> Iterator[Any]:
    """Function that writes the files of an earlier run; the fixture removes them."""
    folders: list[Path] = []

    def record(place: str, seconds: float | None, *overrides: str) -> None:
        folder = home / "multirun" / place
        (folder / ".hydra").mkdir(parents=True)
        composed = hydra.composer.compose(("dataset=diabetes", *overrides), 0, record=True)
        (folder / ".hydra" / "config.yaml").write_text(composed.record["config.yaml"])
        (folder / "result.json").write_text(json.dumps({"fit_seconds": seconds, "score_seconds": 0.5}))
        folders.append(folder)

    yield record
    for folder in folders:
        for file in [*folder.rglob("*.*")]:
            if file.is_file():
                file.unlink()
    for top, _, _ in os.walk(home / "multirun", topdown=False):
        Path(top).rmdir()


def test_the_time_is_estimated_from_earlier_runs(hydra: HydraSweep, record_run: Any) -> None:
    plan, _ = hydra.plan("model=ridge", n_trials=20, repeats=3, n_jobs=2)
    record_run("2026-01-01/10-00", 1.0, "model=ridge")
    record_run("2026-01-01/11-00/0", 1.5, "model=ridge")
    record_run("2026-01-01/11-00/1", 9.0, "model=ridge")
    record_run("2026-01-01/12-00", 50.0, "model=rf")
    record_run("2026-01-01/13-00", 60.0, "model=ridge", "dataset=wine")
    record_run("2026-01-01/14-00", None, "model=ridge")
    assert estimate_time(plan) == (
        "about 60 s: 20 trials of 2.00 s, 2 at a time (median fit and score of 3 earlier runs)"
    )


def test_the_time_is_estimated_from_any_of_the_models(hydra: HydraSweep, record_run: Any) -> None:
    plan, _ = hydra.plan("model=ridge,dummy", n_trials=10, n_jobs=1)
    record_run("2026-01-01/10-00", 1.5, "model=dummy")
    assert estimate_time(plan) == (
        "about 20 s: 10 trials of 2.00 s, 1 at a time (median fit and score of 1 earlier runs)"
    )


def test_a_data_set_with_a_longer_name_is_another(hydra: HydraSweep, record_run: Any) -> None:
    plan, _ = hydra.plan("model=ridge")
    record_run("2026-01-01/10-00", 1.0, "model=ridge", "dataset.name=diabetes_large")
    assert estimate_time(plan).startswith("unknown")

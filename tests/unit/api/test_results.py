"""Results of `mlrunner.run` and `mlrunner.sweep`."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from mlrunner.api.results import Run, parse_sweep
from mlrunner.core.errors import ConfigError
from tests.support.outcomes import make_outcome


def trial(name: str, status: str, objective: float = math.nan, run_id: str | None = "a" * 32) -> dict[str, Any]:
    """Make the JSON document of a trial."""
    outcome = make_outcome(name=name, status=status, objective=objective, run_id=run_id, folder=f"/day/time/{name}")
    document: dict[str, Any] = json.loads(outcome.json())
    return document


@pytest.mark.parametrize(
    ("trials", "best"),
    [
        ([trial("a", "FINISHED", 0.5), trial("b", "PRUNED")], "a"),
        ([trial("b", "PRUNED"), trial("a", "FINISHED", 0.5)], "a"),
        ([trial("b", "PRUNED"), trial("c", "FAILED", run_id=None)], None),
        ([trial("c", "FINISHED", 0.5, run_id=None)], None),
    ],
)
def test_the_best_trial_is_finished_and_has_a_run(trials: list[dict[str, Any]], best: str | None) -> None:
    sweep = parse_sweep(trials)
    assert (None if sweep.best is None else sweep.best.name) == best
    assert sweep.frame["name"].tolist() == [trial["name"] for trial in trials]
    assert sweep.id == "day/time"


def test_the_winner_of_a_search_is_a_run_with_the_model_of_the_refit() -> None:
    refit = {
        "run_id": "b" * 32,
        "model_uri": "models:/m-1",
        "metrics": {"test/r2": 0.4},
        "gate": None,
        "columns": {"used": ["a"]},
    }
    document = {
        "folder": "/day/<time>",
        "trials": [trial("a", "FINISHED", 0.5)],
        "winner": {**refit, "deployment": None},
    }
    sweep = parse_sweep(document)
    assert sweep.winner is not None
    assert (sweep.winner.run_id, sweep.winner.model_uri, sweep.winner.objective) == ("b" * 32, "models:/m-1", 0.5)
    assert sweep.winner.columns == {"used": ["a"]}
    assert sweep.winner.frame.loc["r2", "test"] == 0.4
    assert "day/&lt;time&gt;</b>: best a, refitted as run bbbbbbbb" in sweep._repr_html_()


def test_a_search_without_trials_is_an_empty_table() -> None:
    sweep = parse_sweep({"folder": "/day/time", "trials": [], "winner": None})
    assert "no trial finished" in sweep._repr_html_()
    assert list(sweep.frame["run_id"]) == []


def test_the_frame_of_a_run_has_a_column_for_each_part() -> None:
    metrics = {"r2": 0.5, "train/r2": 0.9, "validation/r2": 0.5, "test/r2": 0.4, "test/mae": 2.0}
    frame = Run("a" * 32, "n", "r2", 0.5, metrics, Path("/d/t")).frame
    assert list(frame.columns) == ["train", "validation", "test"]
    assert frame.loc["r2"].tolist() == [0.9, 0.5, 0.4]
    assert frame.loc["mae"].isna().tolist() == [True, True, False]


def test_a_run_without_a_model_names_the_setting() -> None:
    with pytest.raises(ConfigError, match=r"^Run aaaaaaaa saved no model; set tracking\.log_model=true"):
        _ = Run("a" * 32, "n", "r2", 0.5, {}, Path("/d/t")).model

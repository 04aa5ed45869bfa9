"""What one more trial of a search costs, counted and not timed, so that what was saved does not come back."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.front_door import UNSAVED, export_variables, run_program
from tests.support.trial_costs import PROGRAM, measure_bytes

pytestmark = pytest.mark.slow
SEARCH = ("dataset=diabetes", "model=ridge", *UNSAVED, "sweep=optuna", "hydra.sweeper.n_jobs=1", "output=json")
FEW, MANY = 3, 11
# Of one trial, with its records in MLflow and ZenML. Counted on 2026-11-30: 6 flushes, 6 texts, all but one of them the
# entries that differ, 94 statements and 34 kB.
LIMITS = {"fsync": 7, "yaml": 6, "sql": 105, "bytes": 50_000}


def measure(home: Path, trials: int) -> Counter[str]:
    """Run a search to its end, and count what it costs."""
    report, before = home / f"{trials}.json", measure_bytes(home / ".mlrunner")
    command = (*SEARCH, f"hydra.sweeper.n_trials={trials}")
    done = run_program(home, PROGRAM.format(report=str(report)), *command)
    assert done.code == 0, done.err
    return Counter({**json.loads(report.read_text()), "bytes": measure_bytes(home / ".mlrunner") - before})


def test_one_more_trial_costs_no_more_than_it_did(tmp_path: Path) -> None:
    export_variables(tmp_path)
    few, many = measure(tmp_path, FEW), measure(tmp_path, MANY)
    with closing(sqlite3.connect(tmp_path / ".mlrunner" / "mlflow.db")) as database:  # whose flushes are not counted
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    costs = {name: (many[name] - few[name]) / (MANY - FEW) for name in LIMITS}
    assert all(cost > 0 for cost in costs.values()), costs
    assert all(costs[name] <= limit for name, limit in LIMITS.items()), costs

"""Which runs and sweeps a request finds; the filter and the order are compared with MLflow's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlrunner.core.errors import ConfigError
from mlrunner.history.listing import Request, explain_empty, find_entries
from mlrunner.history.listing.entries import Entry
from mlrunner.history.listing.sweep import SweepEntry
from mlrunner.tracking.records.sqlite_store import SqliteStore
from tests.support.mlflow_home import open_copy
from tests.support.recorded import Recorded
from tests.support.run_stores import NamedRuns

Find = Callable[..., list[Entry]]


@pytest.fixture
def store(recorded: Recorded) -> SqliteStore:
    return SqliteStore(recorded.home / ".mlrunner" / "mlflow.db")


@pytest.fixture
def find(recorded: Recorded, store: SqliteStore) -> Find:
    return lambda **request: find_entries(store, Request(**request), recorded.home)


def ids(entries: list[Entry]) -> list[str]:
    return [entry.record.run_id for entry in entries]


@pytest.mark.parametrize(
    "where",
    [
        "",
        "metrics.r2 > 0.3 and params.model = 'ridge'",
        "metrics.`test/r2` > 0",
        "params.dataset = 'diabetes' and status = 'FINISHED'",
        "tags.mlrunner.trial_number IS NOT NULL",
    ],
)
def test_filter_is_that_of_mlflow(recorded: Recorded, find: Find, where: str) -> None:
    expected = [run.info.run_id for run in recorded.list_runs(where)]
    assert expected
    assert ids(find(where=where)) == expected
    assert ids(find(where=where, limit=2)) == expected[:2]


@pytest.mark.parametrize(
    ("sort", "key"),
    [
        ("metrics.r2 DESC", lambda entry: -entry.record.metrics.get("r2", float("-inf"))),
        ("-metrics.r2", lambda entry: -entry.record.metrics.get("r2", float("-inf"))),
        ("when", lambda entry: entry.record.start),
        ("took", lambda entry: entry.record.seconds),
        ("-took", lambda entry: -entry.record.seconds),
        ("-objective", lambda entry: -entry.objective),
        ("id", lambda entry: entry.record.run_id),
        ("-test", lambda entry: float("inf") if entry.test is None else -entry.test),
    ],
)
def test_order(find: Find, sort: str, key: Any) -> None:
    keys = [key(entry) for entry in find(sort=(sort,))]
    assert keys == sorted(keys)
    assert [key(entry) for entry in find(sort=(sort,), limit=4)] == keys[:4]


def test_an_objective_of_ones_own_has_a_place_in_the_order(tmp_path: Path, template: Path) -> None:
    with open_copy(template, tmp_path):
        runs = NamedRuns(tmp_path)
        for name, value in (("dear", 5.0), ("cheap", 1.0), ("none", None)):
            run_id = runs.add(name, metric="cost")
            for part in ("", "test/") if value is not None else ():
                runs.client.log_metric(run_id, f"{part}cost", value)
        runs.client.log_metric(runs.add("other"), "r2", 2.0)
        for store in runs.stores:
            for sort, expected in (("objective", "cheap other dear none"), ("-test", "dear cheap other none")):
                found = find_entries(store, Request(sort=(sort,)), tmp_path)
                assert [entry.record.name for entry in found] == expected.split()


def test_overrides_are_those_of_the_command_line(recorded: Recorded, find: Find) -> None:
    entries = {entry.record.run_id: entry for entry in find()}
    assert entries[recorded.single["run_id"]].differs == ["model=ridge", "dataset.rows=2000"]
    assert entries[recorded.folds["run_id"]].differs[:2] == ["model=rf", "model.estimator.n_estimators=10"]
    winner = entries[recorded.search["winner"]["run_id"]].document()
    assert winner["name"].startswith("winner,")
    assert winner["sweep"] == recorded.search["study_name"]
    assert winner["trial"] == recorded.search["best_trial_number"]


def test_runs_of_a_sweep(recorded: Recorded, find: Find) -> None:
    parent = find(sweeps=True)[-1]
    assert isinstance(parent, SweepEntry)
    assert parent.kind == "grid"
    runs = ids(find(within=parent.id))
    assert sorted(runs) == sorted(run["run_id"] for run in recorded.grid)
    assert ids(find(within=parent.record.run_id)) == runs
    assert ids(find(within=parent.id, sweeps=True)) == [parent.record.run_id]
    with pytest.raises(ConfigError, match=r"is the run \w{8}, not a sweep"):
        find(within=recorded.single["run_id"])


@pytest.mark.parametrize(
    ("sort", "message"),
    [
        (("metrics.r2 DOWN",), "--sort 'metrics.r2 DOWN' cannot be read; .* Columns to sort by are id, name"),
        (("objektive", "when"), r"Did you mean 'objective'\? Columns to sort by are id, name"),
        (("took", "when"), "--sort took cannot be combined with another --sort"),
    ],
)
def test_wrong_order_is_refused(find: Find, sort: tuple[str, ...], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        find(sort=sort)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (Request(where="metrics.r2 > 2"), "No run matches metrics.r2 > 2."),
        (Request(True, "metrics.r2 > 2"), "No sweep matches metrics.r2 > 2."),
        (Request(where="metrics.tset/r2 > 0.1"), "The newest has no metric tset/r2. Did you mean 'test/"),
        (Request(where="status = 'pruned'"), " (a pruned trial is KILLED)."),
    ],
)
def test_empty_result_is_explained(store: SqliteStore, request_: Request, message: str) -> None:
    assert message in explain_empty(store, request_)

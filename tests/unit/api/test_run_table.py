"""The table of runs."""

from __future__ import annotations

from mlrunner.api.run_table import make_table
from mlrunner.tracking.records import Record

RUN = Record("a" * 32, "ridge", "FINISHED", 0, 1500, "e", "/", {"model": "ridge"}, {"r2": 0.5}, {"mlrunner.x": "1"})


def test_a_row_has_the_columns_of_mlflow() -> None:
    table = make_table([RUN])
    assert table.to_dict("records")[0] | {"start": None} == {
        "run_id": "a" * 32,
        "name": "ridge",
        "status": "FINISHED",
        "start": None,
        "seconds": 1.5,
        "metrics.r2": 0.5,
        "params.model": "ridge",
        "tags.mlrunner.x": "1",
    }
    assert table["start"][0].isoformat() == "1970-01-01T00:00:00+00:00"


def test_no_runs_are_an_empty_table() -> None:
    assert list(make_table([])) == ["run_id", "name", "status", "start", "seconds"]

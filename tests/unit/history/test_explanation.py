"""The model of a run is explained on its raw rows; whole commands are in `tests/apps/test_explain.py`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from mlrunner.core.errors import ConfigError, StoreError
from mlrunner.history.explanation import explain_rows, explain_test_rows, find_source
from mlrunner.tracking.records.record import MODEL_TAG
from tests.support.reports import make_run


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("price", "price"),
        ("ordered_month", "ordered"),
        ("ordered_at_month", "ordered_at"),
        ("days_from_ordered_to_paid", "days_from_ordered_to_paid"),
        ("ordered_by", "ordered_by"),
    ],
)
def test_the_parts_of_a_date_count_as_the_date(name: str, source: str) -> None:
    raw = ["price", "ordered", "ordered_at", "ordered_by"]
    assert find_source(name, raw, ["ordered", "ordered_at"]) == source


def test_a_run_without_a_model_is_refused(tmp_path: Path) -> None:
    record = make_run(tmp_path)
    bare = replace(record, tags={name: value for name, value in record.tags.items() if name != MODEL_TAG})
    with pytest.raises(ConfigError, match=r"saved no model; run it again with tracking.log_model=true"):
        explain_test_rows(bare)


def test_a_model_that_is_gone_is_one_sentence(tmp_path: Path) -> None:
    record = make_run(tmp_path)
    gone = replace(record, tags={**record.tags, MODEL_TAG: f"{tmp_path}/none"})
    with pytest.raises(StoreError, match=r"cannot be read .* choose another run"):
        explain_rows(gone, pd.DataFrame({"x": [1.0]}))

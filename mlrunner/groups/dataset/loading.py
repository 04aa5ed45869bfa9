"""Read each data set once per process, for the start-up check and the ingest step alike."""

from __future__ import annotations

import json
import math
from functools import lru_cache

import pandas as pd

from mlrunner.core.build import Group, build
from mlrunner.core.warning_names import Notice
from mlrunner.groups.dataset import Dataset

BLUEPRINT_ROWS = 96  # enough for ten folds, few enough to be fast


def read(dataset: Group, fingerprint: str) -> pd.DataFrame:
    """Read a data set, or return the table that was read before from the same settings and content."""
    return read_with_notices(dataset, fingerprint)[0]


def read_with_notices(dataset: Group, fingerprint: str) -> tuple[pd.DataFrame, tuple[Notice, ...]]:
    """Read a data set like `read`; see `Dataset.load_with_notices`."""
    return _read(json.dumps(dataset, sort_keys=True, default=str), fingerprint)


@lru_cache(maxsize=2)
def _read(dataset: str, fingerprint: str) -> tuple[pd.DataFrame, tuple[Notice, ...]]:
    del fingerprint
    source: Dataset = build(json.loads(dataset), "dataset")
    return source.load_with_notices()


def sample_rows(table: pd.DataFrame, dataset: Group) -> pd.DataFrame:
    """Select about `BLUEPRINT_ROWS` rows of a table, in their order.

    Args:
        table: Raw table.
        dataset: Resolved config group `dataset`; of each class of its target, the same number of rows is selected.
    """
    if dataset["task"] == "regression":
        return table.iloc[:: max(1, len(table) // BLUEPRINT_ROWS)].head(BLUEPRINT_ROWS).reset_index(drop=True)
    known = table[table[dataset["target"]].notna()]
    per_class = math.ceil(BLUEPRINT_ROWS / len(set(known[dataset["target"]])))
    selected: pd.DataFrame = known[known.groupby(dataset["target"]).cumcount() < per_class]
    return selected.reset_index(drop=True)

"""Rows with every kind of column, and targets of both tasks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd


def messy(rows: int = 120, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    price = rng.normal(10, 3, rows)
    price[:: max(1, rows // 10)] = np.nan
    return pd.DataFrame(
        {
            "price": price,
            "items": rng.integers(1, 9, rows),
            "gift": rng.random(rows) < 0.5,
            "nothing": np.full(rows, np.nan),
            "state": rng.choice(np.array(["SP", "RJ", None], dtype=object), rows),
            "city": [f"city {value}" for value in rng.integers(0, 40, rows)],
            "comment": [
                f"it came {'late' if value else 'soon'} and was number {at}"
                for at, value in enumerate(rng.integers(0, 2, rows))
            ],
            "bought": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 1000, rows), unit="h"),
        }
    )


TARGETS: dict[str, Callable[[int], Any]] = {
    "regression": lambda n: np.random.default_rng(1).normal(size=n),
    "classification": lambda n: np.random.default_rng(1).choice(["a", "b", "c"], n),
}

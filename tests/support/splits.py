"""Split options, and a table to divide."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hydra.utils import instantiate
from omegaconf import OmegaConf

from mlrunner.groups.split import DataDivideStrategy, Division
from tests.support.front_door import PROJECT

CONF = PROJECT / "conf" / "split"
OPTIONS = sorted(path.stem for path in CONF.glob("*.yaml"))
BY_TIME = ["expanding", "rolling", "time_ordered"]
FOLDED = [name for name in OPTIONS if name.endswith("kfold")]
HELD_OUT = [name for name in OPTIONS if name not in [*FOLDED, "expanding", "rolling"]]
ROLES = {"target": "y", "group": None, "time": "when", "task": "regression"}
BY_CLASS = {"target": "label", "task": "classification"}
BY_GROUP = {"group": "customer"}
NOT_GROUPED = [name for name in OPTIONS if not name.startswith("grouped")]
SHARES = {"70_15_15": (0.7, 0.15, 0.15)}


def build_option(name: str, roles: dict[str, Any] | None = None, seed: int = 0, **settings: Any) -> DataDivideStrategy:
    """Build an option as Hydra would."""
    group = OmegaConf.merge(OmegaConf.load(CONF / f"{name}.yaml"), settings)
    root = OmegaConf.create({"seed": seed, "dataset": {**ROLES, **(roles or {})}, "split": group})
    built: DataDivideStrategy = instantiate(root.split, _convert_="all")
    return built


def table(rows: int = 400) -> pd.DataFrame:
    """Build a cleaned table: several rows per customer, three classes of different size, two rows per moment."""
    random = np.random.default_rng(3)
    number = np.arange(rows)
    moments = pd.Timestamp("2020-01-01") + pd.to_timedelta(random.permutation(number) // 2, unit="h")
    return pd.DataFrame(
        {
            "x": number * 1.0,
            "y": random.normal(size=rows),
            "label": np.where(number % 10 == 0, "rare", np.where(number % 3 == 0, "some", "most")),
            "customer": random.integers(0, max(rows // 4, 1), rows),
            "when": moments.astype(str),
        },
        index=number * 2 + 5,
    )


def divide_table(name: str, roles: dict[str, Any] | None = None, **settings: Any) -> Division:
    """Divide the usual table."""
    return build_option(name, {**BY_GROUP, **(roles or {})}, **settings).handle_data(table())


def parts_with_rows(divided: Division) -> list[pd.DataFrame]:
    """Return the parts that have rows."""
    return [part for part in (divided.train, divided.validation, divided.test) if len(part)]


tasks = pytest.mark.parametrize("roles", [pytest.param({}, id="regression"), pytest.param(BY_CLASS, id="classes")])

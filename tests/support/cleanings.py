"""Cleaning options."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from hydra.utils import instantiate
from omegaconf import OmegaConf

from mlrunner.core.column_roles import Roles
from mlrunner.groups.strategy import CleaningStrategy
from tests.support.front_door import PROJECT

ROOT = PROJECT
OPTIONS = sorted(path.stem for path in (ROOT / "conf" / "cleaning").glob("*.yaml"))


def build_option(name: str, **settings: Any) -> CleaningStrategy:
    """Build an option as Hydra would."""
    root = {"seed": 0, "dataset": {"target": "y", "group": None, "time": "when", "task": None}}
    group = OmegaConf.merge(OmegaConf.load(ROOT / "conf" / "cleaning" / f"{name}.yaml"), settings)
    built: CleaningStrategy = instantiate(OmegaConf.create({**root, "cleaning": group}).cleaning, _convert_="all")
    return built


def raw_table() -> pd.DataFrame:
    """Build a raw table with a column of every role, and a row without a target."""
    return pd.DataFrame(
        {
            "id": ["a", "b", "c", "d"],
            "order": [1, 1, 2, 2],
            "day": ["2020-01-01", "2020-01-02", "2020-01-03", "2020-01-04"],
            "x": [1.0, 2.0, 3.0, 4.0],
            "y": [5.0, np.nan, 7.0, 8.0],
        }
    )


ROLES = Roles("y", ("id",), "order", "day")

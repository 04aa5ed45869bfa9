"""A small table in parts, and the problem that it poses, for the steps that fit and score."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mlrunner.core.column_roles import Roles
from mlrunner.steps.problem import Problem

RNG = np.random.default_rng(0)
RAW = pd.DataFrame({"a": RNG.normal(size=90), "b": RNG.normal(size=90)})
RAW["y"] = 2 * RAW["a"] - RAW["b"] + RNG.normal(size=90) / 10
TRAIN, VALIDATION, TEST = RAW.iloc[:50], RAW.iloc[50:70], RAW.iloc[70:]
NO_FOLDS = pd.DataFrame()
PROBLEM = Problem(roles=Roles("y"), task="regression", label="data")
KEEP_ALL = {"_target_": "mlrunner.groups.cleaning.KeepAll"}

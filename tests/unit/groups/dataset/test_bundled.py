"""Data sets of scikit-learn."""

from __future__ import annotations

import pytest

from mlrunner.core.errors import DataError
from mlrunner.groups.dataset import bundled


def test_no_such_loader_is_refused() -> None:
    assert bundled.find_problems("sklearn.datasets.load_wine") == []
    misspelt = bundled.find_problems("sklearn.datasets.load_iriss")[0]
    assert misspelt.startswith(
        "dataset.loader is 'sklearn.datasets.load_iriss', which is not a loader of sklearn.datasets;"
    )
    assert misspelt.endswith(" more. Did you mean 'sklearn.datasets.load_iris'?")
    assert "'os.system', which is not a loader" in bundled.find_problems("os.system")[0]


def test_a_loader_without_a_table_is_refused() -> None:
    with pytest.raises(DataError, match=r"'sklearn\.datasets\.load_files' returns no table"):
        bundled.fetch("sklearn.datasets.load_files")


def test_a_table_has_its_target() -> None:
    table = bundled.fetch("sklearn.datasets.load_wine")
    assert table.shape == (178, 14)
    assert table["target"].value_counts().to_dict() == {1: 71, 0: 59, 2: 48}

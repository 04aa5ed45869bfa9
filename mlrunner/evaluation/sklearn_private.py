"""Read the trees of scikit-learn's histogram-based boosters, which it does not publish; read in scikit-learn 1.9.1."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from mlrunner.evaluation.predictions import Array

ATTRIBUTES = ("_predictors", "_baseline_prediction")


def can_read(model: Any) -> bool:
    """Check whether the installed release has the trees where we look, and none of them splits categories."""
    return all(hasattr(model, name) for name in ATTRIBUTES) and not any(
        nodes["is_categorical"].any() for nodes, _ in _list_nodes(model)
    )


def read_nodes(model: Any) -> tuple[list[tuple[Any, int]], Array]:
    """Read the nodes of each tree with the output that it adds to, and the base of each output."""
    return list(_list_nodes(model)), np.ravel(getattr(model, ATTRIBUTES[1]))


def _list_nodes(model: Any) -> Iterator[tuple[Any, int]]:
    for iteration in getattr(model, ATTRIBUTES[0]):
        for output, tree in enumerate(iteration):
            yield tree.nodes, output

"""Share XGBoost's binned matrices between fits, by `XGBModel._create_dmatrix` (read in XGBoost 3.2).

XGBoost has no public hook for the matrix that its scikit-learn estimators make of an array. Where a version lacks
this method, every fit bins its rows anew, which costs time and changes no result.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from cachetools import LRUCache

METHOD = "_create_dmatrix"
CACHE_SIZE = 12
SHAREABLE = {"missing", "enable_categorical", "feature_types"}  # arguments that the key of a matrix covers


class BinCache:
    """Keeps the matrices of the last fits of a process, with what they were made of.

    Binning is a fifth of a short fit. It depends on the rows and on `max_bin` only, so a model is the same to the bit.

    Args:
        size: Maximum number of matrices.
    """

    def __init__(self, size: int = CACHE_SIZE) -> None:
        self.entries: MutableMapping[tuple[Any, ...], tuple[Any, Any, Any]] = LRUCache(size)

    @contextmanager
    def sharing(self, *arrays: Any) -> Iterator[None]:
        """Reuse the matrices of these arrays in the fits within a block.

        Args:
            arrays: Arrays that outlive the fit; the method bins any other array anew.
        """
        module = sys.modules.get("xgboost.sklearn")  # not imported: the estimator is not XGBoost's
        cls = getattr(module, "XGBModel", None)
        original = getattr(cls, METHOD, None)
        if cls is None or original is None:
            yield
            return
        setattr(cls, METHOD, self._cached(original, {id(array) for array in arrays}))
        try:
            yield
        finally:
            setattr(cls, METHOD, original)

    def _cached(self, original: Callable[..., Any], lasting: set[int]) -> Callable[..., Any]:
        def create(model: Any, ref: Any, **arguments: Any) -> Any:
            others = {name for name, value in arguments.items() if name not in ("data", "label") and value is not None}
            if id(arguments.get("data")) not in lasting or others - SHAREABLE:
                return original(model, ref, **arguments)
            rest = repr([(name, arguments[name]) for name in sorted(arguments) if name not in ("data", "label")])
            key = (
                *(id(arguments["data"]), id(ref), rest),
                *(model.max_bin, model.tree_method, model.booster, model.device),
            )
            entry = self.entries.get(key)
            if entry is None or not _has_labels(entry[0], arguments["label"]):
                # the ids of the key stay valid as long as the entry holds their objects
                entry = self.entries[key] = (original(model, ref, **arguments), arguments["data"], ref)
            return entry[0]

        return create


def _has_labels(matrix: Any, labels: Any) -> bool:
    return np.array_equal(matrix.get_label(), np.asarray(labels, np.float32))

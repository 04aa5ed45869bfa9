"""Import skops without what it would import to no purpose.

skops lists every estimator of scikit-learn when it is imported. That list imports pytest, and each array library that
scikit-learn supports and that is installed, such as Dask: half of the time that the import takes.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

UNNEEDED = ("pytest", *(f"sklearn.externals.array_api_compat.{name}" for name in ("cupy", "dask", "torch")))


def import_skops() -> ModuleType:
    """Import `skops.io`."""
    with _hidden(UNNEEDED):
        return importlib.import_module("skops.io")


@contextmanager
def _hidden(names: tuple[str, ...]) -> Iterator[None]:
    """Let imports of modules fail that are not imported yet; scikit-learn goes on without them."""
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None: Python's own mark of such a module
    try:
        yield
    finally:
        for name in hidden:
            sys.modules.pop(name, None)

"""When Python looks for garbage: not while it imports, and not among what was imported."""

from __future__ import annotations

import gc


def settle() -> None:
    """Exempt what was imported from garbage collection, which `main` left off while importing."""
    gc.collect(0)
    gc.freeze()
    gc.enable()

"""A schema of raw rows with a column of each kind."""

from __future__ import annotations

from mlrunner.serving.columns import RawColumn
from mlrunner.serving.schema import Schema

SIZE, TOWN, ROOMS, NEW, BUILT = (
    RawColumn("size", "number", True),
    RawColumn("town", "text", True, frozenset({"far", "near"})),
    RawColumn("rooms", "number", True),
    RawColumn("new", "boolean", False),
    RawColumn("built", "moment", False),
)
SCHEMA = Schema((SIZE, TOWN, ROOMS, NEW, BUILT))

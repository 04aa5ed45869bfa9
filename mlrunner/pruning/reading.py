"""Read all runs of a store with what a prune asks of them, and not the rest: thousands in a second."""

from __future__ import annotations

from mlrunner.directions import GREATER_IS_BETTER
from mlrunner.pruning import MARK, STUDY
from mlrunner.pruning.selection import PARTS
from mlrunner.records import DATA, FOLDER, MODEL, SWEEP, TRIAL, WINNER_OF, Only, Record, Store

ASKED = Only(
    params=("objective.metric", *(f"goal.{name}" for name in GREATER_IS_BETTER)),
    metrics=tuple(f"{part}{name}" for name in GREATER_IS_BETTER for part in PARTS),
    tags=(FOLDER, SWEEP, TRIAL, WINNER_OF, DATA, MODEL, MARK, STUDY),
)


def everything(store: Store) -> list[Record]:
    """Read every run, newest first; of the parameters only the metric."""
    return store.search(only=ASKED)

"""Read all runs of a store with what a prune asks of them, and not the rest: thousands in a second."""

from __future__ import annotations

from dataclasses import replace

from mlrunner.core.metric_names import GREATER_IS_BETTER
from mlrunner.history.pruning import MARK
from mlrunner.history.pruning.selection import PARTS
from mlrunner.tracking.records import (
    DATA,
    FOLDER,
    MODEL,
    REOPENED,
    REPRODUCES,
    STUDY,
    SWEEP,
    TRIAL,
    WINNER_OF,
    Only,
    Record,
    Store,
)

ASKED = Only(
    params=("objective.metric", *(f"goal.{name}" for name in GREATER_IS_BETTER)),
    tags=(FOLDER, SWEEP, TRIAL, WINNER_OF, DATA, MODEL, MARK, STUDY, REOPENED, REPRODUCES),
)


def everything(store: Store) -> list[Record]:
    """Read every run, newest first; of its numbers only the objective's, of which a run has four and not forty."""
    found = store.search(only=ASKED)
    if any(one.metrics for one in found):  # of a store that gives all at once
        return found
    names = sorted({f"{part}{one.metric}" for one in found if one.metric for part in PARTS})
    scores = {one.run_id: one.metrics for one in store.search(only=Only(metrics=tuple(names)))}
    return [replace(one, metrics=scores.get(one.run_id, {})) for one in found]

"""A line of the table: a run or a sweep, and what is said of it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from mlrunner.core.terminal import spread
from mlrunner.history.listing.deployments import Deployed
from mlrunner.tracking.records import FOLDER, REPRODUCES, SWEEP, TRIAL, WINNER_OF, Record

OVERRIDES, ZENML = "mlrunner.overrides", "mlrunner.zenml.run"
NAMED = "tracking.name"
SEARCH = "search-"  # begins the name of a search's ZenML run
JOINT = re.compile(r",(?=[+~]{0,2}[\w./@]+=|~[\w./@]+(?:,|$))")  # between the overrides of a name


@dataclass(frozen=True)
class Entry:
    """A run.

    Args:
        record: As the store has it.
        lead: The run whose scores are shown: itself, or a sweep's winner; None where a sweep has none.
        deployed: Where it serves or has served; None for never.
    """

    record: Record
    lead: Record | None
    deployed: Deployed | None

    @property
    def id(self) -> str:
        """What people type."""
        return self.record.short

    @property
    def name(self) -> str | None:
        """The name that was given, if any; that of a run of somebody else's."""
        given = self._param(NAMED)
        if OVERRIDES not in self.record.tags and FOLDER not in self.record.tags:
            return self.record.name
        return None if given == "null" else self.record.name

    @cached_property
    def differs(self) -> list[str]:
        """The overrides that tell it from the default composition."""
        if OVERRIDES in self.record.tags:
            told = [str(text) for text in json.loads(self.record.tags[OVERRIDES])]
            return [*self._shrunk(), *sorted(told, key=self._order)]
        return [] if self.record.name == "default" or self.name is not None else JOINT.split(self.record.name)

    @property
    def words(self) -> list[str]:
        """What is special about it."""
        marks = {"reproduction": REPRODUCES in self.record.tags, "winner": WINNER_OF in self.record.tags}
        return [word for word, holds in marks.items() if holds]

    def _shrunk(self) -> list[str]:
        """Write the override that is no part of a name, and decides the result all the same."""
        return ["blueprint=true"] if self._param("blueprint") == "true" else []

    def _order(self, override: str) -> tuple[bool, bool]:
        """Put last what all runs of its sweep have, which is not in the name, and of a run alone its long data set."""
        key = override.partition("=")[0].lstrip("+")
        is_common = f"{key.rpartition('.')[2]}=" not in self.record.name
        is_data = key.partition(".")[0] == "dataset"
        return (is_common, is_data) if SWEEP in self.record.tags else (is_data, is_common)

    def _param(self, name: str) -> str:
        return self.record.params.get(name, "null")

    @property
    def metric(self) -> str:
        """The metric of the objective."""
        return self.record.metric

    @property
    def objective(self) -> float | None:
        """Its value."""
        return self.record.metrics.get(self.metric)

    @property
    def spread(self) -> float | None:
        """Its deviation over folds or repeats."""
        return spread(self.record.metrics, self.metric)

    @property
    def test(self) -> float | None:
        """The same metric on the test rows."""
        return None if self.lead is None else self.lead.metrics.get(f"test/{self.metric}")

    @property
    def status(self) -> str:
        """MLflow's, but for a trial that was pruned."""
        is_trial = TRIAL in self.record.tags and self.record.tags.get(ZENML, "").startswith(SEARCH)
        return "PRUNED" if is_trial and self.record.status == "KILLED" else self.record.status

    def document(self) -> dict[str, Any]:
        """All of it, for programs."""
        record = self.record
        choices = {name: value for name, value in record.params.items() if f"{name}._target_" in record.params}
        return {
            "run_id": record.run_id,
            "name": record.name,
            "differs": self.differs,
            **self._ended(),
            "sweep": record.tags.get(SWEEP),
            "trial": int(record.tags[TRIAL]) if record.tags.get(TRIAL, "").isdigit() else None,
            "choices": choices,
            "metric": self.metric,
            "objective": self.objective,
            "metrics": record.metrics,
            "deployed": None if self.deployed is None else self.deployed.document(),
            "folder": record.tags.get(FOLDER),
        }

    def _ended(self) -> dict[str, Any]:
        record = self.record
        end = None if record.end is None else iso(record.end)
        return {"status": self.status, "start": iso(record.start), "end": end, "seconds": record.seconds}


def iso(milliseconds: int) -> str:
    """Write a time of MLflow's."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="seconds")

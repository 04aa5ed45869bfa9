"""A run as a row of a table."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from mlrunner.core.metric_names import metric_spread
from mlrunner.history.listing.deployments import DeploymentStatus
from mlrunner.tracking.records import FOLDER_TAG, REPRODUCES_TAG, SWEEP_TAG, TRIAL_TAG, WINNER_OF_TAG, Record
from mlrunner.tracking.records.record import INTERRUPTED_TAG, INVALID_TAG, OVERRIDES_TAG, ZENML_RUN_TAG

NAME_PARAM = "tracking.name"
SEARCH_PREFIX = "search-"  # of the name of a search's pipeline run in ZenML
OVERRIDE_SEPARATOR = re.compile(
    r",(?=[+~]{0,2}[\w./@]+=|~[\w./@]+(?:,|$))"
)  # between the overrides in the name of a run


@dataclass(frozen=True)
class Entry:
    """A run as a row of a table.

    Args:
        record: Run, or parent of a sweep.
        lead: Run whose scores are shown: the run itself, or the winner of a sweep; None if a sweep has none.
        deployed: Deployment of the run; None if it was never deployed.
    """

    record: Record
    lead: Record | None
    deployed: DeploymentStatus | None

    @property
    def id(self) -> str:
        """The short id, which commands accept."""
        return self.record.short

    @property
    def name(self) -> str | None:
        """The name that the user gave, if any; the name of a run of another program."""
        name = self._param(NAME_PARAM)
        if OVERRIDES_TAG not in self.record.tags and FOLDER_TAG not in self.record.tags:
            return self.record.name
        return None if name == "null" else self.record.name

    @cached_property
    def differs(self) -> list[str]:
        """The overrides that the run adds to the default composition."""
        if OVERRIDES_TAG in self.record.tags:
            overrides = [str(text) for text in json.loads(self.record.tags[OVERRIDES_TAG])]
            return [*self._blueprint(), *sorted(overrides, key=self._sort_key)]
        return (
            [] if self.record.name == "default" or self.name is not None else OVERRIDE_SEPARATOR.split(self.record.name)
        )

    @property
    def words(self) -> list[str]:
        """Words about the role of the run."""
        tags = self.record.tags
        words = {"reproduction": REPRODUCES_TAG in tags, "winner": WINNER_OF_TAG in tags}
        words[f"invalid ({tags.get(INVALID_TAG)})"] = INVALID_TAG in tags
        return [word for word, applies in words.items() if applies]

    def _blueprint(self) -> list[str]:
        """Return the override that affects the result although it is not part of the name."""
        return ["blueprint=true"] if self._param("blueprint") == "true" else []

    def _sort_key(self, override: str) -> tuple[bool, bool]:
        """Put last the overrides that all runs of a sweep share, and the long data set of a single run."""
        key = override.partition("=")[0].lstrip("+")
        is_common = f"{key.rpartition('.')[2]}=" not in self.record.name
        is_data = key.partition(".")[0] == "dataset"
        return (is_common, is_data) if SWEEP_TAG in self.record.tags else (is_data, is_common)

    def _param(self, name: str) -> str:
        return self.record.params.get(name, "null")

    @property
    def metric(self) -> str:
        """The metric of the objective."""
        return self.record.metric

    @property
    def objective(self) -> float | None:
        """The value of the objective."""
        return self.record.metrics.get(self.metric)

    @property
    def spread(self) -> float | None:
        """The standard deviation of the objective over folds or repeats."""
        return metric_spread(self.record.metrics, self.metric)

    @property
    def test(self) -> float | None:
        """The same metric on the test rows."""
        return None if self.lead is None else self.lead.metrics.get(f"test/{self.metric}")

    @property
    def status(self) -> str:
        """MLflow's status; PRUNED for a pruned trial."""
        is_trial = TRIAL_TAG in self.record.tags and self.record.tags.get(ZENML_RUN_TAG, "").startswith(SEARCH_PREFIX)
        is_pruned = is_trial and self.record.status == "KILLED" and INTERRUPTED_TAG not in self.record.tags
        return "PRUNED" if is_pruned else self.record.status

    def document(self) -> dict[str, Any]:
        """Build the JSON document."""
        record = self.record
        choices = {name: value for name, value in record.params.items() if f"{name}._target_" in record.params}
        return {
            "run_id": record.run_id,
            "name": record.name,
            "differs": self.differs,
            "status": self.status,
            "start": format_iso(record.start),
            "end": record.end and format_iso(record.end),
            "seconds": record.seconds,
            "sweep": record.tags.get(SWEEP_TAG),
            "trial": int(record.tags[TRIAL_TAG]) if record.tags.get(TRIAL_TAG, "").isdigit() else None,
            "choices": choices,
            "metric": self.metric,
            "objective": self.objective,
            "metrics": record.metrics,
            "deployed": self.deployed and asdict(self.deployed),
            "invalid": record.tags.get(INVALID_TAG),
            "folder": record.tags.get(FOLDER_TAG),
        }


def format_iso(milliseconds: int) -> str:
    """Format milliseconds since 1970 in ISO 8601, in UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="seconds")

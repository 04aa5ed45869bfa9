"""Which runs serve now, or have served."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mlrunner.tracking.records import Record, Store

NAME, VERSION = "mlrunner.deployment.name", "mlrunner.deployment.version"  # as `tracking.recording` tags a run
SERVING, READY, CHAMPION, WAS = "serving", "ready", "champion", "was"


@dataclass(frozen=True)
class Deployed:
    """A run's place in a deployment.

    Args:
        name: Of the deployment.
        version: Of the model.
        state: `serving`; `ready` for a rollback; `champion` of a registry that serves nothing; `was` deployed before.
    """

    name: str
    version: int
    state: str

    def __str__(self) -> str:
        told = f"{self.name} v{self.version}"
        return f"was {told}" if self.state == WAS else f"{told} {self.state}"

    def document(self) -> dict[str, Any]:
        """For programs."""
        return asdict(self)


@dataclass(frozen=True)
class Serving:
    """What serves now.

    Args:
        states: Deployment and version to `serving` or `ready`.
        runs: The run that each version was made of.
        champions: Model to run, of the registry.
        local: The deployments of this home.
    """

    states: dict[tuple[str, int], str]
    runs: dict[str, tuple[str, int]]
    champions: dict[str, str]
    local: set[str]

    def of(self, record: Record) -> Deployed | None:
        """Tell where a run serves."""
        tagged = record.tags.get(NAME), record.tags.get(VERSION, "")
        name, version = self.runs.get(record.run_id, (tagged[0], int(tagged[1]) if tagged[1].isdigit() else 0))
        if name is None:
            return None
        if name not in self.local and self.champions.get(name) == record.run_id:
            return Deployed(name, version, CHAMPION)
        return Deployed(name, version, self.states.get((name, version), WAS))


def found(store: Store, home: Path) -> Serving:
    """Read what serves from the deployments' folders and the registry."""
    folder = home / ".mlrunner" / "deployments"
    states: dict[tuple[str, int], str] = {}
    runs: dict[str, tuple[str, int]] = {}
    local: set[str] = set()
    if folder.exists():  # or the import, a third of a second, is for nothing
        from mlrunner.groups.deployer.state import ledgers

        for ledger in ledgers(folder):
            state = ledger.state()
            if state is None:
                continue
            local.add(ledger.name)
            for word, server in ((READY, state.ready), (SERVING, state.serves)):
                if server is not None:
                    states[ledger.name, server.version] = word
            made = ledger.made()
            runs |= {
                made[version]: (name, version) for name, version in states if name == ledger.name and version in made
            }
    return Serving(states, runs, store.champions(), local)

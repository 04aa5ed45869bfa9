"""Find which runs serve, or have served."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mlrunner.tracking.records import Record, Store
from mlrunner.tracking.records.record import DEPLOYED_VERSION_TAG, DEPLOYMENT_TAG

SERVING, READY, CHAMPION, WAS = "serving", "ready", "champion", "was"


@dataclass(frozen=True)
class DeploymentStatus:
    """The status of a run in a deployment.

    Args:
        name: Name of the deployment.
        version: Version of the model.
        state: `serving`; `ready` for a rollback; `champion` in a registry without a server; `was` deployed before.
    """

    name: str
    version: int
    state: str

    def __str__(self) -> str:
        version = f"{self.name} v{self.version}"
        return f"was {version}" if self.state == WAS else f"{version} {self.state}"


@dataclass(frozen=True)
class Deployments:
    """All deployments.

    Args:
        states: `serving` or `ready` by deployment and version.
        runs: Deployment and version by id of their run.
        champions: Id of the run by model, from the registry.
        local: Names of the deployments of this home.
    """

    states: dict[tuple[str, int], str]
    runs: dict[str, tuple[str, int]]
    champions: dict[str, str]
    local: set[str]

    def of(self, record: Record) -> DeploymentStatus | None:
        """Return the status of a run; None if it was never deployed."""
        tags = record.tags.get(DEPLOYMENT_TAG), record.tags.get(DEPLOYED_VERSION_TAG, "")
        name, version = self.runs.get(record.run_id, (tags[0], int(tags[1]) if tags[1].isdigit() else 0))
        if name is None:
            return None
        if name not in self.local and self.champions.get(name) == record.run_id:
            return DeploymentStatus(name, version, CHAMPION)
        return DeploymentStatus(name, version, self.states.get((name, version), WAS))


def find_deployments(store: Store, home: Path) -> Deployments:
    """Read the deployments from their folders and the registry."""
    folder = home / ".mlrunner" / "deployments"
    states: dict[tuple[str, int], str] = {}
    runs: dict[str, tuple[str, int]] = {}
    local: set[str] = set()
    if folder.exists():  # saves the import, a third of a second
        from mlrunner.groups.deployer.state import list_deployments

        for deployment_store in list_deployments(folder):
            state = deployment_store.read_state()
            if state is None:
                continue
            local.add(deployment_store.name)
            for state_name, server in ((READY, state.ready), (SERVING, state.active)):
                if server is not None:
                    states[deployment_store.name, server.version] = state_name
            run_ids = deployment_store.read_run_ids()
            runs |= {
                run_ids[version]: (name, version)
                for name, version in states
                if name == deployment_store.name and version in run_ids
            }
    return Deployments(states, runs, store.find_champions(), local)

"""Find the runs that must stay: deployed now or just before, or named by an alias of the registry."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from mlrunner.tracking.records import Fields, Store
from mlrunner.tracking.records.record import DEPLOYED_VERSION_TAG, DEPLOYMENT_TAG

if TYPE_CHECKING:
    from mlrunner.groups.deployer.state import DeploymentStore

RECENT = "was recently deployed as"
DEPLOYED_EVENTS = ("deployed", "registered", "rolled back")  # after which another version is deployed


def protected(store: Store, home: Path) -> dict[str, str]:
    """Find the runs that must stay, and the reason for each."""
    deployments = _list_deployments(home / ".mlrunner" / "deployments")
    recent = _of_other_machines(store, {deployment.name for deployment in deployments})
    serving: dict[str, str] = {}
    for deployment in deployments:
        state, runs = deployment.read_state(), _runs(deployment)
        versions = _versions(deployment) if state is None else state.versions
        recent |= {
            runs[version]: f"{RECENT} {deployment.name} v{version}" for version in versions[-2:] if version in runs
        }
        servers = {} if state is None else {"is kept ready as": state.ready, "serves as": state.active}
        for reason, server in servers.items():
            if server is not None and server.version in runs:
                serving[runs[server.version]] = f"{reason} {deployment.name} v{server.version}"
    aliases = {
        run_id: f"is {alias} of {name} v{version}" for name, alias, version, run_id in store.read_aliases()[::-1]
    }
    return recent | aliases | serving


def list_kept_versions(home: Path) -> set[tuple[str, int]]:
    """List the deployments and versions that serve, are kept ready, or were the last two to serve."""
    kept: set[tuple[str, int]] = set()
    for deployment in _list_deployments(home / ".mlrunner" / "deployments"):
        state = deployment.read_state()
        versions = _versions(deployment) if state is None else state.versions
        servers = [] if state is None else state.servers
        kept.update((deployment.name, version) for version in [*versions[-2:], *(each.version for each in servers)])
    return kept


def _list_deployments(folder: Path) -> list[DeploymentStore]:
    if not folder.exists():  # saves the import, a quarter of a second
        return []
    from mlrunner.groups.deployer.state import list_deployments

    return list_deployments(folder)


def _of_other_machines(store: Store, local: set[str]) -> dict[str, str]:
    """Find the last two versions of each deployment of another machine, whose state is not in the store."""
    versions: dict[str, list[tuple[int, str]]] = defaultdict(list)
    fields = Fields(tags=(DEPLOYMENT_TAG, DEPLOYED_VERSION_TAG))
    for run in store.search(f"tags.`{DEPLOYED_VERSION_TAG}` IS NOT NULL", fields=fields):
        name, version = run.tags.get(DEPLOYMENT_TAG, ""), run.tags[DEPLOYED_VERSION_TAG]
        if name not in local and version.isdecimal():
            versions[name].append((int(version), run.run_id))
    last = {name: sorted(pairs)[-2:] for name, pairs in versions.items()}
    return {run_id: f"{RECENT} {name} v{version}" for name, pairs in last.items() for version, run_id in pairs}


def _versions(deployment: DeploymentStore) -> list[int]:
    """List the versions of a deployment in the registry, which has no state; the one that was deployed last is last."""
    events = [event for event in deployment.read_history() if event["event"] in DEPLOYED_EVENTS]
    versions = [int(event["version"]) for event in reversed(events) if event.get("version")]
    return list(dict.fromkeys(versions))[::-1]


def _runs(deployment: DeploymentStore) -> dict[int, str]:
    """Find the run of each version, from the history and the releases."""
    runs = deployment.read_run_ids()
    for folder in deployment.folder.glob("releases/[0-9]*"):
        with suppress(OSError, ValueError, KeyError):  # a release that was not completed
            runs[int(folder.name)] = str(deployment.get_release(int(folder.name)).facts["run_id"])
    return runs

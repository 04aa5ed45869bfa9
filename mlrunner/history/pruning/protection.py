"""Find the runs that must stay: deployed now or just before, or named by an alias of the registry."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from mlrunner.tracking.records import Fields, Store
from mlrunner.tracking.records.record import DEPLOYED_VERSION_TAG, DEPLOYMENT_TAG

if TYPE_CHECKING:
    from mlrunner.groups.deployer.state import DeploymentStore

RECENT = "was recently deployed as"
DEPLOYED_EVENTS = ("deployed", "registered", "rolled back")  # after which another version is deployed


def protected(store: Store, home: Path) -> dict[str, str]:
    """Find the runs that must stay, and the reason for each.

    Args:
        store: Store of the runs.
        home: Folder that holds `.mlrunner/`.
    """
    deployments = _list_deployments(home / ".mlrunner" / "deployments")
    recent = {
        run_id: f"{RECENT} {version}" for deployment in deployments for version, run_id in _last_versions(deployment)
    }
    aliases = {
        run_id: f"is {alias} of {name} v{version}" for name, alias, version, run_id in reversed(store.read_aliases())
    }
    serving = {run_id: reason for deployment in deployments for reason, run_id in _servers(deployment)}
    return recent | _of_other_machines(store, {deployment.name for deployment in deployments}) | aliases | serving


def _list_deployments(folder: Path) -> list[DeploymentStore]:
    if not folder.exists():  # saves the import, a quarter of a second
        return []
    from mlrunner.groups.deployer.state import list_deployments

    return list_deployments(folder)


def _of_other_machines(store: Store, local: set[str]) -> dict[str, str]:
    """Find the last two versions of each deployment of another machine, whose state is not in the store."""
    versions: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for run in store.search(
        f"tags.`{DEPLOYED_VERSION_TAG}` IS NOT NULL", fields=Fields(tags=(DEPLOYMENT_TAG, DEPLOYED_VERSION_TAG))
    ):
        name, version = run.tags.get(DEPLOYMENT_TAG, ""), run.tags[DEPLOYED_VERSION_TAG]
        if name not in local and version.isdecimal():
            versions[name].append((int(version), run.run_id))
    last = {name: sorted(pairs)[-2:] for name, pairs in versions.items()}
    return {run_id: f"{RECENT} {name} v{version}" for name, pairs in last.items() for version, run_id in pairs}


def _last_versions(deployment: DeploymentStore) -> list[tuple[str, str]]:
    """List the two versions that were deployed last, each with its run."""
    state, runs = deployment.read_state(), _runs(deployment)
    if state is None:  # a deployment in the registry has no server, and so no state
        events = [
            event for event in deployment.read_history() if event["event"] in DEPLOYED_EVENTS and event.get("version")
        ]
        versions = list(dict.fromkeys(int(event["version"]) for event in reversed(events)))[::-1]
    else:
        versions = state.versions
    return [(f"{deployment.name} v{version}", runs[version]) for version in versions[-2:] if version in runs]


def _servers(deployment: DeploymentStore) -> list[tuple[str, str]]:
    """List the runs that serve or are kept ready for a rollback, each with the reason."""
    state, runs = deployment.read_state(), _runs(deployment)
    servers = {} if state is None else {"is kept ready as": state.ready, "serves as": state.active}
    return [
        (f"{reason} {deployment.name} v{server.version}", runs[server.version])
        for reason, server in servers.items()
        if server is not None and server.version in runs
    ]


def _runs(deployment: DeploymentStore) -> dict[int, str]:
    """Find the run of each version, from the history and the releases."""
    runs = deployment.read_run_ids()
    for folder in deployment.folder.glob("releases/[0-9]*"):
        try:
            runs[int(folder.name)] = str(deployment.get_release(int(folder.name)).facts["run_id"])
        except (OSError, ValueError, KeyError):  # a release that was not completed
            continue
    return runs

"""What must not go: what is deployed, what was deployed before it, and what the registry's aliases name."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from mlrunner.history.listing.deployments import NAME, VERSION
from mlrunner.tracking.records import Only, Store, sqlite_store

if TYPE_CHECKING:
    from mlrunner.groups.deployer.state import Ledger

ALIASES = (
    "SELECT a.name, a.alias, v.version, v.run_id FROM registered_model_aliases a JOIN model_versions v "
    "ON v.name = a.name AND v.version = a.version ORDER BY a.alias"
)
BEFORE = "was deployed lately as"
MADE = ("deployed", "registered", "rolled back")  # events after which another version is the deployed one


def protected(store: Store, home: Path) -> dict[str, str]:
    """Find the runs that must stay, each with the reason.

    Args:
        store: Where runs are recorded.
        home: The folder that holds `.mlrunner/`.
    """
    known = _ledgers(home / ".mlrunner" / "deployments")
    before = {run_id: f"{BEFORE} {told}" for ledger in known for told, run_id in _line(ledger)}
    named = {run_id: f"is {alias} of {name} v{version}" for name, alias, version, run_id in aliases(store)}
    serving = {run_id: told for ledger in known for told, run_id in _servers(ledger)}
    return before | _elsewhere(store, {ledger.name for ledger in known}) | named | serving


def _ledgers(folder: Path) -> list[Ledger]:
    if not folder.exists():  # or the import, a quarter of a second, is for nothing
        return []
    from mlrunner.groups.deployer.state import ledgers

    return ledgers(folder)


def _elsewhere(store: Store, known: set[str]) -> dict[str, str]:
    """Find the two versions of each deployment of another machine that were deployed last: its state is there."""
    versions: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for one in store.search(f"tags.`{VERSION}` IS NOT NULL", only=Only(tags=(NAME, VERSION))):
        name, version = one.tags.get(NAME, ""), one.tags[VERSION]
        if name not in known and version.isdecimal():
            versions[name].append((int(version), one.run_id))
    return {
        run_id: f"{BEFORE} {name} v{version}"
        for name, made in versions.items()
        for version, run_id in sorted(made)[-2:]
    }


def aliases(store: Store) -> list[tuple[str, str, int, str]]:
    """Read every alias of the registry, with the model's name, the version and its run."""
    if isinstance(store, sqlite_store.SqliteStore):
        if not store.file.exists():
            return []
        with sqlite_store.connected(store.file) as connection:
            return [
                (str(name), str(alias), int(number), str(run))
                for name, alias, number, run in connection.execute(ALIASES)
            ]
    return _asked()


def _asked() -> list[tuple[str, str, int, str]]:
    from mlflow import MlflowClient

    from mlrunner.tracking.records.mlflow_store import registered

    client = MlflowClient()
    found = []
    for model in registered(client):
        for alias, number in sorted(model.aliases.items()):
            version = client.get_model_version(model.name, str(number))
            found.append((str(model.name), str(alias), int(number), str(version.run_id)))
    return found


def _line(ledger: Ledger) -> list[tuple[str, str]]:
    """Name the two versions that were deployed last."""
    state = ledger.state()
    if state is None:  # of the registry, which nothing serves from here
        told = [int(event["version"]) for event in ledger.history() if event["event"] in MADE and event.get("version")]
        line = list(dict.fromkeys(reversed(told)))[::-1]  # each where it was deployed last
    else:
        line = state.line
    runs = _runs(ledger)
    return [(f"{ledger.name} v{version}", runs[version]) for version in line[-2:] if version in runs]


def _servers(ledger: Ledger) -> list[tuple[str, str]]:
    """Tell what serves and what is kept ready for a rollback."""
    state, runs = ledger.state(), _runs(ledger)
    told = {} if state is None else {"is kept ready as": state.ready, "serves as": state.serves}
    return [
        (f"{word} {ledger.name} v{server.version}", runs[server.version])
        for word, server in told.items()
        if server is not None and server.version in runs
    ]


def _runs(ledger: Ledger) -> dict[int, str]:
    """Find the run that each version was made of: by the history, and by what was released."""
    found = ledger.made()
    for folder in ledger.folder.glob("releases/[0-9]*"):
        try:
            found[int(folder.name)] = str(ledger.release(int(folder.name)).facts["run_id"])
        except (OSError, ValueError, KeyError):  # a release that was never completed
            continue
    return found

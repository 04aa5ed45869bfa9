"""What must not go: what is deployed, what was deployed before it, and what the registry's aliases name."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from mlrunner.history.listing.deployments import NAME, VERSION
from mlrunner.tracking.records import Only, Store

if TYPE_CHECKING:
    from mlrunner.groups.deployer.state import Ledger

BEFORE = "was deployed lately as"
MADE = ("deployed", "registered", "rolled back")  # events after which another version is the deployed one


def protected(store: Store, home: Path) -> dict[str, str]:
    """Find the runs that must stay, each with the reason.

    Args:
        store: Where runs are recorded.
        home: The folder that holds `.mlrunner/`.
    """
    known = _ledgers(home / ".mlrunner" / "deployments")
    before = {run_id: f"{BEFORE} {place}" for ledger in known for place, run_id in _line(ledger)}
    named = {run_id: f"is {alias} of {name} v{version}" for name, alias, version, run_id in reversed(store.aliases())}
    serving = {run_id: reason for ledger in known for reason, run_id in _servers(ledger)}
    return before | _elsewhere(store, {ledger.name for ledger in known}) | named | serving


def _ledgers(folder: Path) -> list[Ledger]:
    if not folder.exists():  # saves the import, a quarter of a second
        return []
    from mlrunner.groups.deployer.state import ledgers

    return ledgers(folder)


def _elsewhere(store: Store, known: set[str]) -> dict[str, str]:
    """Find the last two versions of each deployment of another machine, which keeps its state to itself."""
    versions: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for run in store.search(f"tags.`{VERSION}` IS NOT NULL", only=Only(tags=(NAME, VERSION))):
        name, version = run.tags.get(NAME, ""), run.tags[VERSION]
        if name not in known and version.isdecimal():
            versions[name].append((int(version), run.run_id))
    lately = {name: sorted(made)[-2:] for name, made in versions.items()}
    return {run_id: f"{BEFORE} {name} v{version}" for name, made in lately.items() for version, run_id in made}


def _line(ledger: Ledger) -> list[tuple[str, str]]:
    """List the two versions that were deployed last."""
    state, runs = ledger.state(), _runs(ledger)
    if state is None:  # of the registry, which serves nothing from here
        made = [int(event["version"]) for event in ledger.history() if event["event"] in MADE and event.get("version")]
        line = list(dict.fromkeys(reversed(made)))[::-1]  # each where it was deployed last
    else:
        line = state.line
    return [(f"{ledger.name} v{version}", runs[version]) for version in line[-2:] if version in runs]


def _servers(ledger: Ledger) -> list[tuple[str, str]]:
    """List what serves and what is kept ready for a rollback."""
    state, runs = ledger.state(), _runs(ledger)
    servers = {} if state is None else {"is kept ready as": state.ready, "serves as": state.serves}
    return [
        (f"{word} {ledger.name} v{server.version}", runs[server.version])
        for word, server in servers.items()
        if server is not None and server.version in runs
    ]


def _runs(ledger: Ledger) -> dict[int, str]:
    """Find the run of each version: by the history, and by the releases."""
    runs = ledger.made()
    for folder in ledger.folder.glob("releases/[0-9]*"):
        try:
            runs[int(folder.name)] = str(ledger.release(int(folder.name)).facts["run_id"])
        except (OSError, ValueError, KeyError):  # a release that was never completed
            continue
    return runs

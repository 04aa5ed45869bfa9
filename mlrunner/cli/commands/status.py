"""`mlrunner status`: show the address, version, run and health of each deployment."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict

from rich.text import Text

from mlrunner.cli.commands.deploy import deployments_folder
from mlrunner.cli.commands.parser import Parser
from mlrunner.core.errors import MlrunnerError
from mlrunner.core.formatting import format_number
from mlrunner.core.terminal import console, show_line
from mlrunner.groups.deployer import deployment_status, recovery, state
from mlrunner.groups.deployer.state import DeploymentStore

STYLES = {deployment_status.SERVING: "bold green", deployment_status.DOWN: "bold red"}


def main(arguments: list[str]) -> int:
    """Print the status of deployments.

    Returns:
        1 when a deployment is down, else 0.
    """
    parser = Parser("status", "Show the address, version, run and health of each deployment.")
    parser.add_argument("name", nargs="?", help="deployment; all deployments by default")
    parser.add_flags(json="print one JSON document")
    parsed = parser.parse_args(arguments)
    folder = deployments_folder()
    stores = state.list_deployments(folder) if parsed.name is None else [state.find_deployment(folder, parsed.name)]
    for store in filter(recovery.is_needed, stores):
        _recover(store)
    statuses = [deployment_status.read_status(store) for store in stores]
    if parsed.json:
        print(json.dumps([asdict(status) for status in statuses]))
    elif not statuses:
        console().print("Nothing is deployed yet; deploy a run with mlrunner deploy RUN.")
    else:
        for status in statuses:
            _show(status)
    return int(any(status.health == deployment_status.DOWN for status in statuses))


def _recover(store: DeploymentStore) -> None:
    """Finish or undo a change whose command was killed; a command that changes the deployment now is left alone."""
    from mlrunner.cli.commands import stack

    with suppress(MlrunnerError), DeploymentStore(store.folder, lock_timeout=0).lock():
        stack.activate([])
        recovery.recover(store)


def _show(status: deployment_status.Status) -> None:
    console().print(Text.assemble((status.name, "bold"), "  ", (status.health, STYLES.get(status.health, "dim"))))
    for label, text in _lines(status).items():
        if text is not None:
            show_line(label, (str(text), "red" if label == "problem" else ""))


def _lines(status: deployment_status.Status) -> dict[str, str | None]:
    """Return the text of each line by its label; None for a line without a text."""
    facts = status.facts or {}
    metric = facts.get("metric")
    score = facts.get("metrics", {}).get(f"test/{metric}")
    requests = status.requests or {}
    failed = sum(count for code, count in requests.items() if code >= "5")
    return {
        "problem": status.problem,
        "address": None if status.url is None else f"{status.url}/invocations",
        "version": None if status.version is None else _version(status),
        "model": None if not facts else f"{facts.get('model')}, {facts.get('task')} of {facts.get('target')}",
        "score": None if score is None else f"test {metric} {format_number(score)}",
        "gate": facts.get("gate"),
        "run": None if not facts else f"{facts.get('run_name')} ({str(facts.get('run_id'))[:8]})",
        "config": None if "folder" not in facts else f"{facts['folder']}/.hydra/config.yaml",
        "requests": None if status.requests is None else f"{sum(requests.values()):,}, {failed:,} of them failed",
    }


def _version(status: deployment_status.Status) -> str:
    since = "" if status.since is None else f", since {status.since}"
    ready = "" if status.ready is None else f"; version {status.ready} is ready for a rollback"
    return f"{status.version}{since}{ready}"

"""`mlrunner history`: list the events of a deployment."""

from __future__ import annotations

import json

from mlrunner.cli.commands.deploy import deployments_folder
from mlrunner.cli.commands.parser import Parser
from mlrunner.core.table import text_table
from mlrunner.core.terminal import console
from mlrunner.groups.deployer import state

STYLES = {"deployed": "green", "refused": "yellow", "failed": "red"}


def main(arguments: list[str]) -> int:
    """Print the events of a deployment, oldest first."""
    parser = Parser("history", "List what was deployed, refused, rolled back and stopped, and why.")
    parser.add_argument("name", nargs="?", help="deployment; optional when there is only one")
    parser.add_flags(json="print one JSON document")
    parsed = parser.parse_args(arguments)
    events = state.find_deployment(deployments_folder(), parsed.name).read_history()
    if parsed.json:
        print(json.dumps(events))
        return 0
    words, rows = ("when", "event", "run", "reason"), []
    for event in events:
        version, run = str(event.get("version") or ""), str(event.get("run_id") or "")[:8]
        cells = (event["at"], event["event"], version, run, event.get("reason") or "")
        rows.append((cells, STYLES.get(event["event"], "")))
    console().print(text_table(("when", "event", "version", "run", "reason"), rows, words))
    return 0

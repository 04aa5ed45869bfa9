"""`mlrunner history`: list the events of a deployment."""

from __future__ import annotations

import json

from rich.table import Table

from mlrunner.cli.commands.deploy import deployments_folder
from mlrunner.cli.commands.parser import Parser
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
    table = Table(box=None, pad_edge=False, padding=(0, 2))
    for name in ("when", "event", "version", "run", "reason"):
        table.add_column(name, justify="right" if name == "version" else "left")
    for event in events:
        run = str(event.get("run_id") or "")[:8]
        cells = (event["at"], event["event"], event.get("version"), run, event.get("reason"))
        table.add_row(*("" if cell is None else str(cell) for cell in cells), style=STYLES.get(event["event"], ""))
    console().print(table)
    return 0

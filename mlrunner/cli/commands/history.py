"""`mlrunner history`: every decision about a deployment."""

from __future__ import annotations

import json

from rich.table import Table

from mlrunner.cli.commands.deploy import deployments_folder
from mlrunner.cli.commands.parser import Parser
from mlrunner.core.terminal import console
from mlrunner.groups.deployer import state

STYLES = {"deployed": "green", "refused": "yellow", "failed": "red"}


def main(arguments: list[str]) -> int:
    """Print the history of a deployment, oldest first."""
    parser = Parser(
        prog="mlrunner history", description="Tell what was deployed, refused, rolled back and stopped, and why."
    )
    parser.add_argument("name", nargs="?", help="of the deployment, when there are several")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parsed = parser.parse_args(arguments)
    found = state.find(deployments_folder(), parsed.name).history()
    if parsed.json:
        print(json.dumps(found))
        return 0
    table = Table(box=None, pad_edge=False, padding=(0, 2))
    for name in ("when", "event", "version", "run", "reason"):
        table.add_column(name, justify="right" if name == "version" else "left")
    for line in found:
        cells = (line["at"], line["event"], line.get("version"), str(line.get("run_id") or "")[:8], line.get("reason"))
        table.add_row(*("" if cell is None else str(cell) for cell in cells), style=STYLES.get(line["event"], ""))
    console().print(table)
    return 0

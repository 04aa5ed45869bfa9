"""`mlrunner rollback`: let the version serve that served before."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from mlrunner.cli.commands import stack
from mlrunner.cli.commands.deploy import deployments_folder
from mlrunner.cli.commands.parser import Parser
from mlrunner.core.terminal import show_hand_over
from mlrunner.groups.deployer import operations, state


def main(arguments: list[str]) -> int:
    """Go back by one version, or by several."""
    parser = Parser(prog="mlrunner rollback", description="Let an earlier version serve again.")
    parser.add_argument("steps", nargs="?", type=_steps, default=1, help="how many versions back (1)")
    parser.add_argument("--name", help="of the deployment, when there are several")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("overrides", nargs="*", help="of the stack, like stack=mlflow_server")
    parsed = parser.parse_args(arguments)
    found = state.find(deployments_folder(), parsed.name)
    stack.activate(parsed.overrides)
    deployment = operations.rollback(found, parsed.steps)
    told = asdict(deployment)
    if parsed.json:
        print(json.dumps(told))
    else:
        show_hand_over(None, told)
    return 0


def _steps(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is no number of versions; write 1 or more")
    return int(text)

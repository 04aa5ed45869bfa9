"""`mlrunner rollback`: serve an earlier version of a model again."""

from __future__ import annotations

import json
from dataclasses import asdict

from mlrunner.cli.commands import stack
from mlrunner.cli.commands.deploy import deployments_folder
from mlrunner.cli.commands.parser import Parser, count
from mlrunner.core.terminal import show_deployment
from mlrunner.groups.deployer import operations, state


def main(arguments: list[str]) -> int:
    """Roll a deployment back to an earlier version."""
    parser = Parser(prog="mlrunner rollback", description="Serve an earlier version of a model again.")
    parser.add_argument(
        "steps", nargs="?", type=count("versions", 1), default=1, help="number of versions to go back (1)"
    )
    parser.add_argument("--name", help="deployment; optional when there is only one")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("overrides", nargs="*", help="overrides of the stack, such as stack=mlflow_server")
    parsed = parser.parse_args(arguments)
    store = state.find_deployment(deployments_folder(), parsed.name)
    stack.activate(parsed.overrides)
    deployment = asdict(operations.rollback(store, parsed.steps))
    if parsed.json:
        print(json.dumps(deployment))
    else:
        show_deployment(None, deployment)
    return 0

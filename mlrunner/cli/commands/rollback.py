"""`mlrunner rollback`: serve an earlier version of a model again."""

from __future__ import annotations

from dataclasses import asdict

from mlrunner.cli.commands import stack
from mlrunner.cli.commands.deploy import deployments_folder, print_deployment
from mlrunner.cli.commands.parser import Parser, count
from mlrunner.groups.deployer import operations, state


def main(arguments: list[str]) -> int:
    """Roll a deployment back to an earlier version."""
    parser, versions = Parser("rollback", "Serve an earlier version of a model again."), count("versions", 1)
    parser.add_argument("steps", nargs="?", type=versions, default=1, help="number of versions to go back (1)")
    parser.add_argument("--name", help="deployment; optional when there is only one")
    parser.add_flags(json="print one JSON document")
    parser.add_argument("overrides", nargs="*", help="overrides of the stack, such as stack=mlflow_server")
    parsed = parser.parse_args(arguments)
    store = state.find_deployment(deployments_folder(), parsed.name)
    stack.activate(parsed.overrides)
    return print_deployment(asdict(operations.rollback(store, parsed.steps)), parsed.json)

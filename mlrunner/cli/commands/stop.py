"""`mlrunner stop`: end a deployment's servers and free its port."""

from __future__ import annotations

from mlrunner.cli.commands import stack
from mlrunner.cli.commands.deploy import deployments_folder
from mlrunner.cli.commands.parser import Parser
from mlrunner.core.terminal import console
from mlrunner.groups.deployer import operations
from mlrunner.groups.deployer import state as ledger


def main(arguments: list[str]) -> int:
    """Stop a deployment; one that is stopped already is fine."""
    parser = Parser(
        prog="mlrunner stop", description="End a deployment's servers and free its port; its history stays."
    )
    parser.add_argument("name", nargs="?", help="of the deployment, when there are several")
    parser.add_argument("overrides", nargs="*", help="of the stack, like stack=mlflow_server")
    parsed = parser.parse_args(arguments)
    found = ledger.find(deployments_folder(), parsed.name)
    state = found.state()
    if state is not None and state.servers:  # or there is nothing that ZenML would know of
        stack.activate(parsed.overrides)
    told = "stopped" if operations.stop(found) else "was not running"
    console().print(f"{found.name} {told}; mlrunner deploy --restart {found.name} brings it back.")
    return 0

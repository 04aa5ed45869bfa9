"""`mlrunner stop`: stop the servers of a deployment."""

from __future__ import annotations

from mlrunner.cli.commands import stack
from mlrunner.cli.commands.deploy import deployments_folder
from mlrunner.cli.commands.parser import Parser
from mlrunner.core.terminal import console
from mlrunner.groups.deployer import operations
from mlrunner.groups.deployer.state import find_deployment


def main(arguments: list[str]) -> int:
    """Stop a deployment; stopping a stopped one succeeds."""
    parser = Parser("stop", "Stop the servers of a deployment and free its port; its history stays.")
    parser.add_argument("name", nargs="?", help="deployment; optional when there is only one")
    parser.add_argument("overrides", nargs="*", help="overrides of the stack, such as stack=mlflow_server")
    parsed = parser.parse_args(arguments)
    deployment = find_deployment(deployments_folder(), parsed.name)
    state = deployment.read_state()
    if state is not None and (state.servers or state.unwanted):  # ZenML knows of a server only
        stack.activate(parsed.overrides)
    result = "stopped" if operations.stop(deployment) else "was not running"
    console().print(f"{deployment.name} {result}; mlrunner deploy --restart {deployment.name} starts it again.")
    return 0

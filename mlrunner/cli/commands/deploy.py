"""`mlrunner deploy`: judge a saved model and deploy it if the gate opens, or restart a deployment."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlrunner.cli.commands.parser import TRUST_HELP, Parser
from mlrunner.core import environment
from mlrunner.core.errors import ConfigError
from mlrunner.core.terminal import console, show_deployment, show_line

if TYPE_CHECKING:
    from mlrunner.execution.deploy_run import DeploymentResult

GATE_CLOSED = 3  # exit code
OVERRIDE = re.compile(
    r"[+~]{0,2}(gate|deployer|stack)([.@][\w.@]*)?="
)  # the name of a run may hold `=`, such as model=ridge


def main(arguments: list[str]) -> int:
    """Deploy a run, or restart a deployment.

    Returns:
        0 when the model was deployed, 3 when the gate is closed.

    Raises:
        ConfigError: When no run is named.
    """
    parser = Parser(
        "deploy",
        "Judge a saved model on its test rows, and deploy it if the gate opens.",
        "example: mlrunner deploy best gate=threshold gate.threshold=0.4 deployer=docker",
    )
    overrides = "overrides of gate, deployer and stack; default: the run's gate, today's deployer"
    restart = "restart the servers of a deployment instead"
    parser.add_argument("run", nargs="?", help="run (id, name or folder), sweep (DAY/TIME), latest or best")
    parser.add_argument("overrides", nargs="*", help=overrides)
    parser.add_argument("--restart", metavar="NAME", nargs="?", const="", help=restart)
    parser.add_flags(trust=TRUST_HELP, json="print one JSON document")
    parsed = parser.parse_intermixed_args(arguments)
    if parsed.restart is not None:
        return _restart(parsed.restart, [text for text in (parsed.run, *parsed.overrides) if text], parsed.json)
    if parsed.run is None or OVERRIDE.match(parsed.run):
        raise ConfigError("mlrunner deploy needs a run: its id, name or folder, a sweep's DAY/TIME, latest or best.")
    return _deploy(parsed.run, parsed.overrides, parsed.json, parsed.trust)


def _deploy(run: str, overrides: list[str], as_json: bool, trust: bool) -> int:
    from mlrunner.execution import deploy_run
    from mlrunner.steps.progress import DEPLOYMENT_STEPS, print_steps

    with print_steps(None if as_json else DEPLOYMENT_STEPS):
        result = deploy_run.deploy(run, overrides, trust)
    print(json.dumps(asdict(result))) if as_json else _show(result)
    return 0 if result.open else GATE_CLOSED


def _show(result: DeploymentResult) -> None:
    console().print()
    show_line("run", f"{result.name} ({result.run_id[:8]})")
    if result.note is not None:
        show_line("note", (result.note, "yellow"))
    deployment = {**asdict(result), "name": result.deployment} if result.deployment else None
    show_deployment({"open": result.open, "reason": result.reason}, deployment)
    if deployment is not None:
        show_line("next", ("mlrunner status, mlrunner rollback, mlrunner history, mlrunner stop", "dim"))


def _restart(name: str, overrides: list[str], as_json: bool) -> int:
    from mlrunner.cli.commands import stack
    from mlrunner.groups.deployer import operations, state

    store = state.find_deployment(deployments_folder(), name or None)
    stack.activate(overrides)
    return print_deployment(asdict(operations.restart(store)), as_json)


def print_deployment(deployment: dict[str, Any], as_json: bool) -> int:
    """Print a deployment that serves again, and return the exit code 0."""
    print(json.dumps(deployment)) if as_json else show_deployment(None, deployment)
    return 0


def deployments_folder() -> Path:
    """Return the folder of all deployments."""
    return environment.home() / ".mlrunner" / "deployments"

"""`mlrunner deploy`: judge a saved model, and let it serve if the gate opens; or mend what serves."""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict
from pathlib import Path

from mlrunner.cli.commands.parser import Parser
from mlrunner.core.errors import ConfigError
from mlrunner.core.terminal import console, show_hand_over

REFUSED = 3  # the exit code when the gate stays closed
OVERRIDE = re.compile(r"[+~]{0,2}(gate|deployer|stack)([.@][\w.@]*)?=")  # a run may be called model=ridge


def main(arguments: list[str]) -> int:
    """Deploy a run, a sweep's winner or the best run, or restart a deployment.

    Returns:
        0 when it serves, 3 when the gate refused.
    """
    parser = Parser(
        prog="mlrunner deploy",
        description="Judge a saved model on its test rows, and let it serve if the gate opens.",
        epilog="example: mlrunner deploy best gate=threshold gate.threshold=0.4 deployer=docker",
    )
    parser.add_argument("run", nargs="?", help="a run (id, name, folder), a sweep (DAY/TIME), latest or best")
    parser.add_argument("overrides", nargs="*", help="of gate, deployer and stack; what is not given is as in the run")
    parser.add_argument("--restart", metavar="NAME", nargs="?", const="", help="bring a deployment back to life")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parsed = parser.parse_intermixed_args(arguments)
    if parsed.restart is not None:
        return _restart(parsed.restart, [text for text in (parsed.run, *parsed.overrides) if text], parsed.json)
    if parsed.run is None or OVERRIDE.match(parsed.run):
        raise ConfigError("mlrunner deploy needs a run: its id, name or folder, a sweep's DAY/TIME, latest or best.")
    return _deploy(parsed.run, parsed.overrides, parsed.json)


def _deploy(run: str, overrides: list[str], as_json: bool) -> int:
    from mlrunner.execution import deploy_run
    from mlrunner.steps.progress import DEPLOYMENT_STEPS, PROGRESS

    if not as_json:
        PROGRESS.begin(DEPLOYMENT_STEPS)
    found = deploy_run.deploy(run, overrides)
    if as_json:
        print(json.dumps(asdict(found)))
    else:
        _show(found)
    return 0 if found.open else REFUSED


def _show(found: object) -> None:
    told = asdict(found)  # type: ignore[call-overload]
    out = console()
    out.print(f"\n  run       {told['name']} ({told['run_id'][:8]})")
    if told["note"] is not None:
        out.print(f"  note      {told['note']}", style="yellow")
    deployment = {**told, "name": told["deployment"]} if told["deployment"] else None
    show_hand_over({"open": told["open"], "reason": told["reason"]}, deployment)
    if told["deployment"] is not None:
        out.print("  next      mlrunner status, mlrunner rollback, mlrunner history, mlrunner stop", style="dim")


def _restart(name: str, overrides: list[str], as_json: bool) -> int:
    from mlrunner.cli.commands import stack
    from mlrunner.groups.deployer import operations, state

    found = state.find(deployments_folder(), name or None)
    stack.activate(overrides)
    deployment = operations.restart(found)
    told = asdict(deployment)
    if as_json:
        print(json.dumps(told))
    else:
        show_hand_over(None, told)
    return 0


def deployments_folder() -> Path:
    """The folder of all deployments."""
    return Path(os.environ["MLRUNNER_HOME"]) / ".mlrunner" / "deployments"

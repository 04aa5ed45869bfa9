"""`mlrunner warm`: keep a process that has imported everything, so that commands start at once."""

from __future__ import annotations

import argparse
import time
from datetime import datetime

from mlrunner.cli.commands.parser import Parser
from mlrunner.cli.warm import client, state
from mlrunner.core import environment
from mlrunner.core.errors import MlrunnerError
from mlrunner.core.terminal import console

START_SECONDS = 300  # on a busy machine; a process that cannot listen ends at once


def main(arguments: list[str]) -> int:
    """Start, stop or describe the warm process of this user, interpreter and code.

    Returns:
        0; 1 for `status` when no warm process runs.
    """
    parser = Parser(
        "warm",
        "Keep a process that has imported everything: commands with the same environment variables, packages and code "
        "run in a fork of it. Others start cold.",
    )
    parser.add_argument("action", choices=["start", "stop", "status"])
    parser.add_argument(
        "--idle", type=minutes, default=client.IDLE_MINUTES, metavar="MINUTES", help="end after this time without use"
    )
    parsed = parser.parse_args(arguments)
    answer = client.ask("stop" if parsed.action == "stop" else "status")
    if parsed.action == "start" and answer is None:
        start(parsed.idle)
        answer = client.ask("status")
    console().print(describe(parsed.action, answer))
    return int(parsed.action == "status" and answer is None)


def minutes(text: str) -> float:
    """Read a positive number of minutes."""
    try:
        number = float(text)
    except ValueError:
        number = 0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of minutes above 0")
    return number


def start(idle_minutes: float) -> None:
    """Start the warm process and wait until it listens.

    Raises:
        MlrunnerError: When it ends or does not listen in time.
    """
    process = client.start_process(environment.variables(), idle_minutes)
    deadline = time.monotonic() + START_SECONDS
    while client.ask("status") is None:
        if process.poll() is not None or time.monotonic() > deadline:
            raise MlrunnerError(
                f"the warm process did not start; {state.socket_file().parent} must be a folder that belongs to "
                "you alone (chmod 700)."
            )
        time.sleep(0.1)


def describe(action: str, answer: dict[str, object] | None) -> str:
    """Describe the warm process after an action.

    Args:
        action: `start`, `stop` or `status`.
        answer: Answer of the process; None when it does not run.
    """
    if action == "stop":
        return "there was no warm process." if answer is None else "stopped; running commands go on."
    if answer is None:
        return "no warm process; mlrunner warm start starts one."
    since = datetime.fromtimestamp(float(str(answer["since"])))
    return f"warm since {since:%H:%M}, process {answer['server']}, commands so far: {answer['commands']}."

"""Hop 1: a verb, or Hydra; what comes of it is an exit code.

Nothing heavy is imported before a run begins: `--help`, `--cfg job` and shell completion answer at once.
"""

from __future__ import annotations

import gc
import os
import sys

from mlrunner import __version__
from mlrunner.cli import commands, completion
from mlrunner.cli.hydra_app import compose_and_run
from mlrunner.core import process
from mlrunner.core.environment import prepare_environment
from mlrunner.core.errors import ConfigError, nearest
from mlrunner.core.process import ignore_broken_pipe


def main() -> int:
    """Run what the command line says.

    Returns:
        0 for success, 1 for a failure, 2 for a mistake in the input, 128 and the signal's number when interrupted.
    """
    arguments = sys.argv[1:]
    verbose = bool({"-v", "--verbose"} & set(arguments)) or os.environ.get("HYDRA_FULL_ERROR") == "1"
    arguments = [text for text in arguments if text not in ("-v", "--verbose")]
    prepare_environment(verbose)
    ignore_broken_pipe()
    process.install_signal_handlers()
    gc.disable()  # imports make millions of objects and no garbage: a fifth of their time
    try:
        return dispatch(arguments)
    except (KeyboardInterrupt, Exception) as error:
        code = process.interruption_code(error)
        begun = _close_sweep("FAILED" if code is None else "KILLED")
        if code is not None:
            hint = f"; go on with mlrunner resume {begun}" if begun else ""
            print(f"mlrunner: interrupted; what was finished is kept{hint}.", file=sys.stderr)
            return code
        if verbose:
            raise
        from mlrunner.cli import error_report

        return error_report.report_error(error)
    finally:
        gc.freeze()  # or the interpreter would look through all of them once more on its way out


def _close_sweep(status: str) -> str | None:
    """Close what a grid has opened, and tell what resumes the sweep that was under way; None where none was."""
    if "mlrunner.search" not in sys.modules:
        return None
    from mlrunner.execution.grid import SweepCallback, close_open

    close_open(status)
    return SweepCallback.begun


def dispatch(arguments: list[str]) -> int:
    """Call a verb, or hand the command line to Hydra untouched."""
    if completion.is_request(arguments):
        return completion.print_candidates(arguments)
    first = arguments[0] if arguments else ""
    if first == "--version":
        print(f"mlrunner {__version__}")
        return 0
    if first in commands.VERBS:
        return commands.load(first)(arguments[1:])
    if first.isidentifier():
        verbs = ", ".join(commands.VERBS)
        raise ConfigError(
            f"'{first}' is not a verb; the verbs are {verbs}, and a choice is written GROUP=OPTION."
            f"{nearest(first, commands.VERBS)}"
        )
    return compose_and_run(arguments)


if __name__ == "__main__":
    # Under its own name, so that another process (joblib's) can import what it is sent.
    from mlrunner.__main__ import main as entry

    sys.exit(entry())

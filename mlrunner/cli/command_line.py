"""The command line: run a verb, or compose and run an experiment with Hydra.

Nothing heavy is imported before a run starts: `--help`, `--cfg job` and shell completion answer at once.
"""

from __future__ import annotations

import gc
import sys
import traceback

from mlrunner.cli import commands, completion, versions
from mlrunner.cli.hydra_app import compose_and_run
from mlrunner.cli.warm import client
from mlrunner.core import environment, forking, interruption, process
from mlrunner.core.environment import has_full_errors, home, is_verbose, prepare_environment
from mlrunner.core.errors import ConfigError, nearest
from mlrunner.core.exit_signals import exit_on_signals
from mlrunner.core.formatting import remove_controls
from mlrunner.core.process import ignore_broken_pipe
from mlrunner.core.relocation import follow_move

VERBOSE = ("-v", "--verbose")


def main() -> int:
    """Run the command line, in a fork of the warm process where there is one.

    Returns:
        The exit code of `run`.
    """
    arguments, variables = sys.argv[1:], environment.variables()
    code = client.run_warm(arguments)
    if code is not None:
        return code
    try:
        return run()
    finally:
        client.start_on_request(arguments, variables)


def run() -> int:
    """Run the command line in this process.

    Returns:
        0 for success, 1 for a failure, 2 for a mistake in the input, 128 + N for an interruption by signal N.
    """
    arguments = [text for text in sys.argv[1:] if text not in VERBOSE]
    wants_detail = len(arguments) < len(sys.argv) - 1 or has_full_errors()
    forking.mark_command()
    ignore_broken_pipe()
    gc.disable()  # imports make millions of objects and no garbage: a fifth of their time
    try:
        interruption.install_signal_handlers()
        prepare_environment(wants_detail)
        return dispatch(arguments)
    except (KeyboardInterrupt, Exception) as error:
        exit_on_signals()  # a second Ctrl-C
        code = interruption.interruption_code(error)
        if code is not None:
            hints = "".join(f"; {note}" for note in getattr(error, "__notes__", ()))
            print(f"mlrunner: interrupted{hints}.", file=sys.stderr)
            process.exit_without_threads(code)
            return code
        if wants_detail:
            print(remove_controls("".join(traceback.format_exception(error))), end="", file=sys.stderr)
        code = report(error, arguments)
        process.exit_without_threads(code)
        return code
    finally:
        exit_on_signals()
        gc.freeze()  # or the interpreter would look through all objects once more when it exits


def report(error: BaseException, arguments: list[str]) -> int:
    """Print an error as a sentence, also where mlrunner's packages are missing.

    Args:
        error: What went wrong.
        arguments: Arguments of the command line, without `-v`.

    Returns:
        The exit code.
    """
    try:
        from mlrunner.cli import error_report
    except ModuleNotFoundError as missing:
        print(
            f"mlrunner: the package {missing.name} is not installed for {sys.executable}; use the environment of "
            "`make run` (source .venv/bin/activate), or pip install -e . in this one.",
            file=sys.stderr,
        )
        return 1
    return error_report.report_error(error, arguments)


def dispatch(arguments: list[str]) -> int:
    """Call a verb, or let Hydra compose the command line.

    Args:
        arguments: Arguments of the command line, without `-v`.

    Returns:
        The exit code.

    Raises:
        ConfigError: When the first word is neither a verb nor an override.
    """
    if completion.is_request(arguments):
        return completion.print_candidates(arguments)
    follow_move(home())
    first = arguments[0] if arguments else ""
    if first == "--version":
        print(versions.describe(is_verbose()))
        return 0
    if first in commands.VERBS:
        return commands.load(first)(arguments[1:])
    if first.isidentifier():
        verbs = ", ".join(commands.VERBS)
        raise ConfigError(
            f"'{first}' is not a verb; the verbs are {verbs}. An override is written GROUP=OPTION or KEY=VALUE."
            f"{nearest(first, commands.VERBS)}"
        )
    return compose_and_run(arguments)

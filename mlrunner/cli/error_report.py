"""Turn an exception into what the person reads and the exit code."""

from __future__ import annotations

from mlrunner.composition.error_translation import translate
from mlrunner.core import terminal
from mlrunner.core.errors import MlrunnerError


def report_error(error: BaseException) -> int:
    """Print an exception as one sentence.

    Returns:
        2 for what the person can mend in the input, 1 for the rest.
    """
    known = translate(error)
    if known is not None:
        terminal.show_problems(known)
        return known.exit_code
    told = str(error).strip().splitlines() or [""]
    terminal.show_problems(MlrunnerError(f"{type(error).__name__}: {told[0]} (-v shows where)"))
    return 1

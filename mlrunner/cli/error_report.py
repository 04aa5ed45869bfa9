"""Turn an exception into a sentence on stderr and an exit code."""

from __future__ import annotations

from collections.abc import Sequence

from mlrunner.composition.error_translation import translate
from mlrunner.core import environment, terminal
from mlrunner.core.errors import MlrunnerError, StoreError, first_line
from mlrunner.tracking import outage


def report_error(error: BaseException, arguments: Sequence[str]) -> int:
    """Print an exception as one sentence.

    Args:
        error: Exception to report.
        arguments: Arguments of the command line, among which a wrong override is looked for.

    Returns:
        2 for a mistake in the input, 1 for any other exception.
    """
    translated = StoreError(outage.explain()) if outage.is_outage(error) else translate(error, arguments)
    if translated is not None:
        terminal.show_problems(translated)
        return translated.exit_code
    hint = "" if environment.is_verbose() else " (-v shows where)"
    terminal.show_problems(MlrunnerError(f"{type(error).__name__}: {first_line(error)}{hint}"))
    return 1

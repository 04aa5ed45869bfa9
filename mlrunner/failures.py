"""Turn an exception into what the person reads and the exit code."""

from __future__ import annotations

import errno
import sys

from mlrunner import terminal
from mlrunner.errors import ConfigError, MlrunnerError, ProblemsError, StoreError


def report(error: Exception) -> int:
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


def translate(error: Exception) -> MlrunnerError | None:
    """Say in our words what Hydra, OmegaConf or the disk said in theirs; None for what is not input."""
    if isinstance(error, MlrunnerError):
        return error
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return StoreError(f"No disk space left while writing {error.filename or 'a store'}; free some and run again.")
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    if isinstance(error, HydraException | OmegaConfBaseException):
        return _refused(error)
    return None


def _refused(error: Exception) -> MlrunnerError:
    """Look at each override by itself; where none is wrong alone, Hydra's own words have to do."""
    from mlrunner.composition.diagnosis import diagnose

    found = diagnose([text for text in sys.argv[1:] if not text.startswith("-")])
    return ProblemsError(found) if found else ConfigError(" ".join(str(error).split()))

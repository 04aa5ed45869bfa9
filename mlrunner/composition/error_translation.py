"""TODO."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path

from mlrunner.composition.keys import VERBS
from mlrunner.core.errors import ConfigError, MlrunnerError, ProblemsError, StoreError
from mlrunner.core.overrides import parted

UNWRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.ENOENT)


def translate(error: BaseException, words: Sequence[str]) -> MlrunnerError | None:
    """Say in our words what Hydra, OmegaConf or the disk said in theirs; None for what is not input.

    Args:
        error: What was raised.
        words: Arguments of the command line, among which a wrong override is looked for.
    """
    if isinstance(error, MlrunnerError):
        return error
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    if isinstance(error, HydraException | OmegaConfBaseException) or "Config group override" in str(error):
        return _refused(error, words)
    return _unwritten(error)


def _unwritten(error: BaseException) -> StoreError | None:
    """Explain a full disk, and a home that cannot be written; other files are not ours to explain."""
    code, file = getattr(error, "errno", None), getattr(error, "filename", None)
    home = os.environ["MLRUNNER_HOME"]
    if code in (errno.ENOSPC, errno.EDQUOT) or "disk is full" in str(error):
        return StoreError(
            f"No disk space left while writing {file or 'the output or a store'} (MLRUNNER_HOME is {home}); free some, "
            "or set "
            "MLRUNNER_HOME to a folder on another disk."
        )
    if code in UNWRITABLE and file is not None and (Path(str(file)).is_relative_to(home) or str(file) in home):
        why = os.strerror(code)
        return StoreError(f"Cannot write {file} ({why}); set MLRUNNER_HOME to a folder that you may write.")
    return None


def _refused(error: BaseException, words: Sequence[str]) -> MlrunnerError:
    """Look at each override by itself; where none is wrong alone, Hydra's own words have to do."""
    from mlrunner.composition.diagnosis import diagnose

    multirun = bool({"-m", "--multirun"} & set(words))
    typed = parted(words)[1]
    if typed and typed[0] in VERBS:  # whose other words are no overrides
        typed = [text for text in typed if "=" in text]
    found = diagnose(typed, multirun)
    return ProblemsError(found) if found else ConfigError(" ".join(str(error).split()))

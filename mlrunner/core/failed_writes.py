"""Explain a file that cannot be written, in one sentence."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from mlrunner.core import environment
from mlrunner.core.errors import ConfigError, MlrunnerError, StoreError

UNWRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.ENOENT)
FULL = ("disk is full", os.strerror(errno.ENOSPC))  # in messages of SQLite, and of MLflow about its copies


def explain_failed_write(error: BaseException) -> MlrunnerError | None:
    """Explain a full disk, a long name, and a folder of ours that cannot be written; None for other errors."""
    code, file = getattr(error, "errno", None), getattr(error, "filename", None)
    if code == errno.ENAMETOOLONG and "multirun" in str(file):
        return ConfigError(
            "hydra.sweep.subdir (or hydra.run.dir) gives a name that is too long for a folder; shorten it, for example "
            "'hydra.sweep.subdir=${hydra.job.num}'."
        )
    home = str(environment.home())
    if code in UNWRITABLE and file is not None and (Path(str(file)).is_relative_to(home) or str(file) in home):
        why = os.strerror(code)
        return StoreError(f"Cannot write {file} ({why}); set MLRUNNER_HOME to a folder that you may write.")
    return explain_full_disk(error)


def explain_full_disk(error: BaseException) -> StoreError | None:
    """Explain a full disk; None for other errors."""
    if getattr(error, "errno", None) not in (errno.ENOSPC, errno.EDQUOT) and not any(
        text in str(error) for text in FULL
    ):
        return None
    file = getattr(error, "filename", None)
    return StoreError(
        f"No disk space left while writing {file or 'the output or a store'} (MLRUNNER_HOME is {environment.home()}); "
        "free some, or set MLRUNNER_HOME to a folder on another disk."
    )

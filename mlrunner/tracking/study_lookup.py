"""The study of a search: where it is kept, and whether somebody works at it. Optuna is imported where it is opened."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlrunner.core.errors import MlrunnerError
from mlrunner.tracking.records import FOLDER, STUDY, Record, journal_of, read_yaml

if TYPE_CHECKING:
    from optuna import Study
    from optuna.storages import BaseStorage


UNREADABLE = (ValueError, OSError, MlrunnerError)  # what a storage that is broken or out of reach raises


def stored(record: Record, home: Path, name: str) -> BaseStorage | None:
    """Open where the study of a search is kept; None where that is gone, for to open it would make it anew.

    Args:
        record: The parent.
        home: The folder that holds `.mlrunner/`.
        name: Of the study.

    Raises:
        MlrunnerError: When it does not open.
    """
    import optuna

    from mlrunner.tracking import studies

    told = storage(record)
    file = _file(told, journal_of(home, name), studies.JOURNALS)
    if file is not None and not file.exists():
        return None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return studies.open_storage(told, home, name)


def _file(told: Any, journal: Path, suffixes: tuple[str, ...]) -> Path | None:
    """Name the file of a storage; None for what is none."""
    if told is None:
        return journal
    if not isinstance(told, str):
        return None
    scheme, found, rest = told.partition(":///")
    if found:
        return Path(rest.partition("?")[0]) if scheme.startswith("sqlite") else None
    return Path(told) if told.endswith(suffixes) else None


def loaded(record: Record, home: Path) -> Study | None:
    """Load the study of a search; None where it has none, or it is not there any more.

    One in a storage of a class is None as well: the store may be somebody else's, and to look runs no code of theirs.
    """
    if isinstance(storage(record), dict):
        return None
    try:
        return _load(record, home)
    except UNREADABLE:
        return None


def _load(record: Record, home: Path) -> Study | None:
    name = record.tags.get(STUDY)
    if name is None or not record.is_sweep:
        return None
    import optuna

    found = stored(record, home, name)
    try:
        return None if found is None else optuna.load_study(study_name=name, storage=found)
    except KeyError:  # it is not in there
        return None


def is_searched(record: Record, home: Path) -> bool:
    """Tell whether a process works at a search, by the signs of life that each leaves in the study.

    Where that cannot be read one may.
    """
    if STUDY in record.tags and isinstance(storage(record), dict):
        return True
    try:
        study = _load(record, home)
    except UNREADABLE:
        return True
    if study is None:
        return False
    from mlrunner.tracking.studies import SESSION, alive

    return any(alive(told) for name, told in study.user_attrs.items() if name.startswith(f"{SESSION}:"))


MULTIRUN = "multirun.yaml"


def storage(record: Record) -> Any:
    """Read from a sweep's folder where its study is; None for the journal of this home."""
    folder = record.tags.get(FOLDER)
    file = None if not folder else Path(folder) / MULTIRUN
    found = read_yaml(file.read_text()) if file is not None and file.is_file() else None
    hydra = ((found or {}).get("hydra") or {}) if isinstance(found, dict) else {}
    return _from(str((hydra.get("runtime") or {}).get("cwd", "")), (hydra.get("sweeper") or {}).get("storage"))


def _from(cwd: str, told: Any) -> Any:
    """Name a storage that is a file by its whole path: it was named where the search began."""
    if not isinstance(told, str):
        return told
    scheme, found, file = told.rpartition(":///")
    is_file = not scheme or scheme.startswith("sqlite")
    return f"{scheme}{found}{Path(cwd, file)}" if is_file and "://" not in file else told

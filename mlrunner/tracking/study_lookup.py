"""The study of a search: where it is kept, and whether somebody works at it. Optuna is imported where it is opened."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlrunner.core.errors import MlrunnerError
from mlrunner.tracking.records import FOLDER, STUDY, Record, journal_of, read_yaml

if TYPE_CHECKING:
    from optuna import Study
    from optuna.storages import BaseStorage

MULTIRUN = "multirun.yaml"
UNREADABLE = (ValueError, OSError, MlrunnerError)  # what a storage that is broken or out of reach raises


def journal(record: Record, home: Path, name: str) -> Path | None:
    """Find the journal of a study for which no other storage was named."""
    file = journal_of(home, name)
    return file if file.is_file() and storage(record) is None else None


def storage(record: Record) -> Any:
    """Read from a sweep's folder where its study is; None for the journal of this home."""
    folder = record.tags.get(FOLDER)
    file = Path(folder) / MULTIRUN if folder else None
    found = read_yaml(file.read_text()) if file is not None and file.is_file() else None
    hydra = (found.get("hydra") or {}) if isinstance(found, dict) else {}
    named = (hydra.get("sweeper") or {}).get("storage")
    return _absolute(named, str((hydra.get("runtime") or {}).get("cwd", ""))) if isinstance(named, str) else named


def _absolute(url: str, cwd: str) -> str:
    """Complete the path of a storage that is a file: it was named where the search began."""
    scheme, slashes, file = url.rpartition(":///")
    is_file = (not scheme or scheme.startswith("sqlite")) and "://" not in file
    return f"{scheme}{slashes}{Path(cwd, file)}" if is_file else url


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

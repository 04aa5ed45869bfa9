"""Find the study of a search from its sweep's record. Optuna is imported only where a storage is opened."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlrunner.core.errors import MlrunnerError
from mlrunner.core.safe_yaml import read_yaml
from mlrunner.tracking.records import FOLDER_TAG, STUDY_TAG, Record, journal_path

if TYPE_CHECKING:
    from optuna import Study
    from optuna.storages import BaseStorage

MULTIRUN = "multirun.yaml"
UNREADABLE = (ValueError, OSError, MlrunnerError)  # errors of a storage that is broken or out of reach


def find_default_journal(record: Record, home: Path, name: str) -> Path | None:
    """Return the journal of a study whose search set no storage; None if there is no such file."""
    file = journal_path(home, name)
    return file if file.is_file() and read_storage_setting(record, home) is None else None


def read_storage_setting(record: Record, home: Path) -> Any:
    """Read `hydra.sweeper.storage` of a sweep from its folder in this home; None for the default journal."""
    folder = record.own_folder(home)
    file = None if folder is None else folder / MULTIRUN
    config = read_yaml(file.read_text()) if file is not None and file.is_file() else None
    hydra = (config.get("hydra") or {}) if isinstance(config, dict) else {}
    address = (hydra.get("sweeper") or {}).get("storage")
    cwd = str((hydra.get("runtime") or {}).get("cwd", ""))
    return _resolve_path(address, cwd) if isinstance(address, str) else address


def _resolve_path(address: str, cwd: str) -> str:
    """Make the path of a storage file absolute; it is relative to the folder where the search began."""
    scheme, slashes, file = address.rpartition(":///")
    is_file = (not scheme or scheme.startswith("sqlite")) and "://" not in file
    return f"{scheme}{slashes}{Path(cwd, file)}" if is_file else address


def open_existing_storage(record: Record, home: Path, name: str) -> BaseStorage | None:
    """Open the storage of a search's study; None if its file is missing, since opening would create it.

    Raises:
        MlrunnerError: If the storage does not open.
    """
    return _open_existing(read_storage_setting(record, home), home, name)


def _open_existing(address: Any, home: Path, name: str) -> BaseStorage | None:
    import optuna

    from mlrunner.tracking import studies

    file = _storage_file(address, journal_path(home, name), studies.JOURNAL_SUFFIXES)
    if file is not None and not file.exists():
        return None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return studies.open_storage(address, home, name)


def _storage_file(address: Any, journal: Path, suffixes: tuple[str, ...]) -> Path | None:
    """Return the file of a storage; None for a database server or a class."""
    if address is None:
        return journal
    if not isinstance(address, str):
        return None
    scheme, slashes, rest = address.partition(":///")
    if slashes:
        return Path(rest.partition("?")[0]) if scheme.startswith("sqlite") else None
    return Path(address) if address.endswith(suffixes) else None


def load_study(record: Record, home: Path) -> Study | None:
    """Load the study of a search; None if it does not exist or cannot be read.

    A storage that is a `_target_` is not opened: the run may come from another person, and reading must not run
    code of theirs.
    """
    if isinstance(read_storage_setting(record, home), dict):
        return None
    try:
        return _load_study(record, home)
    except UNREADABLE:
        return None


def _load_study(record: Record, home: Path) -> Study | None:
    name = record.tags.get(STUDY_TAG)
    if name is None or not record.is_sweep:
        return None
    return load_study_at(read_storage_setting(record, home), home, name)


def load_study_at(address: Any, home: Path, name: str) -> Study | None:
    """Load a study from the address of its storage; None if it does not exist. A missing file is not made.

    Args:
        address: `hydra.sweeper.storage`; None for the study's own journal.
        home: Folder that holds `.mlrunner/`.
        name: Name of the study.

    Raises:
        MlrunnerError: If the storage does not open.
    """
    import optuna

    storage = _open_existing(address, home, name)
    try:
        return None if storage is None else optuna.load_study(study_name=name, storage=storage)
    except KeyError:  # the storage exists, but holds no such study
        return None


def delete_study(record: Record, name: str, home: Path) -> None:
    """Delete a study with its journal, or from its storage if both exist."""
    journal = find_default_journal(record, home, name)
    if journal is not None:
        journal.unlink(missing_ok=True)
        journal.with_name(f"{journal.name}.lock").unlink(missing_ok=True)
        return
    import optuna

    storage = open_existing_storage(record, home, name)
    if storage is not None:
        with suppress(KeyError):  # it was deleted before
            optuna.delete_study(study_name=name, storage=storage)


def is_search_running(record: Record, home: Path) -> bool:
    """Check by its study whether a process works on a search; True if it cannot be read.

    A session of another machine that was not closed counts as working for a day: its clock may be wrong.
    """
    folder = record.tags.get(FOLDER_TAG, "")
    is_elsewhere = record.own_folder(home) is None and Path(folder or "/nonexistent").is_dir()
    if STUDY_TAG in record.tags and (is_elsewhere or isinstance(read_storage_setting(record, home), dict)):
        return True
    try:
        study = _load_study(record, home)
    except UNREADABLE:
        return True
    if study is None:
        return False
    from mlrunner.tracking import studies

    return bool(studies.list_live_sessions(study.user_attrs))

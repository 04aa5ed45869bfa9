"""The folder of a search that another machine began: the study names it as there, and each path below it moves."""

from __future__ import annotations

import copy
from collections.abc import Container
from pathlib import Path
from typing import Any

from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState

from mlrunner.search.trial_attributes import FOLDER
from mlrunner.tracking.patient_storage import PatientStorage
from mlrunner.tracking.storage_delegate import StorageDelegate


def relocate(storage: BaseStorage, name: str, home: Path) -> BaseStorage:
    """Return a storage by which a study names folders of this machine.

    Args:
        storage: Storage of the study.
        name: Name of the study, which may not exist yet.
        home: Folder that holds `multirun/`.

    Returns:
        The storage itself where the study is new or in a file, or its folder is on this machine too.
    """
    if not isinstance(storage, PatientStorage):  # only a server has studies of other machines
        return storage
    try:
        attributes = storage.get_study_user_attrs(storage.get_study_id_from_name(name))
    except KeyError:
        return storage
    stored = attributes.get(FOLDER)
    if stored is None or Path(stored).is_dir():
        return storage
    return RelocatedStorage(storage, Path(stored), find_place(stored, home))


def find_place(stored: str, home: Path) -> Path:
    """Return the folder of a sweep of another machine below `multirun/` of this home, by its DAY/TIME."""
    names = [part for part in Path(stored).parts if part not in ("/", "..")]
    return home.joinpath("multirun", *names[-2:])


class RelocatedStorage(StorageDelegate):
    """Reads and writes paths below one folder as paths below another.

    Args:
        storage: Storage of a study.
        stored: Folder that the study names.
        here: The same folder on this machine.
    """

    def __init__(self, storage: BaseStorage, stored: Path, here: Path) -> None:
        super().__init__(storage)
        self._stored, self._here = stored, here
        self._finished: dict[tuple[int, int], FrozenTrial] = {}

    def get_study_user_attrs(self, study_id: int) -> dict[str, Any]:
        """Return the attributes of a study, with its folder on this machine."""
        return _move(self.storage.get_study_user_attrs(study_id), self._stored, self._here)

    def get_all_trials(
        self, study_id: int, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        """Return the trials of a study, with their folders on this machine."""
        trials = self.storage.get_all_trials(study_id, deepcopy=False, states=states)
        moved = [self._move_trial(study_id, trial) for trial in trials]
        return copy.deepcopy(moved) if deepcopy else moved

    def _move_trial(self, study_id: int, trial: FrozenTrial) -> FrozenTrial:
        key = (study_id, trial.number)
        if key in self._finished:
            return self._finished[key]
        moved = copy.copy(trial)
        moved.user_attrs = _move(trial.user_attrs, self._stored, self._here)
        if trial.state.is_finished():  # then it does not change
            self._finished[key] = moved
        return moved

    def get_trial(self, trial_id: int) -> FrozenTrial:
        """Return a trial, with its folder on this machine."""
        trial = self.storage.get_trial(trial_id)
        trial.user_attrs = _move(trial.user_attrs, self._stored, self._here)
        return trial

    def set_trial_user_attr(self, trial_id: int, key: str, value: Any) -> None:
        """Set an attribute of a trial; a folder is stored as the study names it."""
        stored = _move({key: value}, self._here, self._stored)[key]
        self.storage.set_trial_user_attr(trial_id, key, stored)


def _move(attributes: dict[str, Any], before: Path, after: Path) -> dict[str, Any]:
    """Return attributes whose folder lies below another one."""
    folder = attributes.get(FOLDER)
    if folder is None or not Path(folder).is_relative_to(before):
        return attributes
    return {**attributes, FOLDER: str(after / Path(folder).relative_to(before))}

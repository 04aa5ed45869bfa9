"""A study of another machine names folders of this one."""

from __future__ import annotations

from pathlib import Path

import optuna
import pytest
from optuna.storages import InMemoryStorage

from mlrunner.search.relocated_storage import RelocatedStorage, find_place, relocate
from mlrunner.search.trial_attributes import FOLDER
from mlrunner.tracking.patient_storage import PatientStorage

STORED = "/gone/multirun/2026-12-01/09-30-00-123456"


@pytest.fixture
def storage() -> PatientStorage:
    """The storage of a study with two trials: one has finished on the other machine, and one is running."""
    storage = PatientStorage(InMemoryStorage(), "server")
    study = optuna.create_study(study_name="mine", storage=storage)
    study.set_user_attr(FOLDER, STORED)
    for number in range(2):
        study.ask().set_user_attr(FOLDER, f"{STORED}/{number}")
    study.tell(0, 1.0)
    return storage


def list_folders(storage: object) -> list[str]:
    study = optuna.load_study(study_name="mine", storage=storage)  # type: ignore[arg-type]
    folders = [study.user_attrs[FOLDER], *(trial.user_attrs[FOLDER] for trial in study.get_trials(deepcopy=False))]
    assert [trial.user_attrs[FOLDER] for trial in study.get_trials()] == folders[1:]
    return folders


def test_folders_are_those_of_this_home_and_the_study_keeps_its_own(storage: PatientStorage, tmp_path: Path) -> None:
    here = tmp_path / "multirun" / "2026-12-01" / "09-30-00-123456"
    moved = relocate(storage, "mine", tmp_path)
    assert list_folders(moved) == [str(here), f"{here}/0", f"{here}/1"]
    trial = optuna.load_study(study_name="mine", storage=moved).ask()
    trial.set_user_attr(FOLDER, f"{here}/2")
    trial.set_user_attr("seen", str(here))
    assert trial.user_attrs == {FOLDER: f"{here}/2", "seen": str(here)}
    assert list_folders(storage) == [STORED, f"{STORED}/0", f"{STORED}/1", f"{STORED}/2"]


def test_a_running_trial_is_read_anew(storage: PatientStorage, tmp_path: Path) -> None:
    study = optuna.load_study(study_name="mine", storage=relocate(storage, "mine", tmp_path))
    assert [trial.state.name for trial in study.get_trials()] == ["COMPLETE", "RUNNING"]
    study.tell(1, 2.0)
    assert [trial.value for trial in study.get_trials()] == [1.0, 2.0]


def test_paths_elsewhere_stay(storage: PatientStorage) -> None:
    assert list_folders(RelocatedStorage(storage, Path("/gone/multi"), Path("/here")))[0] == STORED


def test_a_folder_that_is_here_or_a_file_or_a_new_study_stays(storage: PatientStorage, tmp_path: Path) -> None:
    assert relocate(storage, "new", tmp_path) is storage
    assert relocate(storage.storage, "mine", tmp_path) is storage.storage
    study = optuna.create_study(study_name="bare", storage=storage)
    assert relocate(storage, "bare", tmp_path) is storage
    study.set_user_attr(FOLDER, str(tmp_path))
    assert relocate(storage, "bare", tmp_path / "home") is storage


@pytest.mark.parametrize(
    ("stored", "place"),
    [(STORED, "2026-12-01/09-30-00-123456"), ("/x", "x"), ("/a/../../b", "a/b"), ("..", ""), ("", "")],
)
def test_a_store_names_no_place_outside_of_the_home(stored: str, place: str) -> None:
    assert find_place(stored, Path("/home")) == Path("/home/multirun") / place

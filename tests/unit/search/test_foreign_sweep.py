"""The command and the study of a search that another machine began."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import optuna
import pytest
import yaml
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from mlrunner.cli.hydra_app import register_sweeper
from mlrunner.core.errors import ConfigError, ProblemsError
from mlrunner.search.foreign_sweep import check_study, find_folder, read_hydra
from mlrunner.tracking.records import FOLDER_TAG, STUDY_TAG, SWEEP_TAG, Record

DAY = "2026-12-01/09-30-00-123456"


def make_record(folder: Path, *task: str, hydra: tuple[str, ...] = (), **tags: str) -> Record:
    """Return the parent run of a search, with the overrides in its artifact."""
    folder.mkdir(exist_ok=True)
    document = {
        "hydra": {"overrides": {"hydra": list(hydra), "task": list(task)}, "sweeper": {"_target_": "os.system"}}
    }
    (folder / "multirun.yaml").write_text(yaml.safe_dump(document))
    tags = {SWEEP_TAG: DAY, STUDY_TAG: "mine", FOLDER_TAG: f"/gone/multirun/{DAY}", **tags}
    return Record("a" * 32, "name", "KILLED", 0, 1, "mlrunner", str(folder), {}, {}, tags)


def test_the_command_of_a_search_is_read_without_what_belongs_to_a_machine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    hydra = ("hydra.mode=MULTIRUN", "hydra.sweeper.study_name=mine", "hydra.sweep.dir=/x", "hydra.sweeper.n_trials=4")
    record = make_record(tmp_path, "model=rf", "executor=dask", hydra=hydra)
    assert read_hydra(record) == {
        "overrides": {"hydra": [], "task": ["hydra.sweeper.n_trials=4", "model=rf"]},
        "sweeper": {"_target_": "hydra_plugins.mlrunner_sweeper.sweeper.OptunaSweeper", "study_name": "mine"},
        "runtime": {"config_sources": []},
        "job": {"config_name": None},
    }
    note = "left out, since it comes from the store; type it again if you want it: executor=dask\n"
    assert capsys.readouterr().err == note
    assert find_folder(record, tmp_path) == tmp_path / "multirun" / DAY


def test_what_the_user_types_is_not_taken_from_the_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = make_record(tmp_path, "+model.estimator._target_=os.system", "stack=team", "seed=1")
    typed = ["model.estimator._target_=mine.Model", "stack=mlflow_server"]
    assert read_hydra(record, typed)["overrides"]["task"] == ["seed=1"]
    assert capsys.readouterr().err == ""


def test_a_command_that_a_stranger_wrote_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProblemsError) as caught:
        read_hydra(make_record(tmp_path, "model.estimator._target_=os.system"))
    assert caught.value.problems[1] == (
        f"{DAY} cannot be resumed by its name; type its command with its hydra.sweeper.study_name."
    )


@pytest.mark.parametrize("text", [None, "[]", "hydra: {}", "hydra: {overrides: 1}", "x: 1"])
def test_a_run_without_a_command_is_refused(text: str | None, tmp_path: Path) -> None:
    record = make_record(tmp_path, "model=rf")
    (tmp_path / "multirun.yaml").unlink() if text is None else (tmp_path / "multirun.yaml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_hydra(record)
    assert str(caught.value) == (
        f"{DAY} began on another machine, and its run holds no command of a search; resume it there, or type its "
        "command."
    )


def test_a_grid_of_hydra_is_resumed_where_it_began(tmp_path: Path) -> None:
    record = make_record(tmp_path, "model=rf,ridge")
    del record.tags[STUDY_TAG]
    with pytest.raises(ConfigError, match="holds no command of a search"):
        read_hydra(record)


@pytest.mark.parametrize("storage", ["null", "sqlite:///{home}/other.db", "{home}/other.journal"])
def test_a_study_in_a_file_elsewhere_is_a_sentence(storage: str, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("MLRUNNER_HOME", str(tmp_path))
    register_sweeper()
    words = ["sweep=optuna", f"hydra.sweeper.storage='{storage.format(home=tmp_path)}'".replace("'null'", "null")]
    with pytest.raises(ConfigError) as caught:
        check_study(make_record(tmp_path / "run"), words, tmp_path)
    assert str(caught.value) == (
        f"The study of {DAY} cannot be read here: it is in a file of the machine where it began, or in another "
        "database; resume it there, or give its database as hydra.sweeper.storage=URL."
    )
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_study_that_is_here_is_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLRUNNER_HOME", str(tmp_path))
    register_sweeper()
    file = tmp_path / "shared.journal"
    optuna.create_study(study_name="mine", storage=JournalStorage(JournalFileBackend(str(file))))
    check_study(make_record(tmp_path / "run"), ["sweep=optuna", f"hydra.sweeper.storage={file}"], tmp_path)

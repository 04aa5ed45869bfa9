"""Files of the project come before ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlrunner.core import conf_files
from mlrunner.core.project import CONF


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("model/rf.yaml", "dataset/churn.yaml"):
        (tmp_path / "conf" / name).parent.mkdir(parents=True)
        (tmp_path / "conf" / name).touch()
    monkeypatch.setenv("MLRUNNER_PROJECT", str(tmp_path))
    return tmp_path


def test_a_file_of_the_project_replaces_ours_and_a_new_one_adds_an_option(project: Path) -> None:
    assert conf_files.list_folders() == (project / "conf", CONF)
    assert conf_files.find_file("model/rf") == project / "conf" / "model" / "rf.yaml"
    assert conf_files.find_file("model/xgboost") == CONF / "model" / "xgboost.yaml"
    assert conf_files.find_file("model/absent") is None
    models = sorted(file.stem for file in (CONF / "model").glob("*.yaml"))
    assert conf_files.list_options("model") == models
    assert {"churn", "olist"} <= set(conf_files.list_options("dataset"))


def test_groups_are_folders_of_either(project: Path) -> None:
    (project / "conf" / "mine").mkdir()
    assert conf_files.is_group("mine")
    assert conf_files.is_group("hydra/job_logging")
    assert not conf_files.is_group("seed")

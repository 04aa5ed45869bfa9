"""The launch of a job, as Hydra records it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from omegaconf import open_dict, read_write

from mlrunner.core.project import CONF
from mlrunner.execution.launch import read_launch, remove_refused_folder, shares_recorder


@pytest.fixture
def job(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """Set Hydra's configuration as in job 2 of a grid."""
    monkeypatch.setenv("MLRUNNER_HOME", str(tmp_path))
    with initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = compose("mlrunner", ["model=rf", "seed=${oc.env:X,3}"], return_hydra_config=True)
    with open_dict(cfg):
        cfg.hydra.runtime.output_dir = str(tmp_path)
        cfg.hydra.sweep.dir = str(tmp_path / "day/time")
        cfg.hydra.mode, cfg.hydra.job.num = "MULTIRUN", 2
    HydraConfig.instance().set_config(cfg)
    yield tmp_path
    HydraConfig.instance().cfg = None


def test_a_job_of_a_grid_has_a_number_and_the_shared_overrides(job: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLRUNNER_SHARED_OVERRIDES", '["model=rf"]')
    monkeypatch.setenv("MLRUNNER_PARENT_RUN", "parent")
    launch = read_launch()
    assert (launch.folder, launch.job, launch.parent, launch.shared) == (job, 2, "parent", ("model=rf",))
    assert launch.sweep == job / "day/time"  # and not the folder above that of the job, which may be nested
    assert launch.overrides == ["model=rf", "seed=${oc.env:X,3}"]  # unresolved
    assert launch.choices["model"] == "rf"
    assert not any(group.startswith("hydra/") for group in launch.choices)


@pytest.mark.usefixtures("job")
def test_jobs_of_the_basic_launcher_share_the_recorder() -> None:
    assert shares_recorder()
    with read_write(HydraConfig.get()):
        HydraConfig.get().launcher._target_ = "hydra_plugins.hydra_joblib_launcher.joblib_launcher.JoblibLauncher"
    assert not shares_recorder()


def test_without_hydra_nothing_is_shared() -> None:
    assert not shares_recorder()


def write_hydra(folder: Path) -> Path:
    (folder / ".hydra").mkdir(parents=True)
    for name in ("config", "hydra", "overrides"):
        (folder / ".hydra" / f"{name}.yaml").write_text("x: 1\n")
    return folder


def test_a_refused_command_leaves_no_folder_but_what_others_have_put_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused, other, current = (write_hydra(tmp_path / name) for name in ("refused", "other", "current"))
    (other / "notes.txt").write_text("mine")
    monkeypatch.chdir(current)
    assert [remove_refused_folder(folder) for folder in (refused, other, current, tmp_path)] == [True, *[False] * 3]
    assert not refused.exists()
    assert (other / ".hydra" / "config.yaml").exists()
    assert (current / ".hydra").exists()

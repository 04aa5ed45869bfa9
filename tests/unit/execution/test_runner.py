"""A job of a grid that fails before its run starts; whole runs are in `tests/apps`."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf, open_dict

from mlrunner.core.errors import MlrunnerError
from mlrunner.core.project import CONF
from mlrunner.execution import runner


@pytest.fixture
def cfg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[DictConfig]:
    """Compose a job whose data set does not exist."""
    monkeypatch.setenv("MLRUNNER_HOME", str(tmp_path))
    overrides = ["dataset=csv", "dataset.path=/nonexistent.csv", "dataset.target=y", "model=rf"]
    with initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = compose("mlrunner", overrides, return_hydra_config=True)
    with open_dict(cfg):
        cfg.hydra.runtime.output_dir = str(tmp_path)
        cfg.hydra.mode, cfg.hydra.job.num = "MULTIRUN", 2
    HydraConfig.instance().set_config(cfg)
    with open_dict(cfg):
        yield OmegaConf.masked_copy(cfg, [key for key in cfg if key != "hydra"])
    HydraConfig.instance().cfg = None


def test_a_failed_job_leaves_its_error(cfg: DictConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert math.isnan(runner.run_job(cfg))
    document = json.loads((tmp_path / "result.json").read_text())
    assert (document["status"], document["job"], document["objective"]) == ("FAILED", 2, None)
    assert "/nonexistent.csv" in document["error"]
    assert capsys.readouterr().out.startswith("✗   2  ")


@pytest.mark.usefixtures("tmp_path")
def test_a_single_run_raises_its_error(cfg: DictConfig) -> None:
    with pytest.raises(MlrunnerError, match=r"/nonexistent\.csv"):
        runner.run_one(cfg)

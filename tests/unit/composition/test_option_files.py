"""A run records which file each of its options came from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hydra import compose
from omegaconf import OmegaConf

from mlrunner.composition.compose import open_hydra
from mlrunner.composition.config_source import ConfigSource
from mlrunner.composition.option_files import list_option_files, read_option_files
from mlrunner.core.project import CONF


def test_the_first_folder_that_has_the_file_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLRUNNER_PROJECT", str(tmp_path / "mine"))
    files = {"config.yaml": "defaults: [override dataset: churn]\n", "dataset/churn.yaml": "defaults: [csv]\n"}
    files = {f"mine/conf/{name}": text for name, text in files.items()} | {"more/split/odd.yaml": "seed: 1\n"}
    for name, text in {**files, "mine/conf/model/rf.yaml": (CONF / "model" / "rf.yaml").read_text()}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    with open_hydra(ConfigSource(folders=(str(tmp_path / "more"),))):
        cfg = compose("mlrunner", ["model=rf", "split=odd"], return_hydra_config=True)
    hydra: Any = OmegaConf.to_container(cfg.hydra)
    hydra["job"]["config_name"] = None
    assert list_option_files(hydra) == {
        "mlrunner": f"{CONF}/mlrunner.yaml",
        "config": "conf/config.yaml",
        "dataset/churn": "conf/dataset/churn.yaml",
        "model/rf": "conf/model/rf.yaml",
        "features/trees": f"{CONF}/features/trees.yaml",
        "split/odd": f"{tmp_path}/more/split/odd.yaml",
        "executor/local": f"{CONF}/executor/local.yaml",
        **{name: f"{CONF}/{name}.yaml" for name in ("cleaning/full", "stack/local", "gate/none", "deployer/none")},
    }


def test_without_a_file_of_hydra_nothing_is_known(tmp_path: Path) -> None:
    assert read_option_files(tmp_path) == {}

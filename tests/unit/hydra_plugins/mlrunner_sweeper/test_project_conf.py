"""The project's `conf/` stands before ours, and other programs of Hydra are left alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.global_hydra import GlobalHydra

from mlrunner.composition.compose import open_hydra
from mlrunner.core.project import CONF

CHOSEN = "[override dataset: churn, override model: rf]"


def providers(path: ConfigSearchPath) -> list[str | None]:
    return [element.provider for element in path.get_path()]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    conf = tmp_path / "mit Raum, Ä" / "conf"
    for name, text in {
        "config.yaml": f"defaults: {CHOSEN}\nseed: 3\ntracking: {{experiment: mine}}\n",
        "dataset/churn.yaml": "defaults: [csv]\ntarget: y\n",
        "model/ridge.yaml": "name: mine\n",
        "experiment/base.yaml": "# @package _global_\ndefaults: [override /model: ridge]\nseed: 5\n",
    }.items():
        (conf / name).parent.mkdir(parents=True, exist_ok=True)
        (conf / name).write_text(text)
    monkeypatch.setenv("MLRUNNER_PROJECT", str(conf.parent))
    return conf.parent


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ([], ("csv", "y", "rf", 3, "mine")),
        (["experiment=base"], ("csv", "y", "mine", 5, "mine")),  # an experiment stands above the project's config.yaml
        (["dataset=wine", "seed=9"], ("wine", "target", "rf", 9, "mine")),
    ],
)
@pytest.mark.usefixtures("project")
def test_a_project_says_only_what_differs(overrides: list[str], expected: tuple[object, ...]) -> None:
    with open_hydra() as hydra:
        cfg = compose("mlrunner", overrides)
        assert providers(hydra.config_loader().get_search_path()) == ["hydra", "project", "main", "schema"]
    assert (cfg.dataset.name, cfg.dataset.target, cfg.model.name, cfg.seed, cfg.tracking.experiment) == expected
    assert cfg.tracking.plots


@pytest.mark.usefixtures("project")
def test_other_main_folders_are_left_alone() -> None:
    with initialize_config_dir(str(CONF.parent / "docs"), version_base="1.3"):
        loader = GlobalHydra.instance().config_loader()
        assert providers(loader.get_search_path()) == ["hydra", "main", "schema"]

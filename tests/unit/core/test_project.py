"""Where the project, the code and the files that come with it are."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlrunner.core import project
from mlrunner.core.errors import ConfigError
from tests.support.front_door import PROJECT


def test_the_checkout_is_a_project_with_its_own_configuration() -> None:
    assert (project.CODE, project.RESOURCES, project.CONF) == (PROJECT, PROJECT, PROJECT / "conf")
    assert project.find_project(PROJECT / "tests" / "unit") == PROJECT
    assert project.conf_folders(PROJECT) == (PROJECT / "conf",)


@pytest.mark.parametrize(
    ("folder", "expected"), [("outer/inner/deep", "outer/inner"), ("outer/other", "outer"), ("none", "none")]
)
def test_without_conf_the_nearest_stores_mark_the_project(tmp_path: Path, folder: str, expected: str) -> None:
    for marked in ("outer", "outer/inner"):
        (tmp_path / marked / ".mlrunner").mkdir(parents=True)
    assert project.find_project(tmp_path / folder) == tmp_path / expected


DIFFERS = "defaults:\n  - override dataset: churn\nseed: 3\n"
KINDS: dict[str, tuple[dict[str, str], bool]] = {
    "what differs": ({"config.yaml": DIFFERS}, True),
    "what differs in a nested group": ({"config.yaml": "defaults: [override features@model.features: trees]"}, True),
    "nothing": ({"config.yaml": "# nothing yet\n"}, True),
    "a misspelt key": ({"config.yaml": DIFFERS + "sead: 4\n"}, True),
    "override forgotten": ({"config.yaml": "defaults: [dataset: churn, _self_]\nseed: 3\n"}, True),
    "broken, with an option": ({"config.yaml": "seed: [", "dataset/churn.yaml": "target: y\n"}, True),
    "options alone": ({"dataset/churn.yaml": "target: y\n"}, True),
    "another application of Hydra": (
        {"config.yaml": "defaults: [model: resnet, trainer: gpu]\n", "model/resnet.yaml": "layers: 3\n"}, False
    ),
    "another one without groups": ({"config.yaml": "db: {driver: mysql}\nport: 3306\nseed: 1\n"}, False),
    "another one by another name": ({"train.yaml": "defaults: [model: rf]\n", "model/rf.yaml": "n: 3\n"}, False),
    "Kedro": ({"base/catalog.yml": "cars: {}\n", "local/credentials.yml": "\n"}, False),
    "no YAML": ({"nginx.conf": "", "model/rf.txt": ""}, False),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_only_a_conf_of_our_kind_makes_a_project(tmp_path: Path, kind: str) -> None:
    files, is_ours = KINDS[kind]
    outer, inner = tmp_path / "outer", tmp_path / "outer" / "inner"
    (outer / ".mlrunner").mkdir(parents=True)
    for name, text in files.items():
        (inner / "conf" / name).parent.mkdir(parents=True, exist_ok=True)
        (inner / "conf" / name).write_text(text)
    (inner / "deep").mkdir()
    assert project.find_project(inner / "deep") == (inner if is_ours else outer)
    assert project.conf_folders(inner) == ((inner / "conf", project.CONF) if is_ours else (project.CONF,))


def test_a_project_lies_within_another_one(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "inner"):
        (folder / "conf").mkdir(parents=True)
        (folder / "conf" / "config.yaml").write_text(DIFFERS)
    (tmp_path / "inner" / "deep" / ".mlrunner").mkdir(parents=True)  # made by chance
    assert project.find_project(tmp_path / "inner" / "deep") == tmp_path / "inner"


def test_a_search_path_of_a_project_is_refused(tmp_path: Path) -> None:
    project.refuse_search_path(tmp_path)
    (tmp_path / "config.yaml").write_text("hydra:\n  run: {dir: x}\n")
    project.refuse_search_path(tmp_path)
    (tmp_path / "config.yaml").write_text("hydra:\n  searchpath: [file:///team]\n")
    with pytest.raises(
        ConfigError, match=rf"^{tmp_path}/config.yaml sets hydra.searchpath, which Hydra reads from its"
    ):
        project.refuse_search_path(tmp_path)


def test_pipelines_are_loaded_from_the_checkout() -> None:
    assert project.load_pipelines("options").__name__ == "pipelines.options"  # `.ci/wheel` runs those of a wheel

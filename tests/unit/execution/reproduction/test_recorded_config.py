"""Recorded configurations with the paths of this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlrunner.composition.compose import open_composer
from mlrunner.core.errors import ConfigError
from mlrunner.execution.reproduction.recorded_config import compose_seeds, locate_data


def test_a_relative_path_is_resolved_where_the_run_was_launched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("then", "here"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "table.csv").touch()
    monkeypatch.chdir(tmp_path / "here")
    then, dataset = str(tmp_path / "then"), {"path": "table.csv"}
    assert locate_data(dataset, then) == {"path": f"{then}/table.csv"}
    assert locate_data(dataset, str(tmp_path / "here")) == dataset
    (tmp_path / "then" / "table.csv").unlink()
    assert locate_data(dataset, then) == dataset


def test_todays_options_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_composer() as hydra:
        frozen = hydra.compose(["model=ridge"])
    for group in ("model", "dataset"):
        (tmp_path / "conf" / group).mkdir(parents=True)
    (tmp_path / "conf" / "model" / "ridge.yaml").write_text("name: other\n")
    (tmp_path / "conf" / "dataset" / "olist.yaml").write_text("name: other\n")
    (tmp_path / "conf" / "config.yaml").write_text("defaults: [override deployer: local]\nseed: 1\noutput: quiet\n")
    monkeypatch.setenv("MLRUNNER_PROJECT", str(tmp_path))
    (cfg,) = compose_seeds(frozen, [], 1)
    assert (cfg.model.name, cfg.dataset.name, cfg.seed, cfg.project) == ("ridge", "olist", 0, str(tmp_path))
    assert cfg.output == "quiet"  # a setting of this machine is read from the project
    assert cfg.deployer._target_ == "mlrunner.groups.deployer.NoDeployer"  # not today's default


@pytest.mark.parametrize("text", ["model=rf", "seed=1", "dataset.path"])
def test_only_places_may_be_overridden(text: str) -> None:
    with open_composer() as hydra:
        frozen = hydra.compose(["model=ridge"])
    with pytest.raises(ConfigError) as caught:
        compose_seeds(frozen, [text], 1)
    assert str(caught.value) == (
        f"'{text}' cannot be overridden in a reproduction; dataset.path, dataset.url, threads and stack=... can. "
        "To run it with other settings, start a new run."
    )


def test_each_seed_has_its_own_configuration() -> None:
    with open_composer() as hydra:
        frozen = hydra.compose(["model=ridge", "seed=3"])
    assert [cfg.seed for cfg in compose_seeds(frozen, ["threads=2"], 3)] == [3, 4, 5]


def test_a_secret_must_be_set_again() -> None:
    with open_composer() as hydra:
        frozen = hydra.compose(["dataset=sql", "dataset.url=sqlite:///***", "dataset.query=select"])
    with pytest.raises(ConfigError, match=r"^dataset\.url holds a secret, which is not recorded; set dataset\.url="):
        compose_seeds(frozen, [], 1)

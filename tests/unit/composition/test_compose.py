"""Our composition is Hydra's own, and leaves an open Hydra as it was."""

from __future__ import annotations

from pathlib import Path

import pytest
from hydra import compose
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import OmegaConf

from mlrunner.composition.compose import compose_config, open_composer, open_hydra, resolve_partially
from mlrunner.core.errors import ConfigError

OVERRIDES = ["dataset=diabetes", "model=rf", "split='80_20'", "seed=3", "+model.estimator.bootstrap=false"]


def test_a_configuration_is_that_of_hydra() -> None:
    with open_hydra():
        expected = compose("mlrunner", OVERRIDES)
        inside = GlobalHydra.instance().hydra
        assert compose_config(["dataset=diabetes", "model=rf", "split=80_20", *OVERRIDES[3:]]) == expected
        assert GlobalHydra.instance().hydra is not None
        assert GlobalHydra.instance().hydra.config_loader is inside.config_loader  # type: ignore[union-attr]
    assert not GlobalHydra.instance().is_initialized()


def test_a_composer_composes_as_hydra_does() -> None:
    with open_composer() as composer:
        snapshot = composer.compose(OVERRIDES)
    assert snapshot.raw == OmegaConf.to_container(compose_config(OVERRIDES))
    assert snapshot.choices["model"] == "rf"
    assert snapshot.overrides == tuple(OVERRIDES)


def test_values_are_set_in_a_composition_and_keys_are_checked() -> None:
    with open_composer() as composer:
        raw = composer.compose(["model=rf"]).raw
        assert raw is not None
        assert composer.set(raw, ["seed=7"]) == {**raw, "seed": 7}
        with pytest.raises(ConfigError, match=r"^sed=7 cannot be set: "):
            composer.set(raw, ["sed=7"])


def test_an_option_that_does_not_exist_is_refused() -> None:
    with open_composer() as composer, pytest.raises(ConfigError, match=r"^model=rfx does not compose: "):
        composer.compose(["model=rfx"])
    with pytest.raises(HydraException):
        compose_config(["model=rfx"])
    assert not GlobalHydra.instance().is_initialized()


def test_a_further_folder_holds_further_options(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "mine.yaml").write_text("name: mine\n")
    with open_composer([str(tmp_path), str(tmp_path / "absent")]) as composer:
        assert composer.compose(["model=mine"]).config["model"] == {"name": "mine"}


def test_a_file_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    file = tmp_path / "model" / "mine.yaml"
    file.write_text("name: before\n")
    with open_composer([str(tmp_path)]) as composer:
        composer.compose(["model=mine"])
        file.write_text("name: after\n")
        assert composer.compose(["model=mine"]).config["model"]["name"] == "before"


def test_an_interpolation_without_a_value_stays() -> None:
    cfg = OmegaConf.create({"a": 1, "b": "${a}", "c": {"d": "${nope}", "e": "${a}"}, "f": ["${a}"], "g": "${c.d}"})
    assert resolve_partially(cfg) == {"a": 1, "b": 1, "c": {"d": "${nope}", "e": 1}, "f": [1], "g": "${c.d}"}

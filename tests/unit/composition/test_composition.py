"""A composition as plain values: its name, its digest, and how it was launched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from omegaconf import DictConfig

from mlrunner.composition.composition import (
    NAME_LENGTH,
    Composition,
    Launch,
    abbreviate_override,
    has_deployment_step,
    read_composition,
    read_settings,
)
from mlrunner.core.errors import ProblemsError

Compose = Callable[[list[str]], DictConfig]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MLRUNNER_HOME", str(tmp_path))
    return tmp_path


def read(compose: Compose, *overrides: str, job: int | None = None) -> Composition:
    needed = ["dataset=diabetes", "dataset.task=regression"]
    launch = Launch({"model": "rf"}, list(overrides), Path("run"), job)
    return read_composition(compose([*needed, *overrides]), launch)


@pytest.mark.parametrize(
    ("override", "short"),
    [
        ("model.estimator.max_depth=3", "max_depth=3"),
        ("split='80_20'", "split=80_20"),
        ("model.estimator.alpha=0.123456789", "alpha=0.1235"),
        ("model.estimator.alpha=-1.23456e-7", "alpha=-1.235e-07"),
        ("seed=12345", "seed=12345"),
    ],
)
def test_an_override_is_abbreviated_in_a_name(override: str, short: str) -> None:
    assert abbreviate_override(override) == short


def test_a_launch_is_named_by_what_changes_the_result() -> None:
    overrides = ["model=rf", "output=json", "tracking.plots=false", "seed=1", "gate=threshold"]
    launch = Launch({}, overrides, Path(), shared=("seed=1",))
    assert launch.significant_overrides == ["model=rf", "seed=1"]
    assert launch.name == "model=rf"
    assert Launch({}, ["output=json"], Path()).name == "default"
    assert len(Launch({}, [f"a{number}=1" for number in range(200)], Path()).name) == NAME_LENGTH


def test_a_run_is_named_by_the_user_or_by_its_overrides(compose: Compose) -> None:
    assert read(compose, "model=ridge").name == "model=ridge"
    assert read(compose, "model=ridge", "blueprint=true").name == "blueprint,model=ridge"
    custom = read(compose, "model=ridge", "blueprint=true", "tracking.name=mine")
    assert custom.name == "mine"
    assert replace(custom, launch=replace(custom.launch, prefix="winner")).name == "winner,mine"


def test_the_digest_ignores_the_machine(compose: Compose) -> None:
    digest = read(compose).config_hash
    assert read(compose, "output=json", "gate=threshold", "stack.name=other").config_hash == digest
    assert read(compose, "seed=1").config_hash != digest


def test_a_blueprint_has_a_dummy_model_and_no_deployment(compose: Compose) -> None:
    composition = read(compose, "model=ridge", "deployer=registry")
    blueprint = composition.as_blueprint({"day": "iso"})
    assert blueprint["model"]["estimator"] == {"_target_": "sklearn.dummy.DummyRegressor"}
    assert blueprint["model"]["early_stopping"] is None  # a dummy has no rounds
    assert (composition.has_deployment_step, blueprint.has_deployment_step) == (True, False)
    assert composition["model"]["estimator"]["_target_"].endswith("Ridge")
    assert blueprint["cleaning"]["date_formats"] == {"day": "iso"}
    assert "date_formats" not in read(compose, "cleaning=none").as_blueprint({})["cleaning"]


def test_a_job_of_a_grid_and_a_blueprint_deploy_nothing(compose: Compose) -> None:
    assert not read(compose, "deployer=registry", job=0).has_deployment_step
    assert not has_deployment_step(read(compose, "deployer=registry", "blueprint=true").config)
    assert not read(compose).has_deployment_step


def test_an_option_is_that_of_the_launch_or_the_name_of_the_group(compose: Compose) -> None:
    composition = read(compose)
    assert (composition.choice("model"), composition.choice("dataset")) == ("rf", "diabetes")


def test_each_invalid_key_is_one_sentence(compose: Compose) -> None:
    with pytest.raises(ProblemsError) as refused:
        read_settings(compose(["seed=-1", "+typo=1"]))
    assert [sentence.split()[0] for sentence in refused.value.problems] == ["seed=-1", "typo"]


def test_records_name_variables_and_hold_no_secrets(compose: Compose, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TABLE", "/data/table.csv")
    composition = read(
        compose, "dataset=csv", "dataset.path=${oc.env:TABLE}", "dataset.target=y", "+tracking.tags.token=abc"
    )
    assert composition["dataset"]["path"] == "/data/table.csv"
    assert composition.recorded["dataset"]["path"] == "${oc.env:TABLE}"
    assert composition.recorded["tracking"]["tags"] == {"token": "***"}
    assert composition.name == "dataset=csv,path=${oc.env:TABLE},target=y,token=***"

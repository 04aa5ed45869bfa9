"""A sweep from beginning to end, as a dry run."""

from __future__ import annotations

from typing import Any

import pytest

from mlrunner.core.errors import ConfigError
from mlrunner.search import entry
from tests.support.search import HydraSweep, open_hydra


@pytest.mark.usefixtures("diabetes_sweep")
def test_a_dry_run_prints_the_plan(capsys: pytest.CaptureFixture[str]) -> None:
    overrides = ("sweep=optuna", "dataset=diabetes", "hydra.sweeper.dry_run=true")
    hydra = open_hydra(*overrides)
    assert entry.sweep(hydra.context, lambda _: None, hydra.config, [*overrides[:2], "model=ridge"]) is None
    assert capsys.readouterr().out.splitlines()[0] == "mlrunner  plan  20 trials"


def sample_alpha(config: Any, trial: Any) -> None:
    trial.suggest_float("model.estimator.alpha", 0.5, float(config.seed) + 1)


@pytest.mark.usefixtures("diabetes_sweep")
def test_a_dry_run_shows_what_the_custom_space_draws_and_refuses_what_it_may_not_set(
    capsys: pytest.CaptureFixture[str],
) -> None:
    overrides = ("sweep=optuna", "dataset=diabetes", "hydra.sweeper.dry_run=true")
    custom = f"hydra.sweeper.custom_search_space={__name__}.sample_alpha"
    hydra = open_hydra(*overrides, custom, "hydra.sweeper.first=none", "hydra/sweeper/sampler=random")
    words = [*overrides[:2], "model=ridge", "~model.search", "cleaning=none,full"]
    entry.sweep(hydra.context, lambda _: None, hydra.config, words)
    assert "model.estimator.alpha=0." in capsys.readouterr().out
    with pytest.raises(ConfigError, match=r"^model.estimator.alpha=3 is fixed, but hydra.sweeper.custom_search_space="):
        entry.sweep(hydra.context, lambda _: None, hydra.config, [*words, "model.estimator.alpha=3"])


@pytest.mark.parametrize(("value", "env"), [("{A: '${seed}'}", {"A": "0"}), ("{A: '${hydra.job.num}'}", {})])
@pytest.mark.usefixtures("diabetes_sweep")
def test_the_variables_of_the_sweep_are_read(value: str, env: dict[str, str]) -> None:
    assert entry.read_env(open_hydra("sweep=optuna", f"+hydra.job.env_set={value}").config) == env


@pytest.mark.parametrize(
    ("overrides", "libraries"), [(["model=ridge,xgboost,lightgbm"], ["lightgbm", "xgboost"]), (["model=ridge"], [])]
)
def test_the_libraries_of_the_models_are_imported_by_the_workers(
    diabetes_sweep: HydraSweep, overrides: list[str], libraries: list[str]
) -> None:
    assert entry._list_libraries(diabetes_sweep.read_space(*overrides), diabetes_sweep.composer) == libraries

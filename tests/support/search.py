"""Hydra as a sweeper receives it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hydra import initialize_config_dir
from hydra._internal.callbacks import Callbacks
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.global_hydra import GlobalHydra
from hydra.core.utils import JobReturn, run_job
from hydra.types import HydraContext, RunMode
from omegaconf import DictConfig, open_dict

from mlrunner.cli.hydra_app import register_sweeper
from mlrunner.search.composer import Composer
from mlrunner.search.plan import SearchPlan, make_plan
from mlrunner.search.settings import SweepSettings, read_settings
from mlrunner.search.space import Space
from mlrunner.search.space_reader import read_space
from mlrunner.search.trial_preparation import TrialPreparer
from tests.support.front_door import PROJECT

CONF = PROJECT / "conf"


class HydraSweep:
    """Hydra at the moment it calls a sweeper, with a second loader that the composer does not touch.

    Args:
        context: Context that Hydra passes to a sweeper.
        config: Configuration of the whole sweep.
        overrides: Overrides of the configuration.
    """

    def __init__(self, context: HydraContext, config: DictConfig, overrides: tuple[str, ...]) -> None:
        self.context, self.config, self.overrides = context, config, overrides
        self.loader = ConfigLoaderImpl(context.config_loader.get_search_path())
        self.composer = Composer(context, config)

    def read_settings(self, **values: Any) -> SweepSettings:
        """Read the settings of the sweep, with some values of `hydra.sweeper` changed."""
        config = self.config.copy()
        with open_dict(config):
            config.hydra.sweeper.update(values)
        return read_settings(config)

    def read_space(self, *overrides: str, **values: Any) -> Space:
        """Read the space of more overrides, with some values of `hydra.sweeper` changed."""
        arguments, settings = [*self.overrides, *overrides], self.read_settings(**values)
        return read_space(arguments, settings, self.composer.compose_models, self.composer.loader)

    def plan(self, *overrides: str, **values: Any) -> tuple[SearchPlan, TrialPreparer]:
        """Plan a search with more overrides, and some values of `hydra.sweeper` changed."""
        return make_plan(self.read_settings(**values), self.read_space(*overrides, **values), self.composer)

    def compose_with_hydra(self, overrides: tuple[str, ...], number: int | None) -> DictConfig:
        """Compose a job as Hydra's launchers do."""
        whole = self.loader.load_sweep_config(self.config, list(overrides))
        if number is not None:
            with open_dict(whole):
                whole.hydra.job.id = whole.hydra.job.num = number
        return whole

    def run_empty_job(self, overrides: tuple[str, ...], number: int) -> JobReturn:
        """Run a job of Hydra that does nothing, for the files that Hydra writes."""
        return run_job(
            lambda _: None,
            self.compose_with_hydra(overrides, number),
            "hydra.sweep.dir",
            "hydra.sweep.subdir",
            self.context,
            configure_logging=False,
        )


def open_hydra(*overrides: str, conf: Path = CONF) -> HydraSweep:
    """Open Hydra for a sweep, by default `sweep=optuna`; the result needs no global Hydra."""
    overrides = overrides or ("sweep=optuna",)
    register_sweeper()
    with initialize_config_dir(str(conf), version_base="1.3"):
        loader = GlobalHydra.instance().config_loader()
        config = loader.load_configuration("mlrunner", list(overrides), RunMode.MULTIRUN)
    str(config.hydra.sweep.dir)  # resolves the time stamp once, as at the start of a sweep
    return HydraSweep(HydraContext(config_loader=loader, callbacks=Callbacks()), config, overrides)

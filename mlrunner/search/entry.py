"""Run a sweep from beginning to end: read the space, check it, plan it, and start the session that searches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hydra.types import HydraContext, RunMode, TaskFunction
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from mlrunner.composition.compose import open_hydra
from mlrunner.composition.hydra_private import make_context
from mlrunner.core import environment
from mlrunner.core.project import PRIMARY
from mlrunner.core.terminal import console
from mlrunner.groups.executor import LOCAL_TARGET
from mlrunner.search import worker_process
from mlrunner.search.composer import Composer
from mlrunner.search.settings import read_settings
from mlrunner.search.space import Space
from mlrunner.search.space_reader import read_space

if TYPE_CHECKING:
    from mlrunner.search.plan import SearchPlan

MODEL_LIBRARIES = {"lightgbm", "xgboost", "catboost"}


def sweep(context: HydraContext, task_function: TaskFunction, config: DictConfig, arguments: list[str]) -> Any:
    """Run a sweep.

    Args:
        context: Context that Hydra passes to a sweeper.
        task_function: Function that one of Hydra's launchers runs for each trial.
        config: Configuration of the whole sweep, with its `hydra` node.
        arguments: Overrides of the command line.

    Returns:
        The summary of `optimization_results.yaml`; None for a dry run.

    Raises:
        MlrunnerError: When a setting must be corrected, or more trials failed than allowed.
    """
    with environment.temporary_variables(**read_env(config)):  # checks and the winner's refit are in this process
        return _sweep(context, task_function, config, arguments)


def _sweep(context: HydraContext, task_function: TaskFunction, config: DictConfig, arguments: list[str]) -> Any:
    settings = read_settings(config)
    composer = Composer(context, config)
    space = read_space(arguments, settings, composer.compose_models, composer.loader)
    # the imports of our workers take as long as ours, and run at the same time
    if not settings.dry_run and config.executor._target_ == LOCAL_TARGET:
        worker_process.preload(_list_libraries(space, composer))
    from mlrunner.search import plan as planning
    from mlrunner.search import session
    from mlrunner.search.search_factory import SweeperCall

    plan, preparer = planning.make_plan(settings, space, composer)
    if settings.dry_run:
        planning.show_plan(plan, _draw_first_trials(plan, config))
        console().print("  Nothing was started (hydra.sweeper.dry_run=true).", style="dim")
        return None
    return session.run_session(plan, preparer, SweeperCall(context, task_function, config))


def preview(words: Sequence[str]) -> tuple[SearchPlan, list[tuple[str, ...]]]:
    """Check a search without running anything.

    Returns:
        The plan, and the overrides of its first trials.

    Raises:
        MlrunnerError: When a setting must be corrected; the sentences are those of the search itself.
        HydraException: When a choice or a key does not exist.
    """
    from mlrunner.search import plan as planning

    with open_hydra() as hydra:
        loader: Any = hydra.config_loader()
        config = loader.load_configuration(PRIMARY, list(words), RunMode.MULTIRUN)
        with environment.temporary_variables(**read_env(config)):
            settings = read_settings(config)
            composer = Composer(make_context(loader), config)
            space = read_space(list(config.hydra.overrides.task), settings, composer.compose_models, composer.loader)
            plan, _ = planning.make_plan(settings, space, composer)
            return plan, _draw_first_trials(plan, config)


def _draw_first_trials(plan: SearchPlan, config: DictConfig) -> list[tuple[str, ...]]:
    from mlrunner.search import plan as planning
    from mlrunner.search.custom_space import load_custom_space
    from mlrunner.search.search_factory import make_sampler_factory

    customize = load_custom_space(plan.settings.custom_search_space, plan.space, config)
    return planning.draw_first_trials(plan, make_sampler_factory(plan), customize=customize)


def read_env(config: DictConfig) -> dict[str, str]:
    """Read `hydra.job.env_set`; empty where it interpolates what only a trial has, and each trial reads its own."""
    try:
        values: Any = OmegaConf.to_container(config.hydra.job.env_set, resolve=True)
    except OmegaConfBaseException:
        return {}
    return {str(name): str(value) for name, value in values.items()}


def _list_libraries(space: Space, composer: Composer) -> list[str]:
    """List the libraries beside scikit-learn that the models of a space need."""
    options = space.models if space.model_dimension is not None else []
    groups = composer.compose_models([text for text, _ in space.fixed], options)
    texts = [OmegaConf.to_yaml(OmegaConf.create(dict(group.get("targets") or {}))) for group in groups.values()]
    return [name for name in sorted(MODEL_LIBRARIES) if any(f"{name}." in text for text in texts)]

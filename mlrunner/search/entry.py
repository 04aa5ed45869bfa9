"""Run a sweep from beginning to end: read the space, check it, plan it, and start the session that searches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from omegaconf import OmegaConf

from mlrunner.core.errors import ConfigError
from mlrunner.core.overrides import explain_misread
from mlrunner.search import space_reader, workers
from mlrunner.search.composer import Composer
from mlrunner.search.settings import SweepSettings, read_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hydra.types import HydraContext, TaskFunction
    from omegaconf import DictConfig

    from mlrunner.search.space import Space

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
    settings = read_settings(config)
    composer = Composer(context, config)
    space = read_space(settings, composer, arguments)
    if not settings.dry_run:  # the imports of the workers take as long as ours, and run at the same time
        workers.preload(list_libraries(space, composer))
    from mlrunner.search import plan as planning
    from mlrunner.search import plan_display, session
    from mlrunner.search.search_factory import SweeperCall, make_sampler_factory

    plan, preparer = planning.make_plan(settings, space, composer)
    if settings.dry_run:
        plan_display.show_plan(plan, planning.draw_first_trials(plan, make_sampler_factory(plan)))
        return None
    return session.run_session(plan, preparer, SweeperCall(context, task_function, config))


def read_space(settings: SweepSettings, composer: Composer, arguments: list[str]) -> Space:
    """Read the search space of a sweep.

    Args:
        settings: Settings of the sweep.
        composer: Composer of the sweep.
        arguments: Overrides of the command line.

    Raises:
        ConfigError: When a range, a key or an exclusion is not valid.
    """
    return space_reader.read_space(
        arguments,
        settings.params or {},
        lambda fixed, options: compose_models(composer, fixed, options),
        uses_model_spaces=not settings.is_grid,
        loader=composer.loader,
        exclude=settings.exclude,
    )


def compose_models(composer: Composer, fixed: list[str], options: list[str]) -> Mapping[str, Mapping[str, Any]]:
    """Compose the `model` groups of a space.

    Args:
        composer: Composer of the sweep.
        fixed: Fixed overrides.
        options: Model options; the empty list stands for the option that `fixed` chooses.

    Raises:
        ConfigError: When an option reads as a number, which Hydra reports as an error of the program.
    """
    choices = tuple(text for text in fixed if composer.is_fixed_choice(text))
    try:
        return composer.compose_models(choices, options)
    except ValueError as error:
        raise ConfigError(explain_misread(choices, error)) from error


def list_libraries(space: Space, composer: Composer) -> list[str]:
    """List the libraries beside scikit-learn that the models of a space need."""
    options = space.models if space.model_dimension is not None else []
    groups = compose_models(composer, [text for text, _ in space.fixed], options)
    texts = [OmegaConf.to_yaml(OmegaConf.create(dict(group.get("targets") or {}))) for group in groups.values()]
    return [name for name in sorted(MODEL_LIBRARIES) if any(f"{name}." in text for text in texts)]

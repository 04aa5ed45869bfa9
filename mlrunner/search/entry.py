"""The course of a sweep: read the space, check, plan; then open the study and the stores, search, and hand over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from omegaconf import OmegaConf

from mlrunner.core.errors import ConfigError
from mlrunner.core.overrides import misread
from mlrunner.search import settings as told
from mlrunner.search import space_reader, workers
from mlrunner.search.composer import Composer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hydra.types import HydraContext, TaskFunction
    from omegaconf import DictConfig

    from mlrunner.search.space import Space

LIBRARIES = {"lightgbm", "xgboost", "catboost"}


def sweep(context: HydraContext, task_function: TaskFunction, config: DictConfig, arguments: list[str]) -> Any:
    """Run a sweep.

    Args:
        context: Of Hydra.
        task_function: What one of Hydra's launchers runs.
        config: Hydra's, of the whole sweep.
        arguments: The overrides as they were typed.

    Returns:
        The summary of `optimization_results.yaml`; None for a dry run.

    Raises:
        MlrunnerError: When something is to be changed first, or more trials failed than may.
    """
    settings = told.read(config)
    composer = Composer(context, config)
    space = read_space(settings, composer, arguments)
    if not settings.dry_run:  # the workers' imports take as long as ours, beside which they run from here on
        workers.preload(libraries(space, composer))
    from mlrunner.search import plan as planning
    from mlrunner.search import session

    plan, drafts = planning.make(settings, space, composer)
    if settings.dry_run:
        planning.show(plan, planning.first_overrides(plan, session.sampler_of(plan)))
        return None
    return session.run(plan, drafts, session.Handed(context, task_function, config))


def read_space(settings: told.SweepSettings, composer: Composer, arguments: list[str]) -> Space:
    """Read the space and what is excluded from it."""
    return space_reader.read(
        arguments,
        settings.params or {},
        lambda fixed, options: models(composer, fixed, options),
        searched=not settings.is_grid,
        loader=composer.loader,
        exclude=settings.exclude,
    )


def models(composer: Composer, fixed: list[str], options: list[str]) -> Mapping[str, Mapping[str, Any]]:
    """Compose the model groups of a space.

    Raises:
        ConfigError: When an option is a number, which Hydra takes for a mistake of the program.
    """
    choices = tuple(text for text in fixed if composer.is_fixed_choice(text))
    try:
        return composer.models(choices, options)
    except ValueError as error:
        raise ConfigError(misread(choices, error)) from error


def libraries(space: Space, composer: Composer) -> list[str]:
    """Name what the models need beside scikit-learn, by the classes that they name."""
    groups = models(composer, [text for text, _ in space.fixed], space.models if space.chooser else [])
    texts = [OmegaConf.to_yaml(OmegaConf.create(dict(group.get("targets") or {}))) for group in groups.values()]
    return [name for name in sorted(LIBRARIES) if any(f"{name}." in text for text in texts)]

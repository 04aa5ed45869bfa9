"""The course of a sweep: read the space, check, plan; then open the study and the stores, search, and hand over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from omegaconf import OmegaConf

from mlrunner.sweep import settings as told
from mlrunner.sweep import space as spaces
from mlrunner.sweep import workers
from mlrunner.sweep.composer import Composer

if TYPE_CHECKING:
    from hydra.types import HydraContext, TaskFunction
    from omegaconf import DictConfig

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
        workers.preload(libraries(space, composer, arguments))
    from mlrunner.sweep import plan as planning
    from mlrunner.sweep import session

    plan, drafts = planning.make(settings, space, composer)
    if settings.dry_run:
        planning.show(plan, planning.first_overrides(plan, session.sampler_of(plan)))
        return None
    return session.run(plan, drafts, session.Handed(context, task_function, config))


def read_space(settings: told.SweepSettings, composer: Composer, arguments: list[str]) -> spaces.Space:
    """Read the space and what is excluded from it."""
    params = {**_old_form(settings.search_space or {}), **(settings.params or {})}
    choices = tuple(text for text in arguments if composer.is_fixed_choice(text))
    return spaces.read(
        arguments,
        params,
        lambda options: composer.models(choices, options),
        searched=not settings.is_grid,
        loader=composer.loader,
        exclude=settings.exclude,
    )


def _old_form(search_space: dict[str, Any]) -> dict[str, str]:
    """Read `hydra.sweeper.search_space`, as Hydra 1.1 had it: a type, and its bounds or choices."""
    return {key: _range(one) if isinstance(one, dict) else str(one) for key, one in search_space.items()}


def _range(one: dict[str, Any]) -> str:
    if one.get("type") == "categorical" or "choices" in one:
        return f"choice({','.join(str(value) for value in one['choices'])})"
    if one.get("step") is not None:
        return f"range({one['low']},{one['high'] + one['step'] / 2},{one['step']})"
    inside = f"interval({one['low']},{one['high']})"
    inside = f"int({inside})" if one.get("type") == "int" else inside
    return f"tag(log,{inside})" if one.get("log") else inside


def libraries(space: spaces.Space, composer: Composer, arguments: list[str]) -> list[str]:
    """Name what the models need beside scikit-learn, by the classes that they name."""
    choices = tuple(text for text in arguments if composer.is_fixed_choice(text))
    groups = composer.models(choices, space.models if len(space.models) > 1 else [])
    texts = [OmegaConf.to_yaml(OmegaConf.create(dict(group.get("targets") or {}))) for group in groups.values()]
    return [name for name in sorted(LIBRARIES) if any(f"{name}." in text for text in texts)]

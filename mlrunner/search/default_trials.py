"""Try the default composition of each model before the sampler's own trials (`hydra.sweeper.first=defaults`).

A trial is always a point of the space. A dimension that does not have the default among its values (a range that was
narrowed, a null beside numbers) is left to the sampler, which draws it; such a trial is not called a default.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from omegaconf import OmegaConf

from mlrunner.search import warm_start
from mlrunner.search.dimension import MODEL_GROUP
from mlrunner.search.distributions import write_override
from mlrunner.search.trial_attributes import DEFAULT_OF, VOID, count_valid, describe_default
from mlrunner.search.warm_start import Defaults, find_param, list_params

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial

    from mlrunner.search.composer import Composer
    from mlrunner.search.plan import SearchPlan
    from mlrunner.search.space import Space

ABSENT = object()


def read_defaults(space: Space, composer: Composer) -> Defaults:
    """Read what the default composition of each model has at the keys of the space.

    Args:
        space: Search space; its fixed overrides are part of the default compositions.
        composer: Composer of the search.

    Returns:
        Option or value by key, by model option; a key that the composition lacks is left out.
    """
    return {model: dict(_read_values(space, model, composer)) for model in space.models}


def _read_values(space: Space, model: str, composer: Composer) -> Iterator[tuple[str, Any]]:
    choice = () if space.model_dimension is None else (f"{MODEL_GROUP}={model}",)
    composed = composer.compose((*space.list_fixed(model), *choice))
    for key in [key for dimension in space.list_dimensions(model) for key in dimension.keys]:
        value = composed.choices.get(key, ABSENT)
        value = OmegaConf.select(composed.cfg, key, default=ABSENT) if value is ABSENT else value
        if value is not ABSENT:
            yield key, OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value


def enqueue_first_trials(study: Study, plan: SearchPlan, lock: AbstractContextManager[Any] | None = None) -> None:
    """Queue the compositions of `hydra.sweeper.warm_start`, then the default of each model, once in a study's life.

    Args:
        study: Study of the sweep.
        plan: Plan of the search.
        lock: Lock that other processes take for the same study; None if no other process can work at it.
    """
    with lock or nullcontext():
        warm_start.enqueue_warm_start(study, plan.settings.warm_start, plan.space, plan.home, plan.defaults)
        if plan.settings.first == "defaults" and not plan.settings.is_grid:
            _enqueue_defaults(study, plan)


def _enqueue_defaults(study: Study, plan: SearchPlan) -> None:
    for model in plan.space.models:
        trials = study.get_trials(deepcopy=False)
        if count_valid(trials) >= plan.limit:
            return
        if not any(_is_of(model, trial) for trial in trials):
            params = list_params(plan.space, model, plan.defaults[model])
            study.enqueue_trial(params, user_attrs=describe_default(model, params))


def _is_of(model: str, trial: FrozenTrial) -> bool:
    """Check whether a trial tries the defaults of a model; one beyond an earlier `n_trials` never ran."""
    attributes = trial.user_attrs
    return attributes.get(DEFAULT_OF, {}).get("model") == model and attributes.get(VOID) != "surplus"


def describe_gaps(plan: SearchPlan) -> list[str]:
    """Describe, in one sentence for each model, which of its defaults are not values of the space."""
    if plan.settings.first != "defaults" or plan.settings.is_grid:
        return []
    gaps = {model: list(_list_gaps(plan.space, model, values)) for model, values in plan.defaults.items()}
    return [f"{model}: {'; '.join(texts)}; the sampler draws it" for model, texts in gaps.items() if texts]


def _list_gaps(space: Space, model: str, values: dict[str, Any]) -> Iterator[str]:
    for dimension in space.list_dimensions(model):
        if find_param(dimension, values):
            continue
        if all(key in values for key in dimension.keys):
            texts = [write_override(key, values[key]) for key in dimension.keys]
            yield f"{','.join(texts)} lies outside {dimension.text}"
        else:
            yield f"{dimension.key} has no default"

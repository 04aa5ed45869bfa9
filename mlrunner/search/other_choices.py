"""Continue a study with other choices, which Optuna keeps for all trials of a study: write its trials anew.

Numbers, values and attributes of the trials stay, and with them folders and MLflow runs. The copy is complete before
the study is deleted, so that the next session finishes or undoes what a killed one has begun.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial

from mlrunner.core.errors import ConfigError
from mlrunner.search.distributions import contains
from mlrunner.search.session_watch import SessionWatch
from mlrunner.search.trial_attributes import DEFAULT_OF
from mlrunner.tracking.studies import HEARTBEAT_SECONDS, SWEEPER_KEY

COPY_SUFFIX = " (other choices)"  # of the name of the copy, which exists for a moment
IS_COMPLETE = "is_complete"  # attribute of a copy that holds all trials
FIXED_PARAMS = "fixed_params"  # where Optuna keeps the values of a queued trial

Distributions = dict[str, BaseDistribution]


def adopt_choices(study: optuna.Study, storage: BaseStorage, distributions: Distributions, is_grid: bool) -> bool:
    """Write the trials of a study anew where Optuna refuses the current kind or choices of a parameter.

    A parameter whose value is not possible any more is left out of its trial, which keeps its result.

    Args:
        study: Study of the earlier search.
        storage: Storage of the study.
        distributions: Distribution of each parameter of the current search.
        is_grid: Whether the search is a grid.

    Returns:
        Whether the study was replaced: it must be opened again.

    Raises:
        ConfigError: When the search is a grid, or another session of the study is alive.
    """
    trials = study.get_trials(deepcopy=False)
    changed = {name: new for name, new in distributions.items() if any(_conflicts(name, new, t) for t in trials)}
    if not changed:
        return False
    text = f"study {study.study_name}: {', '.join(sorted(changed))} had another kind or other choices"
    if is_grid:  # the place of a trial is its combination
        raise ConfigError(
            f"{text}, which changes the order of a grid; choose another {SWEEPER_KEY}.study_name, as in "
            f"{SWEEPER_KEY}.study_name={study.study_name}-2."
        )
    if SessionWatch(study, HEARTBEAT_SECONDS).has_live():
        raise ConfigError(f"{text}, and another session of it is running; stop that one, or wait for its end.")
    name = study.study_name + COPY_SUFFIX
    _copy(storage, study.study_name, name, lambda trial: _adapt(trial, changed))
    optuna.load_study(study_name=name, storage=storage).set_user_attr(IS_COMPLETE, True)
    finish_adoption(storage, study.study_name)
    return True


def finish_adoption(storage: BaseStorage, name: str) -> None:
    """Replace a study by its complete copy, or delete a copy that is not complete; without a copy, do nothing."""
    names, copied = optuna.get_all_study_names(storage), name + COPY_SUFFIX
    if copied not in names:
        return
    if optuna.load_study(study_name=copied, storage=storage).user_attrs.get(IS_COMPLETE):
        if name in names:
            optuna.delete_study(study_name=name, storage=storage)
        _copy(storage, copied, name, lambda trial: trial)
    optuna.delete_study(study_name=copied, storage=storage)


def _copy(storage: BaseStorage, source: str, target: str, convert: Callable[[FrozenTrial], FrozenTrial]) -> None:
    """Copy a study, but for what samplers keep in it: the ids of trials, which the copy does not have."""
    old = optuna.load_study(study_name=source, storage=storage)
    new = optuna.create_study(study_name=target, storage=storage, directions=old.directions)
    for key, value in old.user_attrs.items():
        if key != IS_COMPLETE:
            new.set_user_attr(key, value)
    new.add_trials(convert(trial) for trial in old.get_trials(deepcopy=False))


def _conflicts(name: str, new: BaseDistribution, trial: FrozenTrial) -> bool:
    """Check whether Optuna refuses a distribution, or the value that is queued for it."""
    fixed = trial.system_attrs.get(FIXED_PARAMS, {})
    is_lost = not trial.state.is_finished() and name in fixed and not _find_value(new, fixed[name])
    return is_lost or _is_refused(name, new, trial)


def _is_refused(name: str, new: BaseDistribution, trial: FrozenTrial) -> bool:
    if name not in trial.distributions:
        return False
    try:
        optuna.distributions.check_distribution_compatibility(trial.distributions[name], new)
    except ValueError:
        return True
    return False


def _adapt(trial: FrozenTrial, changed: Distributions) -> FrozenTrial:
    """Return a copy of a trial with the changed distributions, without the values that they do not have."""
    refused = {name: new for name, new in changed.items() if _is_refused(name, new, trial)}
    adapted = copy.deepcopy(trial)
    adapted.params = _convert(trial.params, refused)
    adapted.distributions = {name: {**trial.distributions, **refused}[name] for name in adapted.params}
    if FIXED_PARAMS in trial.system_attrs:
        adapted.system_attrs[FIXED_PARAMS] = _convert(trial.system_attrs[FIXED_PARAMS], changed)
    if trial.state.is_finished() and DEFAULT_OF in trial.user_attrs:  # it stays the default of its model
        default = trial.user_attrs[DEFAULT_OF]
        lost = trial.params.keys() - adapted.params.keys()
        adapted.user_attrs[DEFAULT_OF] = {**default, "params": [p for p in default["params"] if p not in lost]}
    return adapted


def _convert(params: dict[str, Any], changed: Distributions) -> dict[str, Any]:
    """Convert parameters to the changed distributions; leave out those that have no such value."""
    pairs = [
        (name, _find_value(changed[name], value) if name in changed else [value]) for name, value in params.items()
    ]
    return {name: values[0] for name, values in pairs if values}


def _find_value(distribution: BaseDistribution, value: Any) -> list[Any]:
    """Find a value in a distribution; an empty list stands for none, since null is a choice."""
    if isinstance(distribution, CategoricalDistribution):
        return [choice for choice in distribution.choices if repr(choice) == repr(value)][:1]  # NaN, and 1 is not True
    if not isinstance(value, int | float) or isinstance(value, bool) or not contains(distribution, value):
        return []
    return [int(value) if isinstance(distribution, IntDistribution) else float(value)]

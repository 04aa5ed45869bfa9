"""Copies of studies for Optuna's plots: finite and comparable trials, and short names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mlrunner.evaluation.plots import style

if TYPE_CHECKING:
    import optuna
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial

    _Range = tuple[BaseDistribution, Callable[[Any], Any]]

MIN_MODEL_TRIALS = 4  # trials required for plots of one model
MAX_MODELS = 5  # models with plots of their own
MODEL_PARAMETER = "model"  # its value decides which other parameters a trial has
AXIS_LIMIT = 1e100  # values from which matplotlib's axes overflow


def list_finite(study: optuna.Study) -> list[FrozenTrial]:
    """List the complete trials whose values are below AXIS_LIMIT."""
    trials = study.get_trials(deepcopy=False)
    return [t for t in trials if t.state.name == "COMPLETE" and all(abs(v) < AXIS_LIMIT for v in t.values)]


def list_varying(trials: Sequence[FrozenTrial], shared: bool = True) -> list[str]:
    """List the parameters with more than one value.

    Args:
        trials: Complete trials.
        shared: Whether to list only parameters that every trial has.
    """
    values_by_name: dict[str, list[str]] = {}
    for name, value in (item for trial in trials for item in trial.params.items()):
        values_by_name.setdefault(name, []).append(str(value))
    least = len(trials) if shared else 2
    return [name for name, values in values_by_name.items() if len(values) >= least and len(set(values)) > 1]


def group_by_model(trials: Sequence[FrozenTrial]) -> dict[str, list[FrozenTrial]]:
    """Group the trials by model; empty when all models have the same parameters."""
    if set(list_varying(trials, shared=False)) == set(list_varying(trials)):
        return {}
    groups: dict[str, list[FrozenTrial]] = {}
    for trial in trials:
        if MODEL_PARAMETER in trial.params:
            groups.setdefault(str(trial.params[MODEL_PARAMETER]), []).append(trial)
    most = sorted(groups, key=lambda model: -len(groups[model]))[:MAX_MODELS]
    return {model: groups[model] for model in most if len(groups) > 1 and len(groups[model]) >= MIN_MODEL_TRIALS}


def copy_trials(study: optuna.Study, trials: Sequence[FrozenTrial], names: Sequence[str]) -> optuna.Study:
    """Copy trials into a study of the first objective; failed trials fill the gaps, so that trial numbers stay.

    Args:
        study: Study of the search.
        trials: Complete trials of it.
        names: Parameters to copy. They get short names, which Optuna does not truncate, and the union of the ranges in
            all sessions of a resumed search.
    """
    import optuna

    new = dict(zip(names, shorten_parameters(names, 19), strict=True))
    ranges = {name: _merge_distributions(name, [trial for trial in trials if name in trial.params]) for name in names}
    numbers = {trial.number: trial for trial in trials}
    clean = optuna.create_study(direction=study.directions[0])
    blank = optuna.create_trial(state=optuna.trial.TrialState.FAIL)
    for number in range(trials[-1].number + 1):
        clean.add_trial(_copy_trial(numbers[number], new, ranges) if number in numbers else blank)
    return clean


def _copy_trial(trial: FrozenTrial, new: Mapping[str, str], ranges: Mapping[str, _Range]) -> FrozenTrial:
    from optuna import create_trial

    names = [name for name in new if name in trial.params]
    params = {new[name]: ranges[name][1](trial.params[name]) for name in names}
    kinds = {new[name]: ranges[name][0] for name in names}
    return create_trial(value=trial.values[0], params=params, distributions=kinds)


def _merge_distributions(name: str, trials: Sequence[FrozenTrial]) -> _Range:
    """Return the union of a parameter's distributions, and a function that converts its values."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    kinds: list[Any] = [trial.distributions[name] for trial in trials]
    categorical = [isinstance(kind, CategoricalDistribution) for kind in kinds]
    if any(categorical) and not all(categorical):  # a resumed search replaced a range by choices
        return CategoricalDistribution(list(dict.fromkeys(str(trial.params[name]) for trial in trials))), str
    if all(categorical):
        choices = list({repr(choice): choice for kind in kinds for choice in kind.choices}.values())
        texts = [choice for choice in choices if isinstance(choice, str)]
        short = dict(zip(texts, _escape(style.short_names(texts, 17)), strict=True))
        short = short if len({*short.values()}) == len(texts) else {}
        return CategoricalDistribution(
            [_shorten_choice(short, choice) for choice in choices]
        ), lambda v: _shorten_choice(short, v)
    low, high = min(kind.low for kind in kinds), max(kind.high for kind in kinds)
    log = all(kind.log for kind in kinds) and low > 0
    if all(isinstance(kind, IntDistribution) for kind in kinds):
        return IntDistribution(low, high, log=log), int
    return FloatDistribution(low, high, log=log), float


def _shorten_choice(short: dict[str, str], choice: Any) -> Any:
    return short.get(choice, choice) if isinstance(choice, str) else choice


def shorten_parameters(names: Sequence[str], length: int) -> list[str]:
    """Shorten each parameter to the last part of its key, or to the shortest unique ending."""
    forms: dict[str, list[str]] = {}
    for name in names:
        prefix, colon, key = name.rpartition(":")
        parts = key.split(".")
        tails = [".".join(parts[k:]) for k in reversed(range(len(parts)))]
        forms[name] = [before + tail for tail in tails for before in ("", prefix + colon)]
    uses = Counter(form for some in forms.values() for form in set(some))
    full = [next((f for f in forms[name] if uses[f] == 1), name) for name in names]
    short = _escape(style.short_names(full, length))
    return short if len(set(short)) == len(names) else _escape(full)


def _escape(texts: Sequence[str]) -> list[str]:
    """Escape dollar signs, between which matplotlib parses a formula."""
    return [text.replace("$", r"\$") for text in texts]


def shorten_metric(name: str) -> str:
    """Shorten and escape a metric name for an axis label."""
    return _escape([style.shorten(name, 30)])[0]


def choose_sign(study: optuna.Study, objective: int) -> int:
    """Return -1 for an objective to maximize, else 1."""
    return -1 if study.directions[objective].name == "MAXIMIZE" else 1


def describe_study(study: optuna.Study) -> str:
    """Return the name of the study and its number of trials by state."""
    states = Counter(trial.state.name for trial in study.get_trials(deepcopy=False))
    complete = len(list_finite(study))
    counts = {"complete": complete, "not finite": states["COMPLETE"] - complete}
    counts |= {"pruned": states["PRUNED"], "failed": states["FAIL"]}
    text = f"{study.study_name}: " + ", ".join(f"{count:,} {word}" for word, count in counts.items() if count)
    return _escape([style.shorten(text, 90)])[0]

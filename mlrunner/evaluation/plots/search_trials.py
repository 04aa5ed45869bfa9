"""Trials of a search, copied into studies that Optuna's pictures can show: finite, comparable, with short names."""

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

LEAST = 4  # trials of a model that has pictures of its own
MODELS = 5  # that have pictures of their own at most
MODEL = "model"  # the parameter that decides which others a trial has
HUGE = 1e100  # matplotlib's axes overflow from here on


def finite(study: optuna.Study) -> list[FrozenTrial]:
    """List the complete trials whose values an axis can show."""
    trials = study.get_trials(deepcopy=False)
    return [t for t in trials if t.state.name == "COMPLETE" and all(abs(v) < HUGE for v in t.values)]


def varying(trials: Sequence[FrozenTrial], shared: bool = True) -> list[str]:
    """List the parameters that take several values; shared: only those that every trial has."""
    seen: dict[str, list[str]] = {}
    for name, value in (item for trial in trials for item in trial.params.items()):
        seen.setdefault(name, []).append(str(value))
    least = len(trials) if shared else 2
    return [name for name, values in seen.items() if len(values) >= least and len(set(values)) > 1]


def by_model(trials: Sequence[FrozenTrial]) -> dict[str, list[FrozenTrial]]:
    """Group the trials by model where models have parameters of their own; empty where they share all."""
    if set(varying(trials, shared=False)) == set(varying(trials)):
        return {}
    groups: dict[str, list[FrozenTrial]] = {}
    for trial in trials:
        if MODEL in trial.params:
            groups.setdefault(str(trial.params[MODEL]), []).append(trial)
    most = sorted(groups, key=lambda model: -len(groups[model]))[:MODELS]
    return {model: groups[model] for model in most if len(groups) > 1 and len(groups[model]) >= LEAST}


def copy(study: optuna.Study, trials: Sequence[FrozenTrial], names: Sequence[str]) -> optuna.Study:
    """Copy trials into a study of the first objective; the other trials are blank, so that numbers stay.

    Args:
        study: The search.
        trials: Complete trials of it.
        names: Parameters to keep. They get short names, which Optuna does not cut, and the union of the ranges that a
            resumed search gave them.
    """
    import optuna

    new = dict(zip(names, labels(names, 19), strict=True))
    ranges = {name: _union(name, [trial for trial in trials if name in trial.params]) for name in names}
    numbers = {trial.number: trial for trial in trials}
    clean = optuna.create_study(direction=study.directions[0])
    blank = optuna.create_trial(state=optuna.trial.TrialState.FAIL)
    for number in range(trials[-1].number + 1):
        clean.add_trial(_renamed(numbers[number], new, ranges) if number in numbers else blank)
    return clean


def _renamed(trial: FrozenTrial, new: Mapping[str, str], ranges: Mapping[str, _Range]) -> FrozenTrial:
    from optuna import create_trial

    names = [name for name in new if name in trial.params]
    params = {new[name]: ranges[name][1](trial.params[name]) for name in names}
    kinds = {new[name]: ranges[name][0] for name in names}
    return create_trial(value=trial.values[0], params=params, distributions=kinds)


def _union(name: str, trials: Sequence[FrozenTrial]) -> _Range:
    """Widen a range to hold all of a parameter's ranges; also return what turns its values into readable ones."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    kinds: list[Any] = [trial.distributions[name] for trial in trials]
    categorical = [isinstance(kind, CategoricalDistribution) for kind in kinds]
    if any(categorical) and not all(categorical):  # a resumed search made choices of a range
        return CategoricalDistribution(list(dict.fromkeys(str(trial.params[name]) for trial in trials))), str
    if all(categorical):
        choices = list({repr(choice): choice for kind in kinds for choice in kind.choices}.values())
        texts = [choice for choice in choices if isinstance(choice, str)]
        short = dict(zip(texts, _escaped(style.short_names(texts, 17)), strict=True))
        short = short if len({*short.values()}) == len(texts) else {}
        return CategoricalDistribution([_replaced(short, choice) for choice in choices]), lambda v: _replaced(short, v)
    low, high = min(kind.low for kind in kinds), max(kind.high for kind in kinds)
    log = all(kind.log for kind in kinds) and low > 0
    if all(isinstance(kind, IntDistribution) for kind in kinds):
        return IntDistribution(low, high, log=log), int
    return FloatDistribution(low, high, log=log), float


def _replaced(short: dict[str, str], choice: Any) -> Any:
    return short.get(choice, choice) if isinstance(choice, str) else choice


def labels(names: Sequence[str], length: int) -> list[str]:
    """Name each parameter by the last part of its key, or by as much more as tells it from the others."""
    forms: dict[str, list[str]] = {}
    for name in names:
        prefix, colon, key = name.rpartition(":")
        parts = key.split(".")
        tails = [".".join(parts[k:]) for k in reversed(range(len(parts)))]
        forms[name] = [before + tail for tail in tails for before in ("", prefix + colon)]
    uses = Counter(form for some in forms.values() for form in set(some))
    full = [next((f for f in forms[name] if uses[f] == 1), name) for name in names]
    short = _escaped(style.short_names(full, length))
    return short if len(set(short)) == len(names) else _escaped(full)


def _escaped(texts: Sequence[str]) -> list[str]:
    """Keep matplotlib from reading a formula between two dollar signs."""
    return [text.replace("$", r"\$") for text in texts]


def name_metric(name: str) -> str:
    """Make the name of a metric fit for an axis."""
    return _escaped([style.shorten(name, 30)])[0]


def sign_of(study: optuna.Study, objective: int) -> int:
    """Return -1 for an objective to maximize, else 1."""
    return -1 if study.directions[objective].name == "MAXIMIZE" else 1


def subject(study: optuna.Study) -> str:
    """Name the study, and count its trials by how they ended."""
    states = Counter(trial.state.name for trial in study.get_trials(deepcopy=False))
    complete = len(finite(study))
    counts = {"complete": complete, "not finite": states["COMPLETE"] - complete}
    counts |= {"pruned": states["PRUNED"], "failed": states["FAIL"]}
    text = f"{study.study_name}: " + ", ".join(f"{count:,} {word}" for word, count in counts.items() if count)
    return _escaped([style.shorten(text, 90)])[0]

"""The pictures of a grid: its compositions become the trials of a study, and are drawn like those of a search."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlrunner.tracking.records import read_yaml

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from optuna import Study
    from optuna.distributions import BaseDistribution

    from mlrunner.core.outcome import Outcome

MIN_COMPOSITIONS = 4  # compositions that ended, below which the leaderboard says all
LOG_RATIO = 100  # from this ratio on, numbers stand on a logarithmic axis
OVERRIDES = ".hydra/overrides.yaml"


def draw_grid(name: str, outcomes: Sequence[Outcome], goal: Mapping[str, str]) -> Mapping[str, Figure]:
    """Draw what a grid found; nothing where few ended, or their folders are gone.

    Args:
        name: Of the grid.
        outcomes: In any order.
        goal: The objectives, each with its direction; of a grid one.
    """
    told = [(one, _told(one)) for one in sorted(outcomes, key=lambda one: one.job or 0)]
    if sum(_ended(one) and bool(params) for one, params in told) < MIN_COMPOSITIONS:
        return {}
    from mlrunner.evaluation.plots import search

    metric, direction = next(iter(goal.items()))
    return search.draw_search_figures(_study(name, direction, told), [metric])


def _ended(one: Outcome) -> bool:
    return one.error is None and math.isfinite(one.objective)


def _told(one: Outcome) -> dict[str, str]:
    """Read what was typed for a composition, by key."""
    file = Path(one.folder, OVERRIDES)
    found = read_yaml(file.read_text()) if one.folder and file.is_file() else None
    texts = [str(text) for text in found] if isinstance(found, list) else []
    pairs = (text.lstrip("+~").partition("=") for text in texts)
    return {key: value for key, _, value in pairs if not key.startswith("hydra")}


def _study(name: str, direction: Any, told: Sequence[tuple[Outcome, dict[str, str]]]) -> Study:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    texts: dict[str, list[str]] = {}
    for key, text in (item for _, params in told for item in params.items()):
        texts.setdefault(key, []).append(text)
    values = {key: _values(some) for key, some in texts.items()}
    ranges = {key: _range(list(some.values())) for key, some in values.items()}
    study = optuna.create_study(study_name=name, direction=direction)
    for one, params in told:
        ended: dict[str, Any] = {"value": one.objective} if _ended(one) else {"state": optuna.trial.TrialState.FAIL}
        chosen = {key: values[key][text] for key, text in params.items()}
        study.add_trial(optuna.create_trial(**ended, params=chosen, distributions={key: ranges[key] for key in chosen}))
    return study


def _values(texts: Sequence[str]) -> dict[str, Any]:
    """Read texts as numbers, where all of them are: `80_20` is none, which Python would read as one."""
    for kind in () if any("_" in text for text in texts) else (int, float):
        try:
            found: dict[str, Any] = {text: kind(text) for text in texts}
        except ValueError:
            continue
        if all(math.isfinite(value) for value in found.values()):
            return found
    return {text: text for text in texts}


def _range(values: Sequence[Any]) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(values[0], str):
        return CategoricalDistribution(values)
    low, high = min(values), max(values)
    kind = IntDistribution if isinstance(low, int) else FloatDistribution
    return kind(low, high, log=low > 0 and high / low >= LOG_RATIO)

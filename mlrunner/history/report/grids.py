"""Draw the figures of a grid: its jobs become trials of a study, which is drawn like a search."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlrunner.core.safe_yaml import read_yaml

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from optuna import Study
    from optuna.distributions import BaseDistribution

    from mlrunner.core.outcome import Outcome

MIN_COMPOSITIONS = 4  # below this number of completed jobs, the leaderboard is enough
LOG_RATIO = 100  # from this ratio of largest to smallest value on, the axis is logarithmic
OVERRIDES = ".hydra/overrides.yaml"


def draw_grid(name: str, outcomes: Sequence[Outcome], goal: Mapping[str, str]) -> Mapping[str, Figure]:
    """Draw the figures of a grid; none if too few jobs completed, or their folders are missing.

    Args:
        name: Name of the grid.
        outcomes: Outcomes of the jobs in any order.
        goal: Direction of the only objective.
    """
    jobs = [(outcome, _read_overrides(outcome)) for outcome in sorted(outcomes, key=lambda outcome: outcome.job or 0)]
    if sum(_has_score(outcome) and bool(params) for outcome, params in jobs) < MIN_COMPOSITIONS:
        return {}
    from mlrunner.evaluation.plots import search

    metric, direction = next(iter(goal.items()))
    return search.draw_search_figures(_make_study(name, direction, jobs), [metric])


def _has_score(outcome: Outcome) -> bool:
    return outcome.error is None and math.isfinite(outcome.objective)


def _read_overrides(outcome: Outcome) -> dict[str, str]:
    """Read the overrides of a job by key."""
    file = Path(outcome.folder, OVERRIDES)
    overrides = read_yaml(file.read_text()) if outcome.folder and file.is_file() else None
    texts = [str(text) for text in overrides] if isinstance(overrides, list) else []
    pairs = (text.lstrip("+~").partition("=") for text in texts)
    return {key: value for key, _, value in pairs if not key.startswith("hydra")}


def _make_study(name: str, direction: Any, jobs: Sequence[tuple[Outcome, dict[str, str]]]) -> Study:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    texts: dict[str, list[str]] = {}
    for key, text in (item for _, params in jobs for item in params.items()):
        texts.setdefault(key, []).append(text)
    values = {key: _parse_values(column) for key, column in texts.items()}
    ranges = {key: _range(list(column.values())) for key, column in values.items()}
    study = optuna.create_study(study_name=name, direction=direction)
    for outcome, params in jobs:
        result: dict[str, Any] = (
            {"value": outcome.objective} if _has_score(outcome) else {"state": optuna.trial.TrialState.FAIL}
        )
        params_read = {key: values[key][text] for key, text in params.items()}
        study.add_trial(
            optuna.create_trial(**result, params=params_read, distributions={key: ranges[key] for key in params_read})
        )
    return study


def _parse_values(texts: Sequence[str]) -> dict[str, Any]:
    """Parse texts as numbers if all of them are numbers; `80_20`, which Python parses as one, is not."""
    for kind in () if any("_" in text for text in texts) else (int, float):
        try:
            values: dict[str, Any] = {text: kind(text) for text in texts}
        except ValueError:
            continue
        if all(math.isfinite(value) for value in values.values()):
            return values
    return {text: text for text in texts}


def _range(values: Sequence[Any]) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(values[0], str):
        return CategoricalDistribution(values)
    low, high = min(values), max(values)
    kind = IntDistribution if isinstance(low, int) else FloatDistribution
    return kind(low, high, log=low > 0 and high / low >= LOG_RATIO)

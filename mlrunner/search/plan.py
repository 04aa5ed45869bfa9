"""Plan and check a search before a trial starts; a dry run prints the plan."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from mlrunner.composition.config_source import read_config_flags
from mlrunner.core.outcome import OUTCOME_FILE
from mlrunner.core.table import text_table
from mlrunner.core.terminal import console, show_line
from mlrunner.search import default_trials, warm_start
from mlrunner.search.grid_order import list_combinations
from mlrunner.search.objective import choose_objectives, count_trials
from mlrunner.search.space_check import check_space
from mlrunner.search.trial_preparation import PreparedTrial, TrialPreparer
from mlrunner.search.warm_start import Defaults

if TYPE_CHECKING:
    from optuna.trial import Trial

    from mlrunner.search.composer import Composer
    from mlrunner.search.objective import Objectives
    from mlrunner.search.settings import SweepSettings
    from mlrunner.search.space import Space

PREVIEW_TRIALS = 5
DRAWS_PER_PREVIEW = 20  # most draws may be excluded
RECENT_RUNS = 200  # enough to estimate the duration


@dataclass(frozen=True)
class SearchPlan:
    """A checked search.

    Args:
        space: Search space.
        objectives: Metrics and directions.
        limit: Number of trials of the whole search.
        settings: Settings of the sweep.
        first: First composition that was checked.
        config_flags: Flags `-cp`, `-cn` and `-cd` of the sweep with their values; empty without them.
        defaults: Option or value by key of the space, in the default composition of each model option.
    """

    space: Space
    objectives: Objectives
    limit: int
    settings: SweepSettings
    first: PreparedTrial
    config_flags: tuple[str, ...] = ()
    defaults: Defaults = field(default_factory=dict)

    @property
    def home(self) -> Path:
        """The folder that holds `.mlrunner/` and `multirun/`."""
        return self.first.composition.settings.home


def make_plan(settings: SweepSettings, space: Space, composer: Composer) -> tuple[SearchPlan, TrialPreparer]:
    """Check a whole search without running anything.

    Returns:
        The plan, and the preparer of its trials.

    Raises:
        MlrunnerError: When anything is wrong; one sentence for each problem.
    """
    preparer = TrialPreparer(composer, settings.repeats, tuple(text for text, _ in space.fixed))
    first = check_space(space, preparer)
    objectives = choose_objectives(settings, first.composition.settings.objective, first.composition.settings.metric)
    limit, config_flags = count_trials(settings, space), read_config_flags(composer.config.hydra)
    plan = SearchPlan(
        space, objectives, limit, settings, first, config_flags, default_trials.read_defaults(space, composer)
    )
    warm_start.check_warm_start(settings, space, plan.home, first.composition["dataset"])
    return plan, preparer


def draw_first_trials(
    plan: SearchPlan,
    build_sampler: Callable[[int], Any],
    count: int = PREVIEW_TRIALS,
    customize: Callable[[Trial], None] | None = None,
) -> list[tuple[str, ...]]:
    """Draw the overrides of the first trials, in a temporary study.

    Args:
        plan: Plan of the search.
        build_sampler: Function that returns the sampler of a trial by its number.
        count: Number of trials.
        customize: Function of `hydra.sweeper.custom_search_space`; None without one.

    Returns:
        The overrides of each trial.

    Raises:
        ConfigError: When the function sets a key that a fixed override sets.
    """
    import optuna

    count, space = min(count, plan.limit), plan.space
    if plan.settings.is_grid:
        combinations = list_combinations(space, plan.settings.sampler.get("seed"))
        return [space.overrides(params) for params in combinations[:count]]
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(directions=list(plan.objectives.directions))
    default_trials.enqueue_first_trials(study, plan)
    trials: list[tuple[str, ...]] = []
    for number in range(count * DRAWS_PER_PREVIEW):
        study.sampler = build_sampler(number)
        overrides = space.suggest(study.ask(), customize)
        if not space.excludes(overrides):
            trials.append(overrides)
        if len(trials) == count:
            break
    return trials


def show_plan(plan: SearchPlan, trials: list[tuple[str, ...]]) -> None:
    """Print a plan."""
    out = console()
    size = plan.space.size
    total = f" of {size:,.0f} combinations" if math.isfinite(size) else ""
    out.print(Text.assemble(("mlrunner  ", "bold"), ("plan", "bold cyan"), f"  {plan.limit} trials{total}"))
    for name, direction in zip(plan.objectives.metrics, plan.objectives.directions, strict=True):
        show_line("objective", f"{direction} {name}")
    show_line("sampler", str(plan.settings.sampler["_target_"]).rpartition(".")[2])
    rows = [((f"  {each.key}", each.text, each.model or "all"), "") for each in plan.space.dimensions]
    names = ("  dimension", "values", "model")
    out.print(text_table(names, rows, names))
    out.print(Text("\n  first compositions", "dim"))
    fixed = {text for text, _ in plan.space.fixed}
    for overrides in trials:
        out.print(f"    {' '.join(text for text in overrides if text not in fixed) or 'default'}")
    for sentence in default_trials.describe_gaps(plan):
        show_line("defaults", sentence)
    out.print()
    show_line("time", estimate_time(plan))


def estimate_time(plan: SearchPlan) -> str:
    """Estimate the duration of a search from the median of earlier runs of the same models on the same data set."""
    seconds = sorted(_read_seconds(plan))
    if not seconds:
        return "unknown: no earlier run with these models and this data; run one first"
    each = seconds[len(seconds) // 2]
    whole = each * plan.limit * plan.settings.repeats / plan.settings.n_jobs
    return (
        f"about {whole:,.0f} s: {plan.limit} trials of {each:.2f} s, {plan.settings.n_jobs} at a time "
        f"(median fit and score of {len(seconds)} earlier runs)"
    )


def _read_seconds(plan: SearchPlan) -> Iterator[float]:
    """Read how long recent fits of these models took on this data set."""
    files = sorted((plan.home / "multirun").glob(f"*/*/**/{OUTCOME_FILE}"), reverse=True)[:RECENT_RUNS]
    label = f"name: {plan.first.composition['dataset']['name']}\n"
    for file in files:
        config = file.parent / ".hydra" / "config.yaml"
        text = config.read_text() if config.exists() else ""
        if label in text and any(f"name: {model}\n" in text for model in plan.space.models):
            outcome = json.loads(file.read_text())
            if outcome.get("fit_seconds") is not None:
                yield outcome["fit_seconds"] + outcome["score_seconds"]

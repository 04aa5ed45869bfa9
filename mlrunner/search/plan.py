"""The plan of a search: everything that is decided and checked before a trial starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlrunner.core.terminal import relative_path
from mlrunner.search import warm_start
from mlrunner.search.objective import choose_objectives, count_trials
from mlrunner.search.space_check import check_space
from mlrunner.search.trial_preparation import PreparedTrial, TrialPreparer

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from mlrunner.search.composer import Composer
    from mlrunner.search.objective import Objectives
    from mlrunner.search.settings import SweepSettings
    from mlrunner.search.space import Space

PREVIEW_TRIALS = 5
DRAWS_PER_PREVIEW = 20  # most draws may be excluded


@dataclass(frozen=True)
class SearchPlan:
    """A checked search.

    Args:
        space: Search space.
        objectives: Metrics and directions.
        limit: Number of trials of the whole search.
        settings: Settings of the sweep.
        first: First composition that was checked.
        config_flags: Flag of a further folder of configuration with the folder; empty without one.
    """

    space: Space
    objectives: Objectives
    limit: int
    settings: SweepSettings
    first: PreparedTrial
    config_flags: tuple[str, ...] = ()

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
    objectives = choose_objectives(settings, first.composition.settings.objective)
    limit, config_flags = count_trials(settings, space), read_config_flags(composer.config)
    plan = SearchPlan(space, objectives, limit, settings, first, config_flags)
    warm_start.check_warm_start(settings, space, plan.home)
    return plan, preparer


def read_config_flags(config: DictConfig) -> tuple[str, ...]:
    """Read the flag `-cd` of a sweep, with its folder relative to the working folder.

    Args:
        config: Configuration of the whole sweep, with its `hydra` node.
    """
    sources = [source for source in config.hydra.runtime.config_sources if source.provider == "command-line"]
    return tuple(word for source in sources for word in ("-cd", relative_path(str(source.path))))


def draw_first_trials(
    plan: SearchPlan, build_sampler: Callable[[int], Any], count: int = PREVIEW_TRIALS
) -> list[tuple[str, ...]]:
    """Draw the overrides of the first trials, in a temporary study.

    Args:
        plan: Plan of the search.
        build_sampler: Function that returns the sampler of a trial by its number.
        count: Number of trials.

    Returns:
        The overrides of each trial.
    """
    import optuna

    count, space = min(count, plan.limit), plan.space
    if plan.settings.is_grid:
        return [space.overrides(params) for params in space.grid()[:count]]
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(directions=list(plan.objectives.directions))
    warm_start.enqueue_warm_start(study, plan.settings.warm_start, space, plan.home)
    trials: list[tuple[str, ...]] = []
    for number in range(count * DRAWS_PER_PREVIEW):
        study.sampler = build_sampler(number)
        overrides = space.suggest(study.ask())
        if not space.excludes(overrides):
            trials.append(overrides)
        if len(trials) == count:
            break
    return trials

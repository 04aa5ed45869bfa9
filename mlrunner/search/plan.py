"""What a search would do, looked at before anything is spent: every composition of choices is composed and checked."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from rich.table import Table
from rich.text import Text

from mlrunner.core.errors import MlrunnerError, ProblemsError
from mlrunner.core.overrides import misread
from mlrunner.core.terminal import console
from mlrunner.search import warm_start
from mlrunner.search.objective import goal_of, limit_of
from mlrunner.search.trial_preparation import Draft, Drafts

if TYPE_CHECKING:
    from mlrunner.search.composer import Composer
    from mlrunner.search.grammar import Dimension
    from mlrunner.search.objective import Goal
    from mlrunner.search.settings import SweepSettings
    from mlrunner.search.space import Space

MANY = 64  # sets of choices that are all checked; of more, each choice once
SHOWN = 5  # first compositions of a dry run
DRAWS = 20  # for each that is shown, where most are excluded


@dataclass(frozen=True)
class Plan:
    """A search that could begin.

    Args:
        space: What varies.
        goal: What for.
        limit: How many trials.
        settings: Of the sweeper.
        first: A checked composition.
    """

    space: Space
    goal: Goal
    limit: int
    settings: SweepSettings
    first: Draft

    @property
    def home(self) -> Path:
        """The folder that holds `.mlrunner/` and `multirun/`."""
        return self.first.composition.settings.home


def make(settings: SweepSettings, space: Space, composer: Composer) -> tuple[Plan, Drafts]:
    """Check a search whole.

    Returns:
        The plan, and what drafts its trials.

    Raises:
        MlrunnerError: With a sentence for each problem; nothing has run.
    """
    drafts = Drafts(composer, settings.repeats, tuple(text for text, _ in space.fixed))
    first = check(space, drafts)
    goal = goal_of(settings, first.composition.settings.objective)
    plan = Plan(space, goal, limit_of(settings, space), settings, first)
    warm_start.check(settings, space, plan.home)
    return plan, drafts


def check(space: Space, drafts: Drafts) -> Draft:
    """Compose and check every set of choices, and both ends of every range.

    Returns:
        The first composition.

    Raises:
        ProblemsError: With a sentence for each problem; nothing has run.
    """
    problems: list[str] = []
    first: Draft | None = None
    for params in probes(space):
        overrides = space.overrides(params)
        if space.excludes(overrides):
            continue
        try:
            found = drafts.draft(overrides)
            first = first or found
        except (MlrunnerError, HydraException, OmegaConfBaseException) as error:
            told = getattr(error, "problems", [" ".join(str(error).split())])
        except ValueError as error:  # Hydra's, of an option that is no text
            told = [misread(overrides, error)]
        else:
            continue
        problems += [one for one in told if one not in problems]
    if problems or first is None:
        raise ProblemsError(problems or ["hydra.sweeper.exclude leaves no combination; exclude less."])
    return first


def probes(space: Space) -> Iterator[dict[str, Any]]:
    """Choose parameters to look at: all sets of choices, or each choice once where there are many; and the ends."""
    for model, head in space.heads:
        own = space.others(model)
        middle = head | {one.name: _ends(one)[0] for one in own}
        choices = [one for one in own if isinstance(one.distribution, CategoricalDistribution)]
        if math.prod(len(_ends(one)) for one in choices) <= MANY:
            for values in itertools.product(*[_ends(one) for one in choices]):
                yield middle | dict(zip([one.name for one in choices], values, strict=True))
        for one in own:
            for value in _ends(one):
                yield middle | {one.name: value}


def _ends(one: Dimension) -> list[Any]:
    found = one.distribution
    if isinstance(found, IntDistribution | FloatDistribution):
        return [found.low, found.high]
    return list(found.choices) if isinstance(found, CategoricalDistribution) else []


def show(plan: Plan, firsts: list[tuple[str, ...]]) -> None:
    """Print a plan; nothing has been started.

    Args:
        plan: The search.
        firsts: The overrides of the first trials.
    """
    out = console()
    size = plan.space.size
    counted = f" of {size:,.0f} combinations" if math.isfinite(size) else ""
    out.print(Text.assemble(("mlrunner  ", "bold"), ("plan", "bold cyan"), f"  {plan.limit} trials{counted}"))
    for name, direction in zip(plan.goal.metrics, plan.goal.directions, strict=True):
        out.print(Text.assemble(("  objective  ", "dim"), f"{direction} {name}"))
    out.print(Text.assemble(("  sampler    ", "dim"), str(plan.settings.sampler["_target_"]).rpartition(".")[2]))
    table = Table(box=None, pad_edge=False, padding=(0, 2))
    for name in ("  dimension", "values", "model"):
        table.add_column(name)
    for one in plan.space.dimensions:
        table.add_row(f"  {one.key}", one.told, one.model or "all")
    out.print(table)
    out.print(Text("\n  first compositions", "dim"))
    fixed = {text for text, _ in plan.space.fixed}
    for overrides in firsts:
        out.print(f"    {' '.join(text for text in overrides if text not in fixed) or 'default'}")
    out.print(Text.assemble(("\n  time       ", "dim"), estimate(plan)))
    out.print(Text("  Nothing was started (hydra.sweeper.dry_run=true).", "dim"))


def first_overrides(plan: Plan, sampler: Any, count: int = SHOWN) -> list[tuple[str, ...]]:
    """Draw the parameters of the first trials in a study of their own, which is thrown away."""
    import optuna

    count, space = min(count, plan.limit), plan.space
    if plan.settings.is_grid:
        return [space.overrides(params) for params in space.grid()[:count]]
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(directions=list(plan.goal.directions))
    warm_start.enqueue(study, plan.settings.warm_start, space, plan.home)
    found: list[tuple[str, ...]] = []
    for place in range(count * DRAWS):
        study.sampler = sampler(place)
        overrides = space.suggest(study.ask())
        if not space.excludes(overrides):
            found.append(overrides)
        if len(found) == count:
            break
    return found


def estimate(plan: Plan) -> str:
    """Estimate from earlier runs how long a search takes; it takes the median of those of the same models."""
    seconds = sorted(_earlier(plan))
    if not seconds:
        return "not known: no earlier run with these models and this data; run one first"
    each = seconds[len(seconds) // 2]
    whole = each * plan.limit * plan.settings.repeats / plan.settings.n_jobs
    return (
        f"about {whole:,.0f} s: {plan.limit} trials of {each:.2f} s, {plan.settings.n_jobs} at a time "
        f"(median fit and score of {len(seconds)} earlier runs)"
    )


def _earlier(plan: Plan) -> Iterator[float]:
    """Read what fits of these models took on this data set; the newest 200 runs tell enough."""
    files = sorted((plan.home / "multirun").glob("*/*/**/result.json"), reverse=True)[:200]
    label = f"name: {plan.first.composition['dataset']['name']}\n"
    for file in files:
        config = file.parent / ".hydra" / "config.yaml"
        text = config.read_text() if config.exists() else ""
        if label in text and any(f"name: {model}\n" in text for model in plan.space.models):
            told = json.loads(file.read_text())
            yield from [told["fit_seconds"] + told["score_seconds"]] if told.get("fit_seconds") is not None else []

"""Check a search space: compose and check its choices and the ends of its ranges."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from mlrunner.composition.findings import describe_question
from mlrunner.core.errors import MlrunnerError, ProblemsError
from mlrunner.core.overrides import explain_misread
from mlrunner.tracking.studies import SWEEPER_KEY

if TYPE_CHECKING:
    from mlrunner.search.dimension import Dimension
    from mlrunner.search.space import Space
    from mlrunner.search.trial_preparation import PreparedTrial, TrialPreparer

MAX_CHECKED_CHOICES = 64  # combinations of choices; of more, each choice is checked once


def check_space(space: Space, preparer: TrialPreparer) -> PreparedTrial:
    """Compose and check every combination of choices, and both ends of every range.

    Returns:
        The first composition.

    Raises:
        ProblemsError: When a composition is not possible; one sentence for each problem.
    """
    problems: list[str] = []
    questions: dict[str, None] = {}
    first: PreparedTrial | None = None
    for params in list_probes(space):
        overrides = space.overrides(params)
        if space.excludes(overrides):
            continue
        try:
            prepared = preparer.prepare(overrides)
            first = first or prepared
            questions[describe_question(prepared.repeats[0].data, prepared.composition.settings)] = None
        except (MlrunnerError, HydraException, OmegaConfBaseException, ValueError) as error:
            problems += [sentence for sentence in _describe(error, overrides) if sentence not in problems]
    if len(questions) > 1:
        problems.append(
            f"a search ranks all trials by one score, but they predict {' and '.join(questions)}; search each by "
            "itself, or leave sweep= and executor= out and add --multirun: a grid ranks each by itself."
        )
    if problems or first is None:
        raise ProblemsError(problems or [f"{SWEEPER_KEY}.exclude leaves no combination; exclude less."])
    return first


def _describe(error: Exception, overrides: tuple[str, ...]) -> list[str]:
    if isinstance(error, MlrunnerError | HydraException | OmegaConfBaseException):
        return list(getattr(error, "problems", [" ".join(str(error).split())]))
    return [explain_misread(overrides, error)] if isinstance(error, ValueError) else [str(error)]


def list_probes(space: Space) -> Iterator[dict[str, Any]]:
    """List the parameters to check: combinations of choices, or each choice once where they are many, and the ends."""
    for model, choice in space.model_choices:
        dimensions = space.list_others(model)
        default = choice | {dimension.name: _list_ends(dimension)[0] for dimension in dimensions}
        choices = [each for each in dimensions if isinstance(each.distribution, CategoricalDistribution)]
        if math.prod(len(_list_ends(dimension)) for dimension in choices) <= MAX_CHECKED_CHOICES:
            for values in itertools.product(*[_list_ends(dimension) for dimension in choices]):
                yield default | dict(zip([dimension.name for dimension in choices], values, strict=True))
        for dimension in dimensions:
            for value in _list_ends(dimension):
                yield default | {dimension.name: value}


def _list_ends(dimension: Dimension) -> list[Any]:
    """List all choices of a dimension, or both ends of its range."""
    distribution = dimension.distribution
    if isinstance(distribution, IntDistribution | FloatDistribution):
        return [distribution.low, distribution.high]
    return list(distribution.choices) if isinstance(distribution, CategoricalDistribution) else []

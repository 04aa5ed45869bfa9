"""Compare a metric with a threshold, and format the numbers so that the comparison stays visible."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Literal

from mlrunner.core.errors import brief
from mlrunner.groups.gate import Decision, GateInputs

Goal = Literal["maximize", "minimize"]
MIN_DIGITS = 4  # significant digits, where they suffice
MAX_DIGITS = 17  # enough to distinguish any two floats
MAX_ROUNDING_SHARE = 0.05  # of a difference, that rounding both numbers may change


def explain_unusable(inputs: GateInputs, metric: str) -> str | None:
    """Return why a metric cannot be compared: not scored, missing, NaN or infinite; None when it can.

    Args:
        inputs: Measurements of the model.
        metric: Full name of the metric, like `test/r2`.
    """
    if inputs.problem is not None:
        return inputs.problem
    value = inputs.metrics.get(metric)
    if value is None:
        others = [name for name in inputs.metrics if name.rpartition("/")[2] == metric.rpartition("/")[2]]
        return f"{metric} is missing" + (f" (available: {brief(others)})" if others else "")
    if math.isnan(value):
        return f"{metric} is NaN"
    return f"{metric} is infinite" if math.isinf(value) else None


def compare_to_threshold(inputs: GateInputs, metric: str, threshold: float, goal: Goal) -> Decision:
    """Open for a metric that reaches its threshold; equal passes.

    Args:
        inputs: Measurements of the model.
        metric: Full name of the metric, like `test/rmse`.
        threshold: Finite lower bound in the metric's unit; an upper bound where less is better.
        goal: Direction in which the metric improves.
    """
    fault = explain_unusable(inputs, metric)
    if fault is not None:
        return Decision(deploy=False, reason=fault)
    value = inputs.metrics[metric]
    passes, fails = ("is at least", "is below") if goal == "maximize" else ("is at most", "is above")
    opens = value >= threshold if goal == "maximize" else value <= threshold
    relation = passes if opens else fails
    return Decision(opens, f"{metric} {format_value(value, threshold)} {relation} {format_setting(threshold)}")


def refuse(problems: list[str]) -> Decision:
    """Keep the gate closed because of mistakes in its settings."""
    return Decision(deploy=False, reason="; ".join(problem.removesuffix(".") for problem in problems))


def combine(decisions: Iterable[Decision]) -> Decision:
    """Open when every decision does; the reason joins those of the refusals, or all without a refusal."""
    all_decisions = list(decisions)
    refusals = [decision.reason for decision in all_decisions if not decision.deploy]
    return Decision(not refusals, "; ".join(refusals or [decision.reason for decision in all_decisions]))


def format_setting(number: float) -> str:
    """Format a setting as it is typed."""
    return repr(float(number) + 0.0).removesuffix(".0")  # + 0.0 turns -0.0 into 0


def format_value(value: float, threshold: float = 0.0) -> str:
    """Format a measurement with the fewest digits that keep it on the same side of a threshold."""
    texts = (f"{value + 0.0:.{digits}g}" for digits in _digit_counts(value))
    return next(text for text in texts if _compare(float(text), threshold) == _compare(value, threshold))


def format_pair(first: float, second: float) -> tuple[str, str]:
    """Format two measurements with the fewest digits that show their difference."""
    pairs = ((f"{first:.{digits}g}", f"{second:.{digits}g}") for digits in _digit_counts(max(first, second, key=abs)))
    return next(
        pair
        for pair in pairs
        if math.isclose(float(pair[0]) - float(pair[1]), first - second, rel_tol=MAX_ROUNDING_SHARE)
    )


def _digit_counts(value: float) -> range:
    """Return the numbers of digits to try, in order; digits before the point are never rounded."""
    whole = len(f"{abs(value):.0f}")
    return range(max(MIN_DIGITS, whole if whole < MAX_DIGITS else 0), MAX_DIGITS + 1)


def _compare(value: float, threshold: float) -> int:
    return (value > threshold) - (value < threshold)

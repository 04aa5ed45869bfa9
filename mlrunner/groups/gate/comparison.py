"""What the gates share: a number that can be judged, its comparison with a bar, and both in words that stay true."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Literal

from mlrunner.core.errors import brief
from mlrunner.groups.gate import Decision, Evidence

Goal = Literal["maximize", "minimize"]
DIGITS = 4  # significant, where they are enough
ALL_DIGITS = 17  # tell any two floats apart
APART = 0.05  # of a difference, which rounding both numbers may hide


def fault(evidence: Evidence, metric: str) -> str | None:
    """Say why a metric cannot be judged: not scored, missing, NaN or infinite; None when it can.

    Args:
        evidence: What is known of the model.
        metric: Its full name, like `test/r2`.
    """
    if evidence.problem is not None:
        return evidence.problem
    value = evidence.metrics.get(metric)
    if value is None:
        parts = [name for name in evidence.metrics if name.rpartition("/")[2] == metric.rpartition("/")[2]]
        return f"{metric} is missing" + (f" (found: {brief(parts)})" if parts else "")
    if math.isnan(value):
        return f"{metric} is NaN"
    return f"{metric} is infinite" if math.isinf(value) else None


def against_bar(evidence: Evidence, metric: str, bar: float, goal: Goal) -> Decision:
    """Open for a metric that is at least the bar, or at most where less is better; equal passes.

    Args:
        evidence: What is known of the model.
        metric: Its full name, like `test/rmse`.
        bar: Finite, in the metric's unit.
        goal: Which way the metric improves.
    """
    found = fault(evidence, metric)
    if found is not None:
        return Decision(deploy=False, reason=found)
    value = evidence.metrics[metric]
    passes, fails = ("is at least", "is below") if goal == "maximize" else ("is at most", "is above")
    opens = value >= bar if goal == "maximize" else value <= bar
    return Decision(opens, f"{metric} {shown(value, bar)} {passes if opens else fails} {exact(bar)}")


def refusal(problems: list[str]) -> Decision:
    """Keep the gate shut for what is wrong with its settings."""
    return Decision(deploy=False, reason="; ".join(problem.removesuffix(".") for problem in problems))


def every(decisions: Iterable[Decision]) -> Decision:
    """Open when all of the decisions do; the reason joins those that refuse, or all where none does."""
    told = list(decisions)
    refused = [decision.reason for decision in told if not decision.deploy]
    return Decision(not refused, "; ".join(refused or [decision.reason for decision in told]))


def exact(number: float) -> str:
    """Write a setting as it is typed."""
    return repr(float(number) + 0.0).removesuffix(".0")  # -0.0 is written 0


def shown(value: float, bar: float = 0.0) -> str:
    """Write a measured number with the fewest digits that keep it on its side of a bar."""
    texts = (f"{value + 0.0:.{digits}g}" for digits in _digits(value))
    return next(text for text in texts if _side(float(text), bar) == _side(value, bar))


def shown_apart(one: float, other: float) -> tuple[str, str]:
    """Write two measured numbers with the fewest digits that tell them apart, and by how much."""
    pairs = ((f"{one:.{digits}g}", f"{other:.{digits}g}") for digits in _digits(max(one, other, key=abs)))
    return next(pair for pair in pairs if math.isclose(float(pair[0]) - float(pair[1]), one - other, rel_tol=APART))


def _digits(value: float) -> range:
    """Count from the fewest digits up; whole digits are all shown while a float has them."""
    whole = len(f"{abs(value):.0f}")
    return range(max(DIGITS, whole if whole < ALL_DIGITS else 0), ALL_DIGITS + 1)


def _side(value: float, bar: float) -> int:
    return (value > bar) - (value < bar)

"""Summarize a run or sweep: its most important numbers and facts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from mlrunner.core.formatting import format_number, format_seconds
from mlrunner.core.metric_names import THRESHOLD, metric_spread
from mlrunner.history.report.content import Content
from mlrunner.tracking.records import Record
from mlrunner.tracking.records.record import (
    DEPLOYED_VERSION_TAG,
    DEPLOYED_WHERE_TAG,
    DEPLOYMENT_TAG,
    GATE_REASON_TAG,
    GATE_TAG,
    INVALID_TAG,
    read_warnings,
)

CHOICES = ("dataset", "cleaning", "split", "model")
KINDS = {"search": "Search", "grid": "Grid", "run": "Run"}


@dataclass(frozen=True)
class HeadlineNumber:
    """A number at the top of a report.

    Args:
        label: Label.
        text: Formatted number.
        value: Exact value; None if it is not a number.
        note: Explanation; empty for none.
        spread: Formatted standard deviation; empty for none.
    """

    label: str
    text: str
    value: float | None = None
    note: str = ""
    spread: str = ""


def make_headline(content: Content) -> list[HeadlineNumber]:
    """List the numbers at the top of a report."""
    numbers = [*_best(content), *_tested(content), *_counted(content), *_took(content.subject)]
    return [number for number in numbers if number.text]


def _best(content: Content) -> Iterator[HeadlineNumber]:
    metrics = {} if content.lead is None else content.lead.metrics
    best = content.best
    part = "mean over the folds" if f"cv/{content.metric}" in metrics else "validation"
    if best is not None:
        of = f"{'trial' if content.kind == 'search' else 'job'} {best.outcome.job}"
        deviation, metrics = best.deviation, {content.metric: best.values[0]}
    else:
        of, deviation = "", metric_spread(dict(metrics), content.metric)
    value = metrics.get(content.metric)
    if value is not None:
        direction = content.goal.get(content.metric, "")
        label = f"best {content.metric}" if best is not None else content.metric
        varies = "" if deviation is None else f"± {deviation:.2g}"
        note = ", ".join(filter(None, (of, part, direction)))
        yield HeadlineNumber(label, format_number(value, keep_zeros=True), value, note, varies)


def _tested(content: Content) -> Iterator[HeadlineNumber]:
    value = None if content.lead is None else content.lead.metrics.get(f"test/{content.metric}")
    if value is not None:
        owner = "the winner, " if content.kind == "search" else ""
        note = f"{owner}on rows that no choice was based on"
        yield HeadlineNumber(f"test {content.metric}", format_number(value, keep_zeros=True), value, note)


def _counted(content: Content) -> Iterator[HeadlineNumber]:
    if content.kind != "run":
        states = ", ".join(f"{count:,} {state}" for state, count in content.counts.items())
        count = len(content.trials)
        yield HeadlineNumber("trials" if content.kind == "search" else "compositions", f"{count:,}", count, states)


def _took(record: Record) -> Iterator[HeadlineNumber]:
    if record.seconds is not None:
        note = f"from {format_moment(record.start)}"
        yield HeadlineNumber("time", format_seconds(record.seconds), record.seconds, note)


def format_moment(milliseconds: int) -> str:
    """Format milliseconds since 1970 to the second, in the local time zone."""
    return datetime.fromtimestamp(milliseconds / 1000).astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")


def list_facts(content: Content) -> dict[str, str]:
    """List the choices and results of a run or sweep."""
    params, lead = content.params, content.lead
    values = {
        "target": params.get("dataset.target", ""),
        "task": params.get("dataset.task", ""),
        **{group: params.get(group, "") for group in CHOICES},
        "seed": params.get("seed", ""),
        "blueprint": "a few dozen rows and a dummy model" if params.get("blueprint") == "true" else "",
        "status": "" if content.subject.status == "FINISHED" else content.subject.status.lower(),
        "best": "" if len(content.questions) == 1 else "none of all: the leaderboards do not compare",
        "objective": ", ".join(f"{direction} {name}" for name, direction in content.goal.items() if name),
        "threshold": "" if lead is None or THRESHOLD not in lead.metrics else format_number(lead.metrics[THRESHOLD]),
        "sampler": content.subject.params.get("sampler._target_", "").rpartition(".")[2],
        "invalid": "" if lead is None else lead.tags.get(INVALID_TAG, ""),
        "gate": _gate(lead),
        "deployed": _deployed(lead),
        **_warnings(lead),
    }
    return {label: text for label, text in values.items() if text}


def _warnings(lead: Record | None) -> dict[str, str]:
    notices = [] if lead is None else read_warnings(lead.tags)
    return {f"warning: {notice.name}": notice.text for notice in notices}


def _gate(lead: Record | None) -> str:
    decision = "none" if lead is None else lead.tags.get(GATE_TAG, "none")
    return "" if lead is None or decision == "none" else f"{decision}: {lead.tags.get(GATE_REASON_TAG, '')}"


def _deployed(lead: Record | None) -> str:
    if lead is None or DEPLOYMENT_TAG not in lead.tags:
        return ""
    where = lead.tags.get(DEPLOYED_WHERE_TAG, "").partition("\n")[0]
    return f"{lead.tags[DEPLOYMENT_TAG]} version {lead.tags.get(DEPLOYED_VERSION_TAG)} {where}"


def list_ranges(content: Content) -> dict[str, str]:
    """List the parameters of a search with their ranges."""
    params = content.subject.params
    return {name.removeprefix("space/"): params[name] for name in sorted(params) if name.startswith("space/")}

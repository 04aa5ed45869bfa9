"""The beginning of a report: what it is about, and the few numbers that matter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from mlrunner.core.metric_names import metric_spread
from mlrunner.history.report.content import Content
from mlrunner.history.report.tables import format_digits
from mlrunner.tracking.records.record import (
    DEPLOYED_VERSION_TAG,
    DEPLOYED_WHERE_TAG,
    DEPLOYMENT_TAG,
    GATE_REASON_TAG,
    GATE_TAG,
)

if TYPE_CHECKING:
    from mlrunner.tracking.records import Record

CHOICES = ("dataset", "cleaning", "split", "model")
KINDS = {"search": "Search", "grid": "Grid", "run": "Run"}


@dataclass(frozen=True)
class HeadlineNumber:
    """A number that matters.

    Args:
        label: What it is.
        text: Itself.
        value: With all of its digits; None for what is no number.
        note: What one should know about it.
        spread: How far it varies; empty for nothing.
    """

    label: str
    text: str
    value: float | None = None
    note: str = ""
    metric_spread: str = ""


def make_headline(content: Content) -> list[HeadlineNumber]:
    """Choose the numbers that matter."""
    found = [*_best(content), *_tested(content), *_counted(content), *_took(content.subject)]
    return [one for one in found if one.text]


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
        way = content.goal.get(content.metric, "")
        label = f"best {content.metric}" if best is not None else content.metric
        varies = "" if deviation is None else f"± {deviation:.2g}"
        yield HeadlineNumber(label, format_digits(value), value, ", ".join(filter(None, (of, part, way))), varies)


def _tested(content: Content) -> Iterator[HeadlineNumber]:
    lead, name = content.lead, f"test/{content.metric}"
    if lead is not None and name in lead.metrics:
        of = "the winner, " if content.kind == "search" else ""
        note = f"{of}on rows that no choice has read"
        yield HeadlineNumber(f"test {content.metric}", format_digits(lead.metrics[name]), lead.metrics[name], note)


def _counted(content: Content) -> Iterator[HeadlineNumber]:
    if content.kind != "run":
        told = ", ".join(f"{count:,} {state}" for state, count in content.counts.items())
        count = len(content.trials)
        yield HeadlineNumber("trials" if content.kind == "search" else "compositions", f"{count:,}", count, told)


def _took(record: Record) -> Iterator[HeadlineNumber]:
    if record.seconds is not None:
        yield HeadlineNumber(
            "time", format_elapsed(record.seconds), record.seconds, f"from {format_moment(record.start)}"
        )


def format_elapsed(seconds: float) -> str:
    """Write a time that something took."""
    if seconds < 100:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"


def format_moment(milliseconds: int) -> str:
    """Write a moment, as the clock of this machine has it."""
    return datetime.fromtimestamp(milliseconds / 1000).astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")


def list_facts(content: Content) -> dict[str, str]:
    """Tell what was chosen, and what became of it."""
    params, lead = content.params, content.lead
    told = {
        "target": params.get("dataset.target", ""),
        "task": params.get("dataset.task", ""),
        **{group: params.get(group, "") for group in CHOICES},
        "seed": params.get("seed", ""),
        "blueprint": "a few dozen rows and a dummy model" if params.get("blueprint") == "true" else "",
        "status": "" if content.subject.status == "FINISHED" else content.subject.status.lower(),
        "objective": ", ".join(f"{way} {name}" for name, way in content.goal.items() if name),
        "sampler": content.subject.params.get("sampler._target_", "").rpartition(".")[2],
        "gate": _gate(lead),
        "deployed": _deployed(lead),
    }
    return {label: text for label, text in told.items() if text}


def _gate(lead: Record | None) -> str:
    decision = "none" if lead is None else lead.tags.get(GATE_TAG, "none")
    return "" if lead is None or decision == "none" else f"{decision}: {lead.tags.get(GATE_REASON_TAG, '')}"


def _deployed(lead: Record | None) -> str:
    if lead is None or DEPLOYMENT_TAG not in lead.tags:
        return ""
    return f"{lead.tags[DEPLOYMENT_TAG]} version {lead.tags.get(DEPLOYED_VERSION_TAG)} {lead.tags.get(DEPLOYED_WHERE_TAG, '').partition(chr(10))[0]}"


def list_ranges(content: Content) -> dict[str, str]:
    """Tell what a search varied, and between what."""
    params = content.subject.params
    return {name.removeprefix("space/"): params[name] for name in sorted(params) if name.startswith("space/")}

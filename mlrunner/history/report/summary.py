"""The beginning of a report: what it is about, and the few numbers that matter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from mlrunner.core.terminal import spread
from mlrunner.history.report.content import Material
from mlrunner.history.report.tables import digits

if TYPE_CHECKING:
    from mlrunner.tracking.records import Record

GATE, REASON = "mlrunner.gate.decision", "mlrunner.groups.gate.reason"
DEPLOYED, VERSION, WHERE = "mlrunner.deployment.name", "mlrunner.deployment.version", "mlrunner.deployment.where"
CHOICES = ("dataset", "cleaning", "split", "model")
KINDS = {"search": "Search", "grid": "Grid", "run": "Run"}


@dataclass(frozen=True)
class Figure:
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
    spread: str = ""


def headline(material: Material) -> list[Figure]:
    """Choose the numbers that matter."""
    found = [*_best(material), *_tested(material), *_counted(material), *_took(material.subject)]
    return [one for one in found if one.text]


def _best(material: Material) -> Iterator[Figure]:
    metrics = {} if material.lead is None else material.lead.metrics
    best = material.best
    part = "mean over the folds" if f"cv/{material.metric}" in metrics else "validation"
    if best is not None:
        of = f"{'trial' if material.kind == 'search' else 'job'} {best.outcome.job}"
        deviation, metrics = best.deviation, {material.metric: best.values[0]}
    else:
        of, deviation = "", spread(dict(metrics), material.metric)
    value = metrics.get(material.metric)
    if value is not None:
        way = material.goal.get(material.metric, "")
        label = f"best {material.metric}" if best is not None else material.metric
        varies = "" if deviation is None else f"± {deviation:.2g}"
        yield Figure(label, digits(value), value, ", ".join(filter(None, (of, part, way))), varies)


def _tested(material: Material) -> Iterator[Figure]:
    lead, name = material.lead, f"test/{material.metric}"
    if lead is not None and name in lead.metrics:
        of = "the winner, " if material.kind == "search" else ""
        note = f"{of}on rows that no choice has read"
        yield Figure(f"test {material.metric}", digits(lead.metrics[name]), lead.metrics[name], note)


def _counted(material: Material) -> Iterator[Figure]:
    if material.kind != "run":
        told = ", ".join(f"{count:,} {state}" for state, count in material.counts.items())
        count = len(material.trials)
        yield Figure("trials" if material.kind == "search" else "compositions", f"{count:,}", count, told)


def _took(record: Record) -> Iterator[Figure]:
    if record.seconds is not None:
        yield Figure("time", duration(record.seconds), record.seconds, f"from {moment(record.start)}")


def duration(seconds: float) -> str:
    """Write a time that something took."""
    if seconds < 100:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"


def moment(milliseconds: int) -> str:
    """Write a moment, as the clock of this machine has it."""
    return datetime.fromtimestamp(milliseconds / 1000).astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")


def facts(material: Material) -> dict[str, str]:
    """Tell what was chosen, and what became of it."""
    params, lead = material.params, material.lead
    told = {
        "target": params.get("dataset.target", ""),
        "task": params.get("dataset.task", ""),
        **{group: params.get(group, "") for group in CHOICES},
        "seed": params.get("seed", ""),
        "blueprint": "a few dozen rows and a dummy model" if params.get("blueprint") == "true" else "",
        "status": "" if material.subject.status == "FINISHED" else material.subject.status.lower(),
        "objective": ", ".join(f"{way} {name}" for name, way in material.goal.items() if name),
        "sampler": material.subject.params.get("sampler._target_", "").rpartition(".")[2],
        "gate": _gate(lead),
        "deployed": _deployed(lead),
    }
    return {label: text for label, text in told.items() if text}


def _gate(lead: Record | None) -> str:
    decision = "none" if lead is None else lead.tags.get(GATE, "none")
    return "" if lead is None or decision == "none" else f"{decision}: {lead.tags.get(REASON, '')}"


def _deployed(lead: Record | None) -> str:
    if lead is None or DEPLOYED not in lead.tags:
        return ""
    return f"{lead.tags[DEPLOYED]} version {lead.tags.get(VERSION)} {lead.tags.get(WHERE, '').partition(chr(10))[0]}"


def ranges(material: Material) -> dict[str, str]:
    """Tell what a search varied, and between what."""
    params = material.subject.params
    return {name.removeprefix("space/"): params[name] for name in sorted(params) if name.startswith("space/")}

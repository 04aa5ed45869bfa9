"""The beginning of a report: what it is about, the few numbers that matter, and what to type next."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mlrunner.errors import ConfigError
from mlrunner.options import CONF
from mlrunner.records import MODEL, STUDY, frozen, read_yaml
from mlrunner.report.material import Material
from mlrunner.report.tables import digits
from mlrunner.terminal import spread

if TYPE_CHECKING:
    from mlrunner.records import Record

GATE, REASON = "mlrunner.gate.decision", "mlrunner.gate.reason"
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


@dataclass(frozen=True)
class Command:
    """Something to type."""

    label: str
    text: str


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
        "status": "" if material.subject.status == "FINISHED" else material.subject.status.lower(),
        "objective": ", ".join(f"{way} {name}" for name, way in material.goal.items()),
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
    return f"{lead.tags[DEPLOYED]} version {lead.tags.get(VERSION)} {lead.tags.get(WHERE, '')}"


def ranges(material: Material) -> dict[str, str]:
    """Tell what a search varied, and between what."""
    params = material.subject.params
    return {name.removeprefix("space/"): params[name] for name in sorted(params) if name.startswith("space/")}


def commands(material: Material) -> list[Command]:
    """Say what may be typed next; each line can be pasted."""
    lead, subject = material.lead, material.subject
    found = []
    if lead is not None:
        found += [Command("run the same again and compare it", _typed("reproduce", lead.short))]
        alone = [command(overrides, _folders(lead)) for overrides in _overrides(material)]
        found += [Command("as a composition of its own", text) for text in alone]
    if lead is not None and MODEL in lead.tags:
        load = f"import mlflow; model = mlflow.pyfunc.load_model({lead.tags[MODEL]!r})"
        found.append(Command("judge it, and let it serve if the gate opens", _typed("deploy", lead.short)))
        found.append(Command("load the model, in Python", load))
    if material.kind == "search":
        told = _typed("resume", subject.tags[STUDY], "hydra.sweeper.n_trials=N")
        found.append(Command("go on with the search", told))
    found.append(Command("see it in MLflow", _typed("ui", subject.short)))
    return [*found, Command("make this page again", _typed("report", subject.place))]


def _overrides(material: Material) -> Iterator[list[str]]:
    """Find what was typed for the run that leads, if that is still known."""
    told = None if material.lead is None else material.lead.text(".hydra/overrides.yaml")
    found = material.summary.get("best_overrides") or (None if told is None else read_yaml(told))
    if isinstance(found, list):
        yield [str(text) for text in found]


def _folders(lead: Record) -> tuple[str, ...]:
    """Find the folders of configuration that were named beside the project's own."""
    try:
        return tuple(folder for folder in frozen.of_record(lead).sources if Path(folder).resolve() != CONF)
    except ConfigError:  # a run that mlrunner did not make
        return ()


def command(overrides: list[str], folders: Sequence[str] = ()) -> str:
    """Write the command that runs a composition by itself."""
    from mlrunner.comparison.line import alone  # imports Hydra

    return _typed(*(word for folder in folders for word in ("-cd", folder)), *alone(overrides))


def _typed(*words: str) -> str:
    return shlex.join(["mlrunner", *words])

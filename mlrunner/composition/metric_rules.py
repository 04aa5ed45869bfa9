"""The rules for metrics: the objective's, the gate's and those of one's own; each yields one sentence a violation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mlrunner.composition.findings import Findings
from mlrunner.composition.stand_ins import TASKS
from mlrunner.core.errors import brief, nearest
from mlrunner.core.metric_names import BINARY
from mlrunner.core.score_settings import find_label
from mlrunner.evaluation import custom_metrics, metrics, thresholds

COST_METRICS = ("fit_seconds", "score_seconds")  # a search for several objectives may minimize these as well


def check_positive(findings: Findings) -> Iterator[str]:
    """Refuse a positive class that the target does not have."""
    positive, labels = getattr(findings.data and findings.data.dataset, "positive", None), findings.labels
    if positive is None:
        return
    key = f"dataset.positive={positive}"
    if findings.task == "regression":
        yield f"{key}: a regression has no classes; leave it null, or set dataset.task=classification."
    elif labels is not None and len(labels) != 2:
        yield f"{key} is one of two classes, but {_count_classes(findings)}; leave it null."
    elif labels is not None and find_label(labels, positive) is None:
        yield f"{key} is not a label of the target; its labels are {brief(map(str, labels))}."


def _count_classes(findings: Findings) -> str:
    return f"the target has {len(findings.labels or [])} classes"


def check_custom_metrics(findings: Findings) -> Iterator[str]:
    """Refuse a metric of one's own that cannot be computed."""
    yield from custom_metrics.problems(findings.custom, findings.task)


def check_classes(findings: Findings) -> Iterator[str]:
    """Refuse a metric of the positive class where there are not two classes."""
    if findings.labels is None or len(findings.labels) == 2:
        return
    metric = [findings.metric] if isinstance(findings.metric, str) else findings.metric or []
    gate = findings.built.get("gate")
    gate_keys = gate.metrics if gate is not None else {}
    keys = {**{str(name): "objective.metric" for name in metric}, **{name: key for key, name in gate_keys.items()}}
    for name, key in {full.rpartition("/")[2]: key for full, key in reversed(keys.items())}.items():
        if name in BINARY:
            yield f"{key}={name} is of the positive class of two, but {_count_classes(findings)}; choose {name}_macro."


def check_objective(findings: Findings) -> Iterator[str]:
    """Refuse a metric that the task does not have."""
    metric = findings.metric
    chosen = [metric] if isinstance(metric, str) else metric if isinstance(metric, Sequence) else []
    known = [name for task in TASKS if findings.task in (None, task) for name in metrics.metric_names(task)]
    known += [name for name, own in findings.custom.items() if findings.task in (None, own.task)]
    known += () if isinstance(metric, str) else COST_METRICS
    for name in chosen:
        if name not in known:
            yield (
                f"objective.metric={name} is not a metric of {findings.task or 'any task'}; choose {', '.join(known)}."
                f"{nearest(str(name), known)}"
            )


def check_threshold(findings: Findings) -> Iterator[str]:
    """Refuse a threshold without two classes, and one that is tuned by a metric that does not depend on it."""
    model, labels = findings.built["model"], findings.labels
    if findings.task != "classification" or getattr(model, "threshold", None) is None:
        return
    if labels is not None and len(labels) != 2:
        yield f"model.threshold is for two classes, but {_count_classes(findings)}; leave it null."
    metric, known = model.threshold_metric, thresholds.list_tunable(findings.custom)
    if metric is not None and metric not in known:
        yield (
            f"model.threshold_metric={metric} does not depend on the threshold; choose {', '.join(known)}."
            f"{nearest(metric, known)}"
        )


METRIC_RULES = (check_positive, check_custom_metrics, check_objective, check_classes, check_threshold)

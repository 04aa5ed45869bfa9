"""Settings of the scores: the positive class, and metrics of one's own; plain values that a worker receives as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import pydantic

Label = bool | int | float | str


class CustomMetric(pydantic.BaseModel):
    """A metric of one's own: a function of true and predicted values.

    Args:
        target: Dotted path of the function, `_target_` in YAML. It receives y_true and y_pred, both of shape (n_rows,),
            as `sklearn.metrics` has it, and `sample_weight` where it has this argument and `dataset.weight` is set.
        direction: Direction in which the metric improves.
        task: Task that the metric is for.
        needs_proba: Whether y_pred is the probability of the positive class; of more than two classes a matrix of
            shape (n_rows, n_classes), with the classes in sorted order.
        arguments: Further arguments of the function.
    """

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, populate_by_name=True)  # ZenML dumps names

    target: str = pydantic.Field(alias="_target_")
    direction: Literal["maximize", "minimize"]
    task: Literal["regression", "classification"]
    needs_proba: bool = False
    arguments: dict[str, Any] = {}


class ScoreSettings(pydantic.BaseModel):
    """What the scores of a run are computed by, beside its task.

    Args:
        positive: Label of the positive class of two; None: the second in sorted order, as in scikit-learn.
        custom: Metrics of one's own by name.
    """

    model_config = pydantic.ConfigDict(frozen=True)

    positive: Any = None
    custom: Mapping[str, CustomMetric] = {}


DEFAULT_SCORING = ScoreSettings()


def find_label(labels: Iterable[Any], label: Any) -> int | None:
    """Return the position of a label, which a command line may have as text; None when it is not there."""
    known = list(labels)
    equal = [place for place, other in enumerate(known) if type(other) is not str and other == label]
    alike = [place for place, other in enumerate(known) if str(other) == str(label)]
    return next(iter([*equal, *alike]), None)

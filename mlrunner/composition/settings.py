"""The keys of a composition that belong to no config group, as validated values."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic

from mlrunner.composition.keys import GROUPS
from mlrunner.core.build import NamedValues, describe_errors
from mlrunner.core.errors import ProblemsError, nearest
from mlrunner.core.score_settings import CustomMetric
from mlrunner.core.warning_names import WARNINGS


class StrictModel(pydantic.BaseModel):
    """Base of the sections: they are frozen, and have no other keys."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)


class Objective(StrictModel):
    """The `objective` section: the metrics that rank runs.

    Args:
        default: Default metric by task.
        metric: Name of the metric; a search may optimize several.
        direction: Direction of the metric; None derives it from the metric.
    """

    default: dict[str, str]
    metric: str | Annotated[list[str], pydantic.Field(min_length=1)]
    direction: Literal["maximize", "minimize"] | None

    @property
    def metrics(self) -> list[str]:
        """The metrics as a list."""
        return [self.metric] if isinstance(self.metric, str) else self.metric

    @property
    def first(self) -> str:
        """The metric that ranks runs."""
        return self.metrics[0]


class Tracking(StrictModel):
    """The `tracking` section: what MLflow receives beside parameters and metrics.

    Args:
        experiment: Name of the MLflow experiment.
        name: Name of the run; None derives it from the overrides.
        log_model: Whether to save the fitted model.
        keep_models: Which models of a search to keep.
        plots: Whether to save plots.
        tags: Further tags of the run.
    """

    experiment: str = pydantic.Field(min_length=1)
    name: str | None
    log_model: bool
    keep_models: Literal["best", "all", "none"]
    plots: bool
    tags: Annotated[dict[str, str | int | float | bool], NamedValues]


class Warnings(StrictModel):
    """The `warnings` section.

    Args:
        ignore: Names of the warnings that are not given.
    """

    ignore: list[str] = []

    @pydantic.field_validator("ignore")
    @classmethod
    def _check_names(cls, names: list[str]) -> list[str]:
        for name in names:
            if name not in WARNINGS:
                known = ", ".join(WARNINGS)
                raise ValueError(f"names no warning '{name}'; there are {known}.{nearest(name, WARNINGS)}")
        return names


class Settings(StrictModel):
    """The keys that belong to no config group."""

    seed: int = pydantic.Field(ge=0, lt=2**32)
    threads: int
    blueprint: bool
    objective: Objective
    metric: dict[str, CustomMetric]
    tracking: Tracking
    warnings: Warnings = Warnings()
    output: Literal["text", "json", "quiet"]
    project: Path
    home: Path
    resources: Path

    @property
    def direction(self) -> Literal["maximize", "minimize"]:
        """Direction of the metric that ranks runs."""
        from mlrunner.evaluation.metrics import direction  # imports pandas

        return self.objective.direction or direction(self.objective.first, custom=self.metric)

    @pydantic.field_validator("threads")
    @classmethod
    def _check_threads(cls, threads: int) -> int:
        if threads == 0 or threads < -1:
            raise ValueError("should be -1, which takes all, or at least 1")
        return threads


KNOWN_KEYS = {
    "": [*GROUPS, *Settings.model_fields],
    "objective": list(Objective.model_fields),
    "tracking": list(Tracking.model_fields),
    "warnings": list(Warnings.model_fields),
}


def validate_settings(values: dict[str, Any]) -> Settings:
    """Validate the keys that belong to no config group.

    Raises:
        ProblemsError: One sentence for each key that is unknown or has an invalid value.
    """
    try:
        return Settings.model_validate(values)
    except pydantic.ValidationError as error:
        fields = ["_target_", *[name for name in CustomMetric.model_fields if name != "target"]]
        known = {**KNOWN_KEYS, **{f"metric.{name}": fields for name in values.get("metric") or {}}}
        raise ProblemsError(describe_errors(error, "", known)) from error

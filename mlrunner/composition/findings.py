"""What the rules between the config groups judge: the data set as it was read, and the parts that could be built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from omegaconf import DictConfig

from mlrunner.composition.resolve import resolve_group
from mlrunner.composition.settings import Settings
from mlrunner.core.build import build
from mlrunner.core.column_kinds import Kind, infer_kind
from mlrunner.core.column_roles import Task, infer_task
from mlrunner.core.score_settings import CustomMetric
from mlrunner.core.warning_names import Notice
from mlrunner.groups.dataset import Dataset, loading


@dataclass(frozen=True)
class Data:
    """The data set as it was read.

    Args:
        dataset: Built config group.
        table: All rows, with the target.
        fingerprint: Digest of the source of the table.
        task: `dataset.task`, or the task that the target's values suggest; None when the target does not exist.
        notices: What was lost when the table was read.
    """

    dataset: Dataset
    table: pd.DataFrame
    fingerprint: str
    task: Task | None
    notices: tuple[Notice, ...] = ()

    @property
    def labeled_rows(self) -> pd.DataFrame:
        """The rows whose target is not missing; empty when there is no target."""
        target = self.dataset.target
        return self.table[self.table[target].notna()] if target in self.table else self.table.iloc[:0]


@dataclass(frozen=True)
class Findings:
    """The parts of a composition that could be built.

    Args:
        data: Data set; None when it cannot be read.
        task: Task; None when it is not known.
        built: Object of each config group; None when it cannot be built.
        metric: Value of `objective.metric`, unchecked.
        home: Folder that holds `.mlrunner/`.
        saves: Whether the model of the run is kept.
        custom: Metrics of one's own by name.
    """

    data: Data | None
    task: Task | None
    built: dict[str, Any]
    metric: Any
    home: Path
    saves: bool = True
    custom: Mapping[str, CustomMetric] = field(default_factory=dict)

    @property
    def labels(self) -> list[Any] | None:
        """The labels of a classification in sorted order; None when they are not known."""
        if self.data is None or self.task != "classification" or self.data.dataset.target not in self.data.table:
            return None
        target = self.data.labeled_rows[self.data.dataset.target]
        if infer_kind(target) is Kind.UNSUPPORTED:  # `check_table` refuses it
            return None
        labels = target.unique().tolist()
        return sorted(labels, key=lambda label: (str(type(label)), label))


def load_data(cfg: DictConfig) -> Data:
    """Read the data set, and infer its task when `dataset.task` is null.

    Raises:
        MlrunnerError: When the data set cannot be read.
    """
    group = resolve_group(cfg, "dataset")
    dataset: Dataset = build(group, "dataset", Dataset)
    fingerprint = dataset.fingerprint()
    table, notices = loading.read_with_notices(group, fingerprint)
    inferred = infer_task(table[dataset.target]) if dataset.target in table else None
    return Data(dataset, table, fingerprint, dataset.task or inferred, notices)


def describe_question(data: Data, settings: Settings) -> str:
    """Describe what is predicted, with the arguments of an objective of one's own; other scores do not compare."""
    roles, positive = data.dataset.roles, data.dataset.positive
    label = "" if positive is None else f"={positive}"
    own = settings.metric.get(settings.objective.first)
    arguments = [] if own is None else [f"{name}={value}" for name, value in own.arguments.items()]
    scored = f" ({settings.objective.first} with {', '.join(arguments)})" if arguments else ""
    return f"{roles.target}{label} of {data.dataset.label}, {data.task}{scored}"

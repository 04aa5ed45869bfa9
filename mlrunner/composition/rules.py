"""The rules between the groups of a composition, a sentence for each breach; `checks` applies them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlrunner.composition.stand_ins import TASKS
from mlrunner.core.errors import MlrunnerError, brief, nearest
from mlrunner.evaluation import metrics
from mlrunner.groups.cleaning import DataCleaning
from mlrunner.groups.dataset import Dataset, table_problems, target_problems
from mlrunner.groups.stack import refuse_file_store, refuse_full_disk

if TYPE_CHECKING:
    import pandas as pd

    from mlrunner.core.column_roles import Task
    from mlrunner.groups.stack import Stack

FEW = 100  # rows that are cleaned to see what is left
SECONDS = ("fit_seconds", "score_seconds")  # what a search for several objectives may also minimise
ENOUGH = 10**9  # rows, of a table that cannot be counted: as many as any split wants


@dataclass(frozen=True)
class Data:
    """The data set as it turned out to be; its task is None only while its target is not there."""

    dataset: Dataset
    table: pd.DataFrame
    fingerprint: str
    task: Task | None

    @property
    def known(self) -> pd.DataFrame:
        """The rows that have a target."""
        target = self.dataset.target
        return self.table[self.table[target].notna()] if target in self.table else self.table.iloc[:0]


@dataclass(frozen=True)
class Found:
    """What could be built of a composition; None for what could not. `saves` tells whether the model is kept."""

    data: Data | None
    task: Task | None
    built: dict[str, Any]
    metric: Any
    home: Path
    saves: bool = True


def soundness(found: Found) -> Iterator[str]:
    """Refuse a target that cannot be learned, and rows or columns that make no data set."""
    if found.data is None:
        return
    table, roles = found.data.table, found.data.dataset.roles
    yield from target_problems(table, roles, found.task or "regression")
    yield from table_problems(table, roles)


def columns(found: Found) -> Iterator[str]:
    """Refuse columns that the cleaning names and the data set does not have."""
    cleaning, data = found.built["cleaning"], found.data
    if cleaning is None:
        return
    yield from cleaning.problems()
    present = [] if data is None else [str(name) for name in data.table.columns]
    for key, names in cleaning.named_columns.items() if data is not None else ():
        for name in names:
            if data is not None and name not in present:
                yield (
                    f"{key} names '{name}', which {data.dataset.label} does not have; its columns are "
                    f"{brief(present)}.{nearest(name, present)}"
                )


def features(found: Found) -> Iterator[str]:
    """Clean a few rows, to refuse a cleaning that leaves no column or cannot read what is there."""
    cleaning, data = found.built["cleaning"], found.data
    if cleaning is None or data is None or data.known.empty or cleaning.problems():
        return
    if table_problems(data.table, data.dataset.roles):
        return
    try:
        DataCleaning(data.known.head(FEW), cleaning, data.dataset.roles).handle_data()
    except MlrunnerError as error:
        yield str(error)


def sizes(found: Found) -> Iterator[str]:
    """Refuse a split that the rows cannot fill."""
    split, data = found.built["split"], found.data
    if split is None:
        return
    if data is None or data.known.empty:
        yield from split.problems(ENOUGH, ENOUGH, None)
        return
    roles = data.dataset.roles
    groups = data.known[roles.group].nunique() if roles.group in data.known else None
    counts = data.known[roles.target].value_counts()
    smallest = int(counts[counts > 0].min()) if found.task == "classification" else None
    yield from split.problems(len(data.known), groups, smallest)


def estimator(found: Found) -> Iterator[str]:
    """Refuse an estimator that does not do the task or does not know an argument."""
    model = found.built["model"]
    if model is None:
        return
    targets = getattr(model, "targets", None) or dict.fromkeys(TASKS, "")
    able = [task for task in TASKS if targets.get(task) is not None] or TASKS
    told = [model.problems(task) for task in ((found.task,) if found.task is not None else able)]
    yield from (sentence for sentence in told[0] if all(sentence in others for others in told))


def objective(found: Found) -> Iterator[str]:
    """Refuse a metric that the task does not have."""
    known = [name for task in TASKS if found.task in (None, task) for name in metrics.metric_names(task)]
    several = isinstance(found.metric, Sequence) and not isinstance(found.metric, str)
    known += SECONDS if several else ()
    for name in [found.metric] if isinstance(found.metric, str) else found.metric if several else []:
        if name not in known:
            told = found.task or "any task"
            yield (
                f"objective.metric={name} is not a metric of {told}; choose {', '.join(known)}."
                f"{nearest(str(name), known)}"
            )


def stores(found: Found) -> Iterator[str]:
    """Refuse an address that cannot be one of a store, and a disk without room for it."""
    stack = found.built["stack"]
    for check in (partial(_address, stack, found.home), partial(refuse_full_disk, found.home / ".mlrunner")):
        try:
            check()
        except MlrunnerError as error:
            yield str(error)


def _address(stack: Stack | None, home: Path) -> None:
    if stack is not None:
        address = stack.environment(home)["MLFLOW_TRACKING_URI"]
        refuse_file_store(os.environ.get("MLFLOW_TRACKING_URI", address))


def judgement(found: Found) -> Iterator[str]:
    """Refuse a gate that cannot judge this task, and one that compares with a champion of no deployer."""
    gate, deployer = found.built.get("gate"), found.built.get("deployer")
    if gate is None or deployer is None:
        return
    yield from gate.problems(found.task)
    if gate.needs_champion and deployer.registered_name is None:
        yield "gate: it compares with what is deployed, but deployer=none deploys nothing; choose deployer=local."


def deployment(found: Found) -> Iterator[str]:
    """Refuse a deployment that could not be made in the end: better now than after the training."""
    deployer = found.built.get("deployer")
    if deployer is None or deployer.is_none:
        return
    if not found.saves:
        yield (
            "tracking: the deployer needs the saved model, but it is not kept; set tracking.log_model=true and "
            "tracking.keep_models=best."
        )
    yield from deployer.problems()


RULES = (soundness, columns, features, sizes, estimator, objective, stores, judgement, deployment)

"""The start-up check: every group built, every rule between groups checked, before the first step.

All problems are reported together. Nothing here imports ZenML or MLflow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig

from mlrunner import composition as composing
from mlrunner import metrics
from mlrunner.build import build, code_digest
from mlrunner.composition import Composition, Launch
from mlrunner.dataset import Dataset, infer_task, table_problems, tables, target_problems
from mlrunner.errors import ConfigError, MlrunnerError, ProblemsError, brief, nearest

if TYPE_CHECKING:
    import pandas as pd

    from mlrunner.roles import Task
    from mlrunner.stack import Stack

Built = dict[str, Any]


@dataclass(frozen=True)
class Data:
    """The data set as it turned out to be."""

    dataset: Dataset
    table: pd.DataFrame
    fingerprint: str
    task: Task

    def problems(self) -> list[str]:
        """Say what is wrong with the rows or with the columns' parts."""
        roles = self.dataset.roles
        return [*target_problems(self.table, roles, self.task), *table_problems(self.table, roles)]


@dataclass(frozen=True)
class Checked:
    """A composition that can run."""

    composition: Composition
    data: Data
    code: dict[str, str]
    stack: Stack


class Problems:
    """Collects the sentences of all that is wrong."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def catch(self, check: Callable[[], Any]) -> Any:
        """Run a check; return what it returns, or None when it raised, keeping its sentences."""
        try:
            return check()
        except ProblemsError as error:
            self.extend(error.problems)
        except MlrunnerError as error:
            self.extend([str(error)])
        return None

    def extend(self, sentences: list[str]) -> None:
        """Add the sentences that are not there yet."""
        self.found += [sentence for sentence in sentences if sentence not in self.found]

    def refuse(self) -> None:
        """Stop here if anything is wrong.

        Raises:
            ProblemsError: With every sentence.
        """
        if self.found:
            raise ProblemsError(self.found)


def check(cfg: DictConfig, launch: Launch) -> Checked:
    """Check a composition whole, reading its data.

    Args:
        cfg: Hydra's config of the run.
        launch: How the run was started.

    Raises:
        ProblemsError: With one sentence for each problem.
    """
    problems = Problems()
    data: Data | None = problems.catch(lambda: load(cfg))
    task = data.task if data is not None else cfg.dataset.task
    cfg = composing.with_task(cfg, task or "regression")
    groups = [group for group in composing.GROUPS[1:] if task is not None or group != "model"]
    built: Built = {group: problems.catch(partial(_build, cfg, group)) for group in groups}
    settings = problems.catch(partial(composing.settings, cfg))
    if data is not None:
        problems.extend(data.problems())
        problems.extend([sentence for rule in RULES for sentence in rule(data, built)])
    if settings is not None and data is not None:
        problems.catch(lambda: _objective(settings.objective.metric, data.task))
    problems.refuse()
    if data is None:  # then there was a problem
        raise ProblemsError(problems.found)
    code = {group: code_digest(part) for group, part in {"dataset": data.dataset, **built}.items()}
    return Checked(composing.read(cfg, launch), data, code, built["stack"])


def load(cfg: DictConfig) -> Data:
    """Read the data set, inferring the task when it is not said.

    Raises:
        MlrunnerError: When the data set cannot be read, or has no such target.
    """
    group = composing.plain(cfg, "dataset")
    dataset: Dataset = build(group, "dataset")
    fingerprint = dataset.fingerprint()
    table = tables.read(group, fingerprint)
    if dataset.target not in table:
        raise ProblemsError(target_problems(table, dataset.roles, "regression"))
    return Data(dataset, table, fingerprint, dataset.task or infer_task(table[dataset.target]))


def _build(cfg: DictConfig, group: str) -> Any:
    if group == "model":
        composing.refuse_task(cfg, Path(str(cfg.project)) / "conf")
    return build(composing.plain(cfg, group), group)


def _objective(metric: str, task: Task) -> None:
    known = metrics.metric_names(task)
    if metric not in known:
        raise ConfigError(
            f"objective.metric={metric} is not a metric of {task}; choose {', '.join(known)}.{nearest(metric, known)}"
        )


def _columns(data: Data, built: Built) -> Iterator[str]:
    """Refuse columns that the cleaning names and the data set does not have."""
    if built["cleaning"] is None:
        return
    yield from built["cleaning"].problems()
    present = [str(name) for name in data.table.columns]
    for key, names in built["cleaning"].named_columns.items():
        for name in names:
            if name not in present:
                yield (
                    f"{key} names '{name}', which {data.dataset.label} does not have; its columns are "
                    f"{brief(present)}.{nearest(name, present)}"
                )


def _sizes(data: Data, built: Built) -> Iterator[str]:
    """Refuse a split that the rows cannot fill."""
    if built["split"] is None:
        return
    roles = data.dataset.roles
    target = data.table[roles.target].dropna()
    groups = data.table[roles.group].nunique() if roles.group in data.table else None
    smallest = int(target.value_counts().min()) if data.task == "classification" and len(target) else None
    yield from built["split"].problems(len(target), groups, smallest)


def _estimator(data: Data, built: Built) -> Iterator[str]:
    """Refuse an estimator that does not do the task or does not know an argument."""
    if built["model"] is not None:
        yield from built["model"].problems(data.task)


RULES = (_columns, _sizes, _estimator)

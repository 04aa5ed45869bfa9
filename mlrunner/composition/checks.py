"""Check a composition before its first step: build every config group, and apply every rule between groups.

All problems are reported together. Nothing here imports ZenML or MLflow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from mlrunner.composition import stand_ins
from mlrunner.composition.code_digest import digest_code, source_digests
from mlrunner.composition.composition import Composition, Launch, read_composition, read_settings
from mlrunner.composition.findings import Data, Findings, load_data
from mlrunner.composition.metric_rules import check_objective
from mlrunner.composition.resolve import resolve_group
from mlrunner.composition.rules import RULES, check_estimator
from mlrunner.composition.settings import Settings
from mlrunner.core.build import build
from mlrunner.core.column_roles import Task
from mlrunner.core.errors import MlrunnerError, ProblemsError
from mlrunner.core.warning_names import Notice
from mlrunner.evaluation.advice.data_warnings import warn_of_data
from mlrunner.evaluation.advice.facts import TableFacts
from mlrunner.groups.cleaning.column_use import ColumnUse, describe_columns
from mlrunner.groups.deployer import Deployer
from mlrunner.groups.executor import Engine
from mlrunner.groups.gate import Gate
from mlrunner.groups.model import Model
from mlrunner.groups.split import DataDivideStrategy
from mlrunner.groups.split.assignment import TimeAssignment
from mlrunner.groups.stack import Stack
from mlrunner.groups.strategy import CleaningStrategy

KINDS: dict[str, type] = {
    "cleaning": CleaningStrategy,
    "split": DataDivideStrategy,
    "model": Model,
    "stack": Stack,
    "gate": Gate,
    "deployer": Deployer,
    "executor": Engine,
}


@dataclass(frozen=True)
class Checked:
    """A composition that can run.

    Args:
        composition: The composition, with its task.
        data: The data set.
        code: Digest of the code of each cached step, by config group.
        stack: The built stack.
        source_digests: Digest of each source file that the composition runs on, by module.
        columns: What becomes of each column.
        notices: Warnings about the data.
    """

    composition: Composition
    data: Data
    code: dict[str, str]
    stack: Stack
    source_digests: dict[str, str]
    columns: ColumnUse
    notices: tuple[Notice, ...] = ()


class ProblemList:
    """The sentences of all problems, each once."""

    def __init__(self) -> None:
        self.sentences: list[str] = []

    def catch(self, check: Callable[[], Any]) -> Any:
        """Run a check, and add the sentences of its error.

        Returns:
            The result of the check; None when it raised.
        """
        try:
            return check()
        except ProblemsError as error:
            self.extend(error.problems)
        except MlrunnerError as error:
            self.extend([str(error)])
        return None

    def extend(self, sentences: Iterable[str]) -> None:
        """Add the sentences that are not in the list yet."""
        self.sentences += [sentence for sentence in dict.fromkeys(sentences) if sentence not in self.sentences]

    def raise_if_any(self) -> None:
        """Raise when there are problems.

        Raises:
            ProblemsError: With every sentence.
        """
        if self.sentences:
            raise ProblemsError(self.sentences)


def check(cfg: DictConfig, launch: Launch) -> Checked:
    """Check a composition, reading its data.

    Raises:
        ProblemsError: With one sentence for each problem.
    """
    stand_ins.refuse_missing(cfg, launch.overrides)
    problems = ProblemList()
    data: Data | None = problems.catch(partial(load_data, cfg))
    task = data.task if data is not None else stand_ins.declared_task(cfg)
    cfg = stand_ins.with_task(cfg, task)
    settings: Settings | None = problems.catch(partial(read_settings, cfg))
    findings = _build_groups(stand_ins.with_stand_ins(cfg), data, task, problems)
    findings = replace(findings, custom={} if settings is None else settings.metric)
    for rule in RULES:
        problems.extend(rule(findings))
    problems.raise_if_any()
    if data is None:  # only for the type checker: without data there was a problem
        raise ProblemsError(problems.sentences)
    cached = {"dataset": data.dataset, "cleaning": findings.built["cleaning"], "split": findings.built["split"]}
    composition = read_composition(cfg, launch)
    columns = describe_columns(data.table, data.dataset.roles, findings.built["cleaning"])
    return Checked(
        composition=composition,
        data=data,
        code={group: digest_code(part) for group, part in cached.items()},
        stack=findings.built["stack"],
        source_digests=_digest_sources([*cached.values(), findings.built["model"]], composition),
        columns=columns,
        notices=_warn(data, columns, findings.built["split"], composition.settings.warnings.ignore),
    )


def _warn(data: Data, columns: ColumnUse, split: DataDivideStrategy, ignore: list[str]) -> tuple[Notice, ...]:
    """List the warnings about the data."""
    is_random = not isinstance(split, TimeAssignment)
    read = [notice for notice in data.notices if notice.name not in ignore]
    facts = TableFacts(data.table, data.dataset.roles, data.task, is_random, columns.dates)
    return (*read, *warn_of_data(facts, ignore))


def _build_groups(cfg: DictConfig, data: Data | None, task: Task | None, problems: ProblemList) -> Findings:
    """Build every group, adding what is wrong to `problems`."""
    built = {group: problems.catch(partial(_build, cfg, group, task)) for group in KINDS}
    metric, home = (OmegaConf.select(cfg, key, throw_on_missing=False) for key in ("objective.metric", "home"))
    saves = [OmegaConf.select(cfg, f"tracking.{key}") not in (False, "none") for key in ("log_model", "keep_models")]
    return Findings(data, task, built, metric, Path(str(home)), all(saves))


def _digest_sources(parts: list[object], composition: Composition) -> dict[str, str]:
    """Digest the source files of the built groups, and that of an estimator of the user's own."""
    estimator = composition["model"].get("estimator") or {}
    return source_digests(parts, [str(estimator.get("_target_", "")).rpartition(".")[0]])


def recheck(cfg: DictConfig, launch: Launch, known: Checked) -> Checked:
    """Check a composition that differs from a checked one only in the values of its model and its objective.

    Args:
        cfg: Hydra's configuration of the run; an inferred task is written into it.
        launch: How the run was launched.
        known: The checked composition.

    Raises:
        ProblemsError: With one sentence for each problem.
    """
    if cfg.dataset.task is None:
        cfg.dataset.task = known.data.task
    composition = read_composition(cfg, launch)
    model: Model = build(composition["model"], "model", Model)
    metric = OmegaConf.select(cfg, "objective.metric", throw_on_missing=False)
    task, home = composition["dataset"]["task"], composition.settings.home
    findings = Findings(known.data, task, {"model": model}, metric, home, custom=composition.settings.metric)
    problems = ProblemList()
    for rule in (check_estimator, check_objective):
        problems.extend(rule(findings))
    problems.raise_if_any()
    return replace(known, composition=composition)


def _build(cfg: DictConfig, group: str, task: Task | None) -> Any:
    if group == "model" and task is not None:
        stand_ins.refuse_task(cfg, task)
    return build(resolve_group(cfg, group), group, KINDS[group])

"""The start-up check: every group built, every rule between groups checked, before the first step.

All problems are reported together. Nothing here imports ZenML or MLflow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig, OmegaConf

from mlrunner import composition as composing
from mlrunner.composition import Composition, Launch, stand_ins
from mlrunner.composition.code_digest import code_digest, sources
from mlrunner.composition.resolve import plain
from mlrunner.composition.rules import RULES, Data, Found, estimator, objective
from mlrunner.core.build import build
from mlrunner.core.errors import MlrunnerError, ProblemsError
from mlrunner.groups.cleaning import CleaningStrategy
from mlrunner.groups.dataset import Dataset, infer_task, loading
from mlrunner.groups.deployer import Deployer
from mlrunner.groups.gate import Gate
from mlrunner.groups.model import Model
from mlrunner.groups.split import DataDivideStrategy
from mlrunner.groups.stack import Stack

if TYPE_CHECKING:
    from mlrunner.core.column_roles import Task

KINDS: dict[str, type] = {
    "cleaning": CleaningStrategy,
    "split": DataDivideStrategy,
    "model": Model,
    "stack": Stack,
    "gate": Gate,
    "deployer": Deployer,
}


STEP_CODE = (
    "mlrunner.groups.dataset.loading",
    "mlrunner.groups.cleaning",
    "mlrunner.steps.materializers",
)  # beside the strategy's own
CODE: dict[type, str] = {}


@dataclass(frozen=True)
class Checked:
    """A composition that can run."""

    composition: Composition
    data: Data
    code: dict[str, str]
    stack: Stack
    sources: dict[str, str]


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

    def extend(self, sentences: Iterable[str]) -> None:
        """Add the sentences that are not there yet."""
        for sentence in sentences:
            if sentence not in self.found:
                self.found.append(sentence)

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
    stand_ins.refuse_gaps(cfg, launch.overrides)
    problems = Problems()
    data: Data | None = problems.catch(partial(load, cfg))
    task = data.task if data is not None else stand_ins.said_task(cfg)
    cfg = stand_ins.with_task(cfg, task)
    problems.catch(partial(composing.settings, cfg))
    sound = stand_ins.with_stand_ins(cfg)
    built = {group: problems.catch(partial(_build, sound, group, task)) for group in KINDS}
    metric, home = (OmegaConf.select(sound, key, throw_on_missing=False) for key in ("objective.metric", "home"))
    saves = [OmegaConf.select(sound, f"tracking.{key}") not in (False, "none") for key in ("log_model", "keep_models")]
    found = Found(data, task, built, metric, Path(str(home)), all(saves))
    for rule in RULES:
        problems.extend(rule(found))
    problems.refuse()
    if data is None:  # then there was a problem
        raise ProblemsError(problems.found)
    parts = {"dataset": data.dataset, "cleaning": built["cleaning"], "split": built["split"]}
    code = {group: code_of(part) for group, part in parts.items()}  # of the steps that are cached
    composition = composing.read(cfg, launch)
    return Checked(composition, data, code, built["stack"], _sources([*parts.values(), built["model"]], composition))


def _sources(parts: list[object], composition: Composition) -> dict[str, str]:
    """Digest the files that the choices run on, and that of an estimator of the user's own."""
    estimator = composition["model"].get("estimator") or {}
    return sources(parts, [str(estimator.get("_target_", "")).rpartition(".")[0]])


def recheck(cfg: DictConfig, launch: Launch, known: Checked) -> Checked:
    """Check a composition that differs from a checked one in the values of its model and its objective only.

    Args:
        cfg: Hydra's config of the run; an inferred task is written into it.
        launch: How the run was started.
        known: The checked one.

    Raises:
        ProblemsError: With one sentence for each problem.
    """
    if cfg.dataset.task is None:
        cfg.dataset.task = known.data.task
    composition = composing.read(cfg, launch)
    model: Model = build(composition["model"], "model", Model)
    metric = OmegaConf.select(cfg, "objective.metric", throw_on_missing=False)
    found = Found(known.data, composition["dataset"]["task"], {"model": model}, metric, composition.settings.home)
    problems = Problems()
    for rule in (estimator, objective):
        problems.extend(rule(found))
    problems.refuse()
    return replace(known, composition=composition)


def code_of(part: object) -> str:
    """Digest the code of a group once a process: what is imported does not change any more."""
    cls = type(part)
    if cls not in CODE:
        CODE[cls] = code_digest(part, *STEP_CODE)
    return CODE[cls]


def load(cfg: DictConfig) -> Data:
    """Read the data set, inferring the task when it is not said.

    Raises:
        MlrunnerError: When the data set cannot be read.
    """
    group = plain(cfg, "dataset")
    dataset: Dataset = build(group, "dataset", Dataset)
    fingerprint = dataset.fingerprint()
    table = loading.read(group, fingerprint)
    inferred = infer_task(table[dataset.target]) if dataset.target in table else None
    return Data(dataset, table, fingerprint, dataset.task or inferred)


def _build(cfg: DictConfig, group: str, task: Task | None) -> Any:
    if group == "model" and task is not None:
        stand_ins.refuse_task(cfg, task)
    return build(plain(cfg, group), group, KINDS[group])

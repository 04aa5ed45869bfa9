"""What a composition lacks before its groups can be looked at, and what stands in for it meanwhile.

A mistake in a key that others refer to is told once; the check goes on with a stand-in, to find the rest.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, get_args

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from mlrunner.composition import GROUPS
from mlrunner.composition.resolve import merged
from mlrunner.core.column_roles import Task
from mlrunner.core.errors import ConfigError, ProblemsError, nearest

TASKS: tuple[Task, ...] = get_args(Task)
STAND_INS = {"seed": 0, "threads": 1}
EMPTY = re.compile(r"\+{0,2}([\w./@]+)=")


def refuse_gaps(cfg: DictConfig, overrides: list[str]) -> None:
    """Refuse groups that were deleted and values that were forgotten.

    Args:
        cfg: The composition.
        overrides: As they were typed.

    Raises:
        ProblemsError: With a sentence for each.
    """
    deleted = [
        f"{group} is not in the composition, but every run needs one; choose {group}=OPTION, one of {', '.join(found)}."
        for group in GROUPS
        if not (group in cfg and OmegaConf.is_dict(cfg._get_node(group))) and (found := options(group))
    ]
    forgotten = [match[1] for text in overrides if (match := EMPTY.fullmatch(text)) is not None]
    empty = [f"{key}= has no value; write one behind the = or leave {key}= out." for key in forgotten]
    if deleted or empty:
        raise ProblemsError([*deleted, *empty])


def options(group: str) -> list[str]:
    """Name the options of a group."""
    return sorted(file.stem for file in _conf(group).glob("*.yaml"))


def _conf(group: str) -> Path:
    return Path(os.environ["MLRUNNER_PROJECT"]) / "conf" / group


def said_task(cfg: DictConfig) -> Task | None:
    """Read `dataset.task`; None when it is not said, or is no task."""
    said = _select(cfg, "dataset.task")
    return said if said in TASKS else None


def with_task(cfg: DictConfig, task: Task | None) -> DictConfig:
    """Complete a composition with its task; with one that the model does, while it is not known."""
    targets = _select(cfg, "model.targets")
    able = [one for one in TASKS if not OmegaConf.is_dict(targets) or targets.get(one) is not None]
    return merged(cfg, {"dataset": {"task": task or (able or TASKS)[0]}})


def with_stand_ins(cfg: DictConfig) -> DictConfig:
    """Replace a wrong seed or number of threads, which every group would complain about again."""
    wrong = {key: value for key, value in STAND_INS.items() if not isinstance(_select(cfg, key), int)}
    sound = merged(cfg, {}) if wrong else cfg
    for key, value in wrong.items():
        OmegaConf.update(sound, key, value, merge=False, force_add=True)
    return sound


def _select(cfg: DictConfig, key: str) -> Any:
    try:
        return OmegaConf.select(cfg, key)
    except OmegaConfBaseException:
        return None


def refuse_task(cfg: DictConfig, task: Task) -> None:
    """Refuse a model that does not do the task, naming those that do.

    Raises:
        ConfigError: When `model.targets` has no class for it.
    """
    if _fits(cfg.model, task):
        return
    fits = [name for name in options("model") if _fits(OmegaConf.load(_conf("model") / f"{name}.yaml"), task)]
    name = cfg.model.get("name")
    raise ConfigError(
        f"model={name} does not do {task}, which is dataset.task; models that do: {', '.join(fits)}."
        f"{nearest(str(name), fits)}"
    )


def _fits(model: Any, task: str) -> bool:
    targets = model.get("targets")
    return not OmegaConf.is_dict(targets) or targets.get(task) is not None

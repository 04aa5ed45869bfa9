"""Missing groups and values, and the placeholders that let later checks run.

A mistake in a key that other keys refer to is reported once; a placeholder lets the check find the other mistakes.
"""

from __future__ import annotations

import re
from typing import Any, get_args

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from mlrunner.composition.composition import GROUPS
from mlrunner.composition.resolve import merge_values
from mlrunner.core.column_roles import Task
from mlrunner.core.conf_files import find_file, list_options
from mlrunner.core.errors import ConfigError, ProblemsError, nearest

TASKS: tuple[Task, ...] = get_args(Task)
STAND_INS = {"seed": 0, "threads": 1}
WITHOUT_VALUE = re.compile(r"\+{0,2}([\w./@]+)=")


def refuse_missing(cfg: DictConfig, overrides: list[str]) -> None:
    """Refuse deleted groups, and overrides without a value.

    Raises:
        ProblemsError: With one sentence for each.
    """
    deleted = [
        f"{group} is not in the composition, but every run needs one; choose {group}=OPTION, one of {', '.join(known)}."
        for group in GROUPS
        if not OmegaConf.is_dict(_select(cfg, group)) and (known := list_options(group))
    ]
    keys = [match[1] for text in overrides if (match := WITHOUT_VALUE.fullmatch(text)) is not None]
    empty = [f"{key}= has no value; write one behind the = or leave {key}= out." for key in keys]
    if deleted or empty:
        raise ProblemsError([*deleted, *empty])


def declared_task(cfg: DictConfig) -> Task | None:
    """Return `dataset.task`; None when it is null or not a task."""
    task = _select(cfg, "dataset.task")
    return task if task in TASKS else None


def with_task(cfg: DictConfig, task: Task | None) -> DictConfig:
    """Set `dataset.task`; when it is not known, to a task that the model can do."""
    targets = _select(cfg, "model.targets")
    possible = [name for name in TASKS if not OmegaConf.is_dict(targets) or targets.get(name) is not None]
    return merge_values(cfg, {"dataset": {"task": task or (possible or TASKS)[0]}})


def with_stand_ins(cfg: DictConfig) -> DictConfig:
    """Replace an invalid seed or number of threads, which every group would report again."""
    wrong = {key: value for key, value in STAND_INS.items() if not isinstance(_select(cfg, key), int)}
    valid = merge_values(cfg, {}) if wrong else cfg
    for key, value in wrong.items():
        OmegaConf.update(valid, key, value, merge=False, force_add=True)
    return valid


def _select(cfg: DictConfig, key: str) -> Any:
    try:
        return OmegaConf.select(cfg, key)
    except OmegaConfBaseException:
        return None


def refuse_task(cfg: DictConfig, task: Task) -> None:
    """Refuse a model that cannot do the task.

    Raises:
        ConfigError: When `model.targets` has no class for the task; the message names the models that have one.
    """
    if _fits(cfg.model, task):
        return
    files = {name: find_file(f"model/{name}") for name in list_options("model")}
    fits = [name for name, file in files.items() if file is not None and _fits(OmegaConf.load(file), task)]
    name = cfg.model.get("name")
    raise ConfigError(
        f"model={name} does not do {task}, which is dataset.task; models that do: {', '.join(fits)}."
        f"{nearest(str(name), fits)}"
    )


def _fits(model: Any, task: str) -> bool:
    targets = model.get("targets")
    return not OmegaConf.is_dict(targets) or targets.get(task) is not None

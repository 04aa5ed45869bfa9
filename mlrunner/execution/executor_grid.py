"""A grid of Hydra whose composition has an executor: `sweep=grid` runs its combinations there, as trials."""

from __future__ import annotations

from collections.abc import Sequence

from omegaconf import DictConfig, OmegaConf

from mlrunner.core.errors import ConfigError
from mlrunner.core.terminal import console
from mlrunner.groups.executor import LOCAL_TARGET

BASIC_SWEEPER = "BasicSweeper"
WORDS = ("sweep=grid", "hydra.sweeper.max_failure_rate=1")  # a failure does not stop a grid


class ExecutorGridError(ConfigError):
    """A grid that only a search can run; its message is a note for the user, empty where nothing is printed."""


def check_executor(config: DictConfig) -> None:
    """Refuse an executor in a grid of Hydra, whose jobs run on this machine.

    Raises:
        ExecutorGridError: When `sweep=grid` can run the same combinations.
        ConfigError: When another sweep or sweeper is chosen, which `sweep=grid` would replace.
    """
    if OmegaConf.select(config, "executor._target_", default=LOCAL_TARGET) == LOCAL_TARGET:
        return
    choices = config.hydra.runtime.choices
    name = f"executor={choices['executor']}"
    if choices.get("sweep") is None and config.hydra.sweeper._target_.endswith(BASIC_SWEEPER):
        note = f"{name} runs trials: this grid runs as sweep=grid, and its winner is refitted on train and validation"
        raise ExecutorGridError(note if config.output == "text" else "")
    raise ConfigError(
        f"{name} runs the trials of a search, but this is a grid of Hydra, whose jobs run on this machine; use "
        "sweep=grid, which runs every combination as a trial, or set executor=local."
    )


def make_search(arguments: Sequence[str], error: Exception | None) -> list[str] | None:
    """Write the command line that runs a grid as a search, and say so.

    Returns:
        None when the error is another one.
    """
    if not isinstance(error, ExecutorGridError):
        return None
    if error.args[0]:
        console(stderr=True).print(str(error))
    return [*arguments, *WORDS]

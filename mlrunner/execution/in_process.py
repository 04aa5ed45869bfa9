"""Run one composition in this process, and keep its outcome or its exception."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mlrunner.core.project import PRIMARY
from mlrunner.core.typed_overrides import prepare_override

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from mlrunner.core.outcome import Outcome


class SingleRun:
    """Task function for Hydra that keeps its outcome or its exception, for which Hydra would print a text of its own.

    Args:
        command_line: Arguments of the command line; None when the run was not started from one.

    Attributes:
        outcome: Outcome of the run; None before it has ended.
        error: Exception of the run; None when it raised none.
    """

    def __init__(self, command_line: Sequence[str] | None = None) -> None:
        self.command_line = command_line
        self.outcome: Outcome | None = None
        self.error: Exception | None = None

    def __call__(self, cfg: DictConfig) -> float:
        """Run a composition, and return its objective; NaN when it raised an exception."""
        from mlrunner.execution import runner

        try:
            self.outcome = runner.run_one(cfg, self.command_line)
        except Exception as error:
            self.error = error
            return float("nan")
        return self.outcome.objective


def run_here(overrides: Sequence[str]) -> Outcome:
    """Run one composition as the command line does.

    Raises:
        MlrunnerError: When the composition cannot run.
    """
    from mlrunner.composition.compose import open_hydra
    from mlrunner.composition.error_translation import translated

    quoted = [prepare_override(text) for text in overrides]
    job = SingleRun()
    with open_hydra() as opened, translated(quoted):
        hydra: Any = opened.hydra
        hydra.run(PRIMARY, job, quoted, with_log_configuration=False)
        if job.error is not None:
            raise job.error
    if job.outcome is None:
        raise RuntimeError("Hydra did not run the composition.")
    return job.outcome

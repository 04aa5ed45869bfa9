"""Admit the workers that fit, refuse others with a sentence, and say each sentence once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mlrunner.core.errors import MlrunnerError
from mlrunner.search.remote.fitness import describe_installation, describe_others, list_conflicts


class EngineError(MlrunnerError):
    """The cluster is gone, or no worker fits."""

    exit_code = 1


class Admission:
    """Judges workers by what they have installed.

    Attributes:
        ours: Description of this process.
        refused: Sentence by name of the worker.
    """

    def __init__(self, notify: Callable[[str], None]) -> None:
        self._notify, self._noted = notify, set[str]()
        self.ours = describe_installation()
        self.refused: dict[str, str] = {}

    def admit(self, name: str, theirs: dict[str, Any]) -> bool:
        """Return whether a worker fits; refuse it otherwise.

        Args:
            name: Name of the worker.
            theirs: What `describe_installation` returned there.
        """
        if conflicts := list_conflicts(self.ours, theirs):
            self.refuse(name, f"it has {', '.join(conflicts)}; install the same there")
            return False
        if (others := describe_others(self.ours, theirs)) is not None:
            self.note(f"worker {name} has {others}")
        return True

    def refuse(self, name: str, reason: str) -> None:
        """Refuse a worker with a sentence."""
        self.refused[name] = f"Worker {name} is refused: {reason}."
        self.note(self.refused[name])

    def refuse_broken(self, name: str, error: BaseException | None) -> None:
        """Refuse a worker that cannot describe itself."""
        self.refuse(name, f"it cannot run mlrunner ({error!r}); install the same version there")

    def note(self, sentence: str) -> None:
        """Say a sentence to the user, once."""
        if sentence not in self._noted:
            self._noted.add(sentence)
            self._notify(sentence)

    def check_any(self, fit: int, asked: int) -> None:
        """Say that the search waits for workers.

        Args:
            fit: Number of workers that fit.
            asked: Number of workers that have not described themselves yet.

        Raises:
            EngineError: When all workers are refused.
        """
        if self.refused and not fit and not asked:
            raise EngineError(f"executor: no worker fits. {next(iter(self.refused.values()))}")
        if not fit:
            self.note("waiting for the workers of the cluster")

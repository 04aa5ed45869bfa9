"""What runs in a worker of a Ray cluster."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Mapping
from queue import SimpleQueue
from threading import Thread
from typing import Any

from mlrunner.search.executor import Step
from mlrunner.search.remote.fitness import describe_installation
from mlrunner.search.remote.remote_trial import RemoteResult, run_in_child
from mlrunner.search.remote.table_files import store_table
from mlrunner.search.trial import TrialTask


class TrialActor:
    """Runs trials, one at a time; its methods are called in several threads."""

    def __init__(self) -> None:
        self._answers: SimpleQueue[bool] = SimpleQueue()

    def describe(self) -> dict[str, Any]:
        """Describe the installation of this worker, and its host and process."""
        return {**describe_installation(), "name": f"{socket.gethostname()}:{os.getpid()}"}

    def store(self, digest: str, content: bytes) -> None:
        """Keep a table on the machine of this worker."""
        store_table(digest, content)

    def answer(self, prune: bool) -> None:
        """Answer the step that the trial has reported."""
        self._answers.put(prune)

    def run(
        self, task: TrialTask, code: bytes, digests: Mapping[str, str], *stored: None
    ) -> Iterator[Step | RemoteResult]:
        """Run a trial in a process of its own, and yield its steps and what it returns.

        Args:
            task: Trial to run.
            code: Modules of the user, from `ModulePacker`.
            digests: Digest by path, of the tables that were sent.
            stored: Results of `store`, which must end before.
        """
        del stored
        events: SimpleQueue[Step | RemoteResult | Exception] = SimpleQueue()

        def report(step: Step) -> bool:
            events.put(step)
            return self._answers.get()

        def work() -> None:
            try:
                events.put(run_in_child(task, code, digests, report, _never_stop))
            except Exception as error:
                events.put(error)

        Thread(target=work, daemon=True).start()
        while isinstance(event := events.get(), Step):
            yield event
        if isinstance(event, Exception):
            raise event
        yield event


def _never_stop() -> bool:
    """Go on: Ray ends an actor whose trial is not wanted any more, and the trial's process ends with it."""
    return False

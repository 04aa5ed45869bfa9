"""What the driver sends to the workers of a Dask cluster; each function runs in a thread of a worker."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from distributed import Queue, Status, get_client, get_worker

from mlrunner.search.executor import Step
from mlrunner.search.remote.child import Stopped
from mlrunner.search.remote.fitness import describe_installation
from mlrunner.search.remote.remote_trial import RemoteResult, run_in_child
from mlrunner.search.remote.table_files import store_table
from mlrunner.search.trial import TrialTask

ANSWER_SECONDS = 1.0  # between two checks if the driver still wants the trial
ENDED = (Status.closing, Status.closed, Status.failed)


def describe_worker() -> dict[str, Any]:
    """Describe the installation of a worker, and its number of threads."""
    return {**describe_installation(), "threads": get_worker().state.nthreads}


def store(digest: str, content: bytes) -> None:
    """Keep a table on the machine of this worker."""
    store_table(digest, content)


def run_trial(task: TrialTask, topic: str, code: bytes, digests: Mapping[str, str], *stored: None) -> RemoteResult:
    """Run a trial in a process of its own.

    Args:
        task: Trial to run.
        topic: Name of the topic that receives its steps, and of the queue with the answers.
        code: Modules of the user, from `ModulePacker`.
        digests: Digest by path, of the tables that were sent.
        stored: Results of `store`, which must end before.
    """
    del stored
    worker = get_worker()
    key = worker.get_current_task()

    def is_stopped() -> bool:
        """Check whether the driver or the scheduler is gone, or the driver has cancelled the trial."""
        state = worker.state.tasks.get(key)  # which the scheduler has released when the driver is gone
        is_released = state is None or state.state in ("cancelled", "released", "forgotten")
        return is_released or worker.status in ENDED  # a worker whose scheduler is gone waits for its tasks

    def report(step: Step) -> bool:
        worker.log_event(topic, {"number": step.number, "step": step.step, "value": step.value})
        while not is_stopped():
            with suppress(OSError):  # no answer yet, or no scheduler any more
                return bool(Queue(f"{topic}-{step.number}", client=get_client()).get(timeout=ANSWER_SECONDS))
        raise Stopped

    return run_in_child(task, code, digests, report, is_stopped)

"""What the driver sends to the workers of a Dask cluster; each function runs in a thread of a worker."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from distributed import Queue, get_client, get_worker

from mlrunner.search.executor import Step
from mlrunner.search.remote.child import ChildCache, Stopped
from mlrunner.search.remote.fitness import describe_installation
from mlrunner.search.remote.table_files import MissingTablesError, find_tables, store_table
from mlrunner.search.remote.user_code import unpack_modules
from mlrunner.search.trial import TrialResult, TrialTask

ANSWER_SECONDS = 1.0  # between two checks if the driver still wants the trial


@dataclass(frozen=True)
class RemoteResult:
    """What a worker returns.

    Args:
        result: Result of the trial; None when there are tables to send first, or the driver has gone.
        model: File of the fitted model, where the worker does not share the driver's disk.
        missing: Paths of the tables to send first.
    """

    result: TrialResult | None = None
    model: bytes | None = None
    missing: tuple[str, ...] = ()


@cache
def _children() -> ChildCache:
    return ChildCache()


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
    try:
        local = find_tables(task, digests)
    except MissingTablesError as error:
        return RemoteResult(missing=tuple(error.paths))
    with TemporaryDirectory(prefix="mlrunner-") as temporary:
        model = _relocate_model(task, Path(temporary))
        is_moved = model != task.model_file and model is not None
        with suppress(Stopped):
            result = _run(replace(local, model_file=model), topic, code)
            has_model = is_moved and Path(str(model)).exists()
            return RemoteResult(result, Path(str(model)).read_bytes() if has_model else None)
    return RemoteResult()


def _relocate_model(task: TrialTask, temporary: Path) -> str | None:
    """Return where to write the model: a temporary file where the folder of the search is not on this machine."""
    if task.model_file is None or Path(task.model_file).parent.parent.is_dir():
        return task.model_file
    return str(temporary / Path(task.model_file).name)


def _run(task: TrialTask, topic: str, code: bytes) -> TrialResult:
    worker = get_worker()
    key = worker.get_current_task()

    def is_stopped() -> bool:
        """Check whether the driver has cancelled the trial or is gone: its scheduler has released the task then."""
        state = worker.state.tasks.get(key)
        return state is None or state.state in ("cancelled", "released", "forgotten")

    def report(step: Step) -> bool:
        worker.log_event(topic, {"number": step.number, "step": step.step, "value": step.value})
        answers = Queue(f"{topic}-{step.number}", client=get_client())
        while not is_stopped():
            with suppress(TimeoutError):
                return bool(answers.get(timeout=ANSWER_SECONDS))
        raise Stopped

    path, children = unpack_modules(code), _children()
    child = children.take(task.threads, path)
    result = child.run(task, report, is_stopped)
    children.keep(task.threads, path, child)
    return result

"""A trial on a worker of a cluster: how the worker runs it, and how the driver reads what comes back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from mlrunner.core.terminal import relative_path
from mlrunner.core.user_code import unpack_modules
from mlrunner.search.remote.child import ChildCache, Report, Stopped
from mlrunner.search.remote.table_files import MissingTablesError, find_tables
from mlrunner.search.trial import TrialResult, TrialTask


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


def run_in_child(
    task: TrialTask, code: bytes, digests: Mapping[str, str], report: Report, is_stopped: Callable[[], bool]
) -> RemoteResult:
    """Run a trial in a process of its own.

    Args:
        task: Trial to run.
        code: Modules of the user, from `ModulePacker`.
        digests: Digest by path, of the tables that were sent to any machine.
        report: Function of an intermediate value.
        is_stopped: Function that says whether the trial is not wanted any more.
    """
    try:
        local = find_tables(task, digests)
    except MissingTablesError as error:
        return RemoteResult(missing=tuple(error.paths))
    with TemporaryDirectory(prefix="mlrunner-") as temporary:
        model = _relocate_model(task, Path(temporary))
        is_moved = model != task.model_file and model is not None
        with suppress(Stopped):
            result = _run(replace(local, model_file=model), code, report, is_stopped)
            has_model = is_moved and Path(str(model)).exists()
            return RemoteResult(result, Path(str(model)).read_bytes() if has_model else None)
    return RemoteResult()


def _run(task: TrialTask, code: bytes, report: Report, is_stopped: Callable[[], bool]) -> TrialResult:
    path, children = unpack_modules(code), _children()
    child = children.take(task.threads, path)
    result = child.run(task, report, is_stopped)
    children.keep(task.threads, path, child)
    return result


def _relocate_model(task: TrialTask, temporary: Path) -> str | None:
    """Return where to write the model: a temporary file where the folder of the search is not on this machine."""
    if task.model_file is None or Path(task.model_file).parent.parent.is_dir():
        return task.model_file
    return str(temporary / Path(task.model_file).name)


def describe_loss(number: int, worker: str, logs: str | None = None) -> TrialResult:
    """Describe a trial whose worker is gone.

    Args:
        number: Number of the trial.
        worker: Name of its worker.
        logs: Folder in which the job of the worker has written its log; None without jobs.
    """
    place = "" if logs is None else f"; its job's log is in {relative_path(logs)}"
    return TrialResult(number, "LOST", error=f"the worker {worker} is gone{place}")


def describe_refusal(number: int, worker: str, error: BaseException | None) -> TrialResult:
    """Describe a trial that its worker could not run: an exception outside of the trial's own process."""
    return TrialResult(number, "FAIL", error=" ".join(f"worker {worker}: {error!r}".split()))


def read_result(task: TrialTask, worker: str, returned: RemoteResult | None) -> TrialResult:
    """Return the result of a trial, and write the model that came with it.

    Args:
        task: Trial.
        worker: Name of its worker.
        returned: What the worker returned; None when it is gone.
    """
    if returned is None or returned.result is None:
        return describe_loss(task.number, worker)
    if returned.model is not None and task.model_file is not None:
        Path(task.model_file).parent.mkdir(parents=True, exist_ok=True)
        Path(task.model_file).write_bytes(returned.model)
    return replace(returned.result, worker=" ".join(filter(None, [worker, returned.result.worker])))

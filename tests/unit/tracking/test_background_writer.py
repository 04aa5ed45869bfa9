"""Calls that are written in the background: their order, their errors, and a process as the worker."""

from __future__ import annotations

import os
import sys
import threading

import pytest

from mlrunner.core.errors import StoreError
from mlrunner.tracking import background_writer
from mlrunner.tracking.background_writer import Recorder


def fail(text: str) -> None:
    raise OSError(text)


def test_flush_waits_for_all_calls_in_their_order() -> None:
    recorder, written = Recorder(), list[int]()
    gate = threading.Event()
    recorder.submit(gate.wait, 10)
    for number in range(20):
        recorder.submit(written.append, number)
    assert written == []
    gate.set()
    recorder.flush()
    assert written == list(range(20))


def test_flush_raises_the_first_error_and_the_rest_is_written() -> None:
    recorder, written = Recorder(), list[str]()
    recorder.submit(written.append, "before")
    recorder.submit(fail, "disk is full")
    recorder.submit(written.append, "after")
    recorder.submit(fail, "again")
    with pytest.raises(
        StoreError, match=r"^A run was not recorded completely: OSError: disk is full \(-v shows where\)\.$"
    ) as raised:
        recorder.flush()
    assert isinstance(raised.value.__cause__, OSError)
    assert written == ["before", "after"]


def test_error_is_raised_once_and_the_recorder_goes_on() -> None:
    recorder, written = Recorder(), list[str]()
    recorder.submit(fail, "once")
    with pytest.raises(StoreError, match="once"):
        recorder.flush()
    recorder.submit(written.append, "next run")
    recorder.flush()
    assert written == ["next run"]


def test_flush_without_calls() -> None:
    recorder = Recorder()
    recorder.flush()
    recorder.flush()


def has_module(name: str) -> bool:
    return name in sys.modules


def test_worker_process_has_the_environment_and_the_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder()
    monkeypatch.setenv("MLRUNNER_TEST", "from the parent")
    monkeypatch.setattr(background_writer, "PRELOADED", ("colorsys",))  # MLflow takes seconds
    recorder.start_process(["wave"])
    number, text = recorder.submit(os.getpid), recorder.submit(os.getenv, "MLRUNNER_TEST")
    imported = [recorder.submit(has_module, name) for name in ("colorsys", "wave")]
    recorder.flush()
    assert number.result() != os.getpid()
    assert text.result() == "from the parent"
    assert all(module.result() for module in imported)

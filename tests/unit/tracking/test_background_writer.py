"""Calls that are written in the background: their order, their errors, and a process as the worker."""

from __future__ import annotations

import logging
import os
import sys
import threading

import pytest
from mlflow.exceptions import MlflowException
from mlflow.store.db import utils
from sqlalchemy import create_engine, text
from sqlalchemy.orm import sessionmaker

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


@pytest.mark.parametrize(("verbose", "is_logged"), [("0", False), ("1", True)])
def test_an_error_of_the_database_is_logged_only_on_request(
    verbose: str, is_logged: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MLRUNNER_VERBOSE", verbose)
    logger = logging.getLogger(utils.__name__)
    # An earlier test in this process may have migrated a database or silenced ZenML, which disables loggers.
    monkeypatch.setattr(logger, "disabled", False)
    monkeypatch.setattr(logger.manager, "disable", logging.NOTSET)
    monkeypatch.setattr(logger, "level", logging.NOTSET)
    logger.setLevel(logging.NOTSET)  # forgets the levels that it has looked up
    monkeypatch.setattr(logger, "handlers", [caplog.handler])
    background_writer.silence_database_log()
    make_session = utils._get_managed_session_maker(sessionmaker(create_engine("sqlite://")), "sqlite")
    with pytest.raises(MlflowException), make_session() as session:
        session.execute(text("select * from no_table"))
    assert bool(caplog.records) == is_logged

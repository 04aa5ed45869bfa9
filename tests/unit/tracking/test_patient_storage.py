"""A database that restarts is waited for; one that is gone ends the search with a sentence."""

from __future__ import annotations

import time
from pathlib import Path
from threading import Thread
from typing import Any

import optuna
import pytest
from optuna.exceptions import StorageInternalError
from optuna.storages import InMemoryStorage
from optuna.trial import TrialState
from sqlalchemy.exc import OperationalError, ProgrammingError

from mlrunner.core.errors import StoreError
from mlrunner.tracking.patient_storage import PatientStorage, find_outage
from tests.support.postgresql import PostgresqlServer, postgresql_server
from tests.support.sweeps import close_all, open_study, start_queue, suggest

ADDRESS = "postgresql://host/db"


class AbsentStorage(InMemoryStorage):
    """Fails some times before it answers, as Optuna's storage does while its database restarts."""

    def __init__(self, failures: int) -> None:
        super().__init__()
        self.failures = failures

    def get_all_studies(self) -> Any:
        if self.failures:
            self.failures -= 1
            try:
                raise OperationalError("select", {}, Exception("connection refused\nIs it running?"))
            except OperationalError as error:
                raise StorageInternalError("An exception is raised during the commit.") from error
        return super().get_all_studies()


def test_a_server_that_restarts_is_waited_for(capsys: pytest.CaptureFixture[str]) -> None:
    storage = PatientStorage(AbsentStorage(1), ADDRESS)
    assert optuna.get_all_study_names(storage) == []
    assert capsys.readouterr().err == (
        "mlrunner: the study's storage postgresql://host/db does not answer (connection refused); waiting up to 60 s "
        "for it.\nmlrunner: the study's storage postgresql://host/db answers again.\n"
    )


def test_a_server_that_is_gone_ends_in_a_sentence_and_is_not_waited_for_again() -> None:
    storage = PatientStorage(AbsentStorage(10**6), ADDRESS, patience=0.1)
    with pytest.raises(StoreError) as caught:
        storage.get_all_studies()
    assert str(caught.value) == (
        "The study's storage postgresql://host/db has not answered for 0.1 s (connection refused). Finished trials are "
        "kept: start it again, and run mlrunner resume with the name or folder of the sweep."
    )
    began = time.monotonic()
    with pytest.raises(StoreError):
        storage.get_all_studies()
    assert time.monotonic() - began < 0.1


def test_other_errors_are_raised_at_once() -> None:
    assert find_outage(ProgrammingError("select", {}, Exception("no such table"))) is None
    assert find_outage(KeyError("study")) is None
    with pytest.raises(KeyError):
        PatientStorage(InMemoryStorage(), ADDRESS).get_study_id_from_name("none")


def test_redis_is_waited_for_too() -> None:
    redis = pytest.importorskip("redis")
    assert find_outage(redis.exceptions.ConnectionError("Error 111")) == "Error 111"
    assert find_outage(redis.exceptions.ResponseError("wrong type")) is None


@pytest.mark.services
def test_a_postgresql_that_is_restarted_loses_no_trial(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("psycopg")

    def restart(server: PostgresqlServer) -> None:
        server.stop()
        time.sleep(1)
        server.start()

    with postgresql_server() as server:
        study = open_study(server.address, tmp_path, "restarted")
        queue, restarting = start_queue(study, 20), Thread(target=restart, args=(server,))
        numbers = []
        while (trial := queue.take(suggest)) is not None:
            if trial.number == 5:
                restarting.start()
            time.sleep(0.1)
            study.tell(trial, 0.5)
            numbers.append(trial.number)
        restarting.join()
        states = [trial.state for trial in study.get_trials()]
        close_all()
    assert numbers == list(range(20))
    assert states == [TrialState.COMPLETE] * 20
    assert capsys.readouterr().err.rstrip().endswith("answers again.")

"""What a worker says before it runs a trial: its installation, and the tables that it lacks."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlrunner.search.remote import dask_tasks
from mlrunner.search.remote.dask_tasks import RemoteResult, describe_worker, run_trial
from tests.support.in_process_dask import open_cluster
from tests.support.trials import Data, family_settings

pytestmark = pytest.mark.filterwarnings("ignore:::distributed")


def test_a_worker_names_its_threads() -> None:
    with open_cluster() as client:
        assert client.submit(describe_worker).result()["threads"] == 2


def test_a_worker_asks_for_the_tables_that_it_lacks(tmp_path: Path) -> None:
    data = Data(tmp_path / "files")
    task = data.task(family_settings("ridge"))
    Path(data.files["validation"]).unlink()
    assert run_trial(task, "topic", b"", {}) == RemoteResult(missing=(data.files["validation"],))


def test_a_model_is_written_where_the_worker_can(tmp_path: Path) -> None:
    data = Data(tmp_path / "files")
    seen, unseen = str(tmp_path / "3" / "model.joblib"), "/nowhere/sweep/3/model.joblib"
    tasks = [data.task(family_settings("ridge"), model_file=file) for file in (seen, unseen, None)]
    places = [dask_tasks._relocate_model(task, tmp_path) for task in tasks]
    assert places == [seen, str(tmp_path / "model.joblib"), None]

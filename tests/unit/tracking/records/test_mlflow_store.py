"""Any store of MLflow's, read through its client: the same answers as without it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest

from mlrunner.core.errors import StoreError
from mlrunner.tracking.records import SWEEP_TAG, TRIAL_TAG, WINNER_OF_TAG, mlflow_store
from mlrunner.tracking.records.mlflow_store import MlflowStore
from tests.support.mlflow_home import open_copy
from tests.support.run_stores import NamedRuns


@pytest.fixture
def home(tmp_path: Path, template: Path) -> Iterator[NamedRuns]:
    with open_copy(template, tmp_path):
        yield NamedRuns(tmp_path)


def test_every_page_of_the_registry_is_read(home: NamedRuns, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mlflow_store, "PAGE", 1)
    for name, alias in (("one", "champion"), ("two", "challenger"), ("three", "champion")):
        home.client.create_registered_model(name)
        version = home.client.create_model_version(name, "file:///nowhere", home.add(name)).version
        home.client.set_registered_model_alias(name, alias, version)
    without, through_client = home.stores
    assert without.read_aliases() == through_client.read_aliases()
    assert through_client.find_champions() == {"one": home.ids["one"], "three": home.ids["three"]}


def test_statuses_count_trials_but_not_their_refits(home: NamedRuns) -> None:
    for number in range(3):
        home.add(f"trial {number}", **{"sweep_id": "day/one", "trial_number": str(number)})
    home.client.update_run(home.ids["trial 2"], "FAILED")
    refit = home.client.create_run(home.experiment, tags={SWEEP_TAG: "day/one", TRIAL_TAG: "1", WINNER_OF_TAG: "x"})
    home.client.set_terminated(refit.info.run_id)
    for store in home.stores:
        assert store.count_statuses(["day/one", "day/two"]) == {"day/one": {"FINISHED": 2, "FAILED": 1}}


def test_server_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    before = mlflow.get_tracking_uri()
    with pytest.raises(StoreError, match=r"^MLflow's store http://127\.0\.0\.1:9 does not answer: "):
        MlflowStore("http://127.0.0.1:9").search()
    assert mlflow.get_tracking_uri() == before  # H1 of the attack findings: a constructor changes nothing

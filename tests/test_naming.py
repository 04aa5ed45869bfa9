"""What a person may call a run, in a real MLflow store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest
from mlflow import MlflowClient

from mlrunner import tracking
from mlrunner.errors import ConfigError
from mlrunner.tracking import naming


class Store:
    """A store with a single run, a grid of two and a search with a winner; ids by name."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.client = MlflowClient()
        self.experiment = self.client.create_experiment("mlrunner", artifact_location=(home / "artifacts").as_uri())
        self.ids: dict[str, str] = {}
        self.began = 1_000

    def add(self, name: str, r2: float | None = None, saved: bool = True, **tags: str) -> str:
        self.began += 1_000
        told = {"mlrunner.data_hash": "d", **{f"mlrunner.{key}": value for key, value in tags.items()}}
        if saved:
            told[tracking.MODEL_TAG] = f"models:/m-{name}"
        run = self.client.create_run(self.experiment, self.began, told, name)
        self.client.log_param(run.info.run_id, "objective.metric", "r2")
        if r2 is not None:
            self.client.log_metric(run.info.run_id, "test/r2", r2)
        self.client.set_terminated(run.info.run_id)
        self.ids[name] = run.info.run_id
        return run.info.run_id


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    home = tmp_path_factory.mktemp("named")
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(f"sqlite:///{home}/mlflow.db")
    found = Store(home)
    found.add("single", 0.5, folder=str(home / "multirun/day/one"))
    first = found.add("grid-first", 0.7, sweep_id="day/two", trial_number="0", folder=str(home / "multirun/day/two/0"))
    found.add("grid-second", 0.6, sweep_id="day/two", trial_number="1", folder=str(home / "multirun/day/two/1"))
    found.add("grid", saved=False, sweep_id="day/two", folder=str(home / "multirun/day/two"), best_run_id=first)
    trial = found.add("trial", 0.4, saved=False, sweep_id="day/three", trial_number="0")
    winner = found.add("winner", 0.45, sweep_id="day/three", trial_number="0")
    found.add(
        "search", sweep_id="day/three", folder=str(home / "multirun/day/three"), best_run_id=trial, winner_run_id=winner
    )
    found.add("other data", 0.99, data_hash="e", folder="elsewhere")
    found.add("latest", 0.3)
    yield found
    mlflow.set_tracking_uri(before)


@pytest.mark.parametrize(
    ("called", "name"),
    [
        ("latest", "latest"),
        ("best", "grid-first"),
        ("single", "single"),
        ("day/one", "single"),
        ("day/two", "grid-first"),
        ("day/two/1", "grid-second"),
        ("day/three", "winner"),
        ("grid", "grid-first"),
        ("search", "winner"),
    ],
)
def test_a_run_is_found(store: Store, called: str, name: str) -> None:
    assert naming.find(called, store.home).info.run_id == store.ids[name]


def test_a_run_is_found_by_its_id_the_beginning_of_it_and_its_folder(store: Store) -> None:
    run_id = store.ids["single"]
    for called in (run_id, run_id[:8], str(store.home / "multirun/day/one")):
        assert naming.find(called, store.home).info.run_id == run_id


def test_the_beginning_of_several_ids_is_refused(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = list(naming.runs())
    for run in runs[:2]:
        run.info._run_id = "abcd" + run.info.run_id[4:]
    monkeypatch.setattr(naming, "runs", lambda: iter(runs))
    with pytest.raises(ConfigError, match=r"'abcd' begins the ids of 2 runs \(abcd.{4}, abcd.{4}\); write more of it"):
        naming.find("abcd", store.home)


def test_what_is_not_there_is_said_with_the_newest(store: Store) -> None:
    with pytest.raises(ConfigError) as refused:
        naming.find("latst", store.home)
    assert str(refused.value).startswith("'latst' is no run; name one by its id")
    assert f"latest ({store.ids['latest'][:8]})" in str(refused.value)
    assert str(refused.value).endswith("Did you mean 'latest'?")


def test_a_run_of_somebody_else_has_no_composition(store: Store) -> None:
    with pytest.raises(ConfigError, match=r"has no config.yaml, so mlrunner did not make it"):
        naming.config_of(naming.find("single", store.home))

"""What a person may call a run, in a real MLflow store, read with and without MLflow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest
from mlflow import MlflowClient

from mlrunner.core.errors import ConfigError
from mlrunner.tracking import records
from mlrunner.tracking.records import Record, lookup
from mlrunner.tracking.records.mlflow_store import MlflowStore
from mlrunner.tracking.records.sqlite_store import SqliteStore


class Made:
    """A store with a single run, a grid of two, a search with a winner and a champion; ids by name."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.client = MlflowClient()
        self.experiment = self.client.create_experiment("mlrunner", artifact_location=(home / "artifacts").as_uri())
        self.ids: dict[str, str] = {}
        self.began = 1_000

    def add(self, name: str, r2: float | None = None, saved: bool = True, metric: str = "r2", **tags: str) -> str:
        self.began += 1_000
        told = {"mlrunner.data_hash": "d", **{f"mlrunner.{key}": value for key, value in tags.items()}}
        if saved:
            told[records.MODEL_TAG] = f"models:/m-{name}"
        run = self.client.create_run(self.experiment, self.began, told, name)
        self.client.log_param(run.info.run_id, "objective.metric", metric)
        if r2 is not None:
            self.client.log_metric(run.info.run_id, "test/r2", r2)
        self.client.set_terminated(run.info.run_id)
        self.ids[name] = run.info.run_id
        return run.info.run_id

    @property
    def stores(self) -> list[records.Store]:
        return [SqliteStore(self.home / "mlflow.db"), MlflowStore(f"sqlite:///{self.home}/mlflow.db")]

    def find(self, name: str, saved: bool = False) -> Record:
        """Find it in both ways, which must agree."""
        first, second = (lookup.find(store, name, self.home, saved) for store in self.stores)
        assert first == second
        return first


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    home = tmp_path_factory.mktemp("named")
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(f"sqlite:///{home}/mlflow.db")
    found = Made(home)
    for number in range(17):  # of which two begin with the same digit
        found.add(f"old{number}", saved=False)
    found.add("single", 0.5, folder=str(home / "multirun/day/one"))
    both = '["r2", "fit_seconds"]'
    first = found.add(
        "grid-first", 0.7, metric=both, sweep_id="day/two", trial_number="0", folder=str(home / "multirun/day/two/0")
    )
    found.add("grid-second", 0.6, sweep_id="day/two", trial_number="1", folder=str(home / "multirun/day/two/1"))
    found.add("grid", saved=False, sweep_id="day/two", folder=str(home / "multirun/day/two"), best_run_id=first)
    place = {"sweep_id": "day/three", "trial_number": "0", "folder": str(home / "multirun/day/three/0")}
    trial = found.add("trial", 0.4, saved=False, **place)
    winner = found.add("winner", 0.45, winner_of=trial, **place)
    found.add(
        "search", sweep_id="day/three", folder=str(home / "multirun/day/three"), best_run_id=trial, winner_run_id=winner
    )
    found.add("other data", 0.99, data_hash="e", folder="elsewhere")
    found.add("other metric", 0.98, metric="adjusted_r2")
    found.add("other first", 0.97, metric='["mae", "r2"]')
    found.add("again", 0.71, reproduces=first)
    found.add("saved", 0.3)
    found.add("latest", 0.3, saved=False)
    found.client.create_registered_model("olist")
    found.client.create_model_version("olist", "file:///m-x", first)
    found.client.set_registered_model_alias("olist", "champion", "1")
    yield found
    mlflow.set_tracking_uri(before)


@pytest.mark.parametrize(
    ("called", "name"),
    [
        ("latest", "latest"),
        ("latest~1", "saved"),
        ("latest~2", "again"),
        ("best", "grid-first"),
        ("champion", "grid-first"),
        ("olist@champion", "grid-first"),
        ("single", "single"),
        ("day/one", "single"),
        ("day/two", "grid"),
        ("day/two/1", "grid-second"),
        ("day/three", "search"),
        ("day/three/0", "trial"),
        ("grid", "grid"),
    ],
)
def test_a_run_is_found(made: Made, called: str, name: str) -> None:
    assert made.find(called).run_id == made.ids[name]


@pytest.mark.parametrize(("called", "name"), [("day/two", "grid-first"), ("day/three", "winner"), ("single", "single")])
def test_a_sweep_leads_to_its_winner_or_else_to_its_best_run(made: Made, called: str, name: str) -> None:
    assert {lookup.resolve_sweep(store, made.find(called)).run_id for store in made.stores} == {made.ids[name]}


def test_the_latest_with_a_model_is_another_one(made: Made) -> None:
    assert made.find("latest", saved=True).run_id == made.ids["saved"]


def test_a_run_is_found_by_its_id_the_beginning_of_it_and_its_folder(made: Made) -> None:
    run_id = made.ids["single"]
    for called in (run_id, run_id[:8], str(made.home / "multirun/day/one")):
        assert made.find(called).run_id == run_id


def test_the_beginning_of_several_ids_is_refused(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookup, "ID", lookup.re.compile("[0-9a-f]?"))  # the shortest beginning that many ids share
    common = max("0123456789abcdef", key=lambda digit: sum(run[0] == digit for run in made.ids.values()))
    with pytest.raises(ConfigError, match=rf"'{common}' matches \d+ runs \({common}.{{4}}, .*\); give more characters"):
        made.find(common)


def test_what_is_not_there_is_said_with_the_newest(made: Made) -> None:
    with pytest.raises(ConfigError) as refused:
        made.find("latst")
    assert str(refused.value).startswith("No run matches 'latst'. Did you mean 'latest'? Give an id")
    newest = ", ".join(f"{made.ids[name][:8]} ({name})" for name in ("latest", "saved", "again"))
    assert str(refused.value).endswith(f"; the newest runs are {newest}.")


def test_the_newest_are_told_without_parents_and_briefly(made: Made) -> None:
    long = made.client.create_run(made.experiment, 10**6, {}, "x" * 100).info.run_id
    parent = made.client.create_run(made.experiment, 10**6 + 1, {records.SWEEP_TAG: "day/four"}, "a sweep").info.run_id
    try:
        with pytest.raises(ConfigError, match=rf"; the newest runs are {long[:8]} \(x{{39}}…\), ") as refused:
            made.find("nobody at all")
        assert "a sweep (" not in str(refused.value)
    finally:
        for run_id in (long, parent):
            made.client.delete_run(run_id)


@pytest.mark.parametrize("called", ["it's", 'a "quoted" one', "%", "day/two/9", "latest~99", "abcdef0123"])
def test_what_is_not_there_is_no_run(made: Made, called: str) -> None:
    with pytest.raises(ConfigError, match="No run matches"):
        made.find(called)


def test_an_unknown_champion_is_refused(made: Made) -> None:
    with pytest.raises(
        ConfigError, match=r"there is no champion of 'olst'; available: olist@champion. Did you mean 'olist'\?"
    ):
        made.find("olst@champion")


def test_a_run_of_somebody_else_has_no_composition(made: Made) -> None:
    with pytest.raises(ConfigError, match=r"has no config.yaml at file:.*: mlrunner did not make it, or the file was"):
        made.find("single").config()


def test_without_a_store_there_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No run matches 'latest': there are no runs yet; start one with mlrunner"):
        lookup.find(SqliteStore(tmp_path / "mlflow.db"), "latest", tmp_path)

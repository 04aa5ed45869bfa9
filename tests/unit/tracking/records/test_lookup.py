"""Names that a user may give a run, looked up without MLflow and with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mlrunner.core.errors import ConfigError
from mlrunner.tracking import records
from mlrunner.tracking.records import lookup
from mlrunner.tracking.records.sqlite_store import SqliteStore
from tests.support.mlflow_home import open_copy
from tests.support.run_stores import NamedRuns, SearchableRuns


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory, template: Path) -> Iterator[NamedRuns]:
    home = tmp_path_factory.mktemp("named")
    with open_copy(template, home):
        runs = NamedRuns(home)
        add_runs(runs, home)
        yield runs


def add_runs(runs: NamedRuns, home: Path) -> None:
    for number in range(17):  # two of which share their first digit
        runs.add(f"old{number}", saved=False)
    runs.add("single", 0.5, folder=str(home / "multirun/day/one"))
    both = '["r2", "fit_seconds"]'
    first = runs.add(
        "grid-first", 0.7, metric=both, sweep_id="day/two", trial_number="0", folder=str(home / "multirun/day/two/0")
    )
    runs.add("grid-second", 0.6, sweep_id="day/two", trial_number="1", folder=str(home / "multirun/day/two/1"))
    runs.add("grid", saved=False, sweep_id="day/two", folder=str(home / "multirun/day/two"), best_run_id=first)
    place = {"sweep_id": "day/three", "trial_number": "0", "folder": str(home / "multirun/day/three/0")}
    trial = runs.add("trial", 0.4, saved=False, **place)
    winner = runs.add("winner", 0.45, winner_of=trial, **place)
    folder = str(home / "multirun/day/three")
    runs.add("search", sweep_id="day/three", folder=folder, best_run_id=trial, winner_run_id=winner, study="my-study")
    runs.add("other data", 0.99, data_hash="e", folder="elsewhere")
    runs.add("other metric", 0.98, metric="adjusted_r2")
    runs.add("other first", 0.97, metric='["mae", "r2"]')
    runs.add("again", 0.71, reproduces=first)
    runs.add("saved", 0.3)
    runs.add("latest", 0.3, saved=False)
    runs.register_champion("olist", "grid-first")


def test_best_is_judged_by_the_rows_of_the_newest_run(tmp_path: Path, template: Path) -> None:
    """A model of another target has a better score, but it is not better; runs without digests are among themselves."""
    with open_copy(template, tmp_path):
        runs = NamedRuns(tmp_path)
        runs.add("old", 0.95)
        runs.add("fare", 0.9, **{"rows.test": "fare"})
        runs.add("tip", 0.5, **{"rows.test": "tip"})
        runs.add("other tip", 0.4, **{"rows.test": "tip"})
        assert runs.find("best").name == "tip"
        runs.add("again", 0.3, **{"rows.test": "fare"})
        assert runs.find("best").name == "fare"
        runs.add("leak", 0.99, invalid="alive tells the target", **{"rows.test": "fare"})
        assert runs.find("best").name == "fare"  # nor does an invalid run count
        runs.add("without", 0.2)
        assert runs.find("best").name == "old"


@pytest.mark.parametrize(
    ("label", "name"),
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
        ("my-study", "search"),
    ],
)
def test_find(named: NamedRuns, label: str, name: str) -> None:
    assert named.find(label).run_id == named.ids[name]


@pytest.mark.parametrize(("label", "name"), [("day/two", "grid-first"), ("day/three", "winner"), ("single", "single")])
def test_sweep_resolves_to_its_winner_or_its_best_run(named: NamedRuns, label: str, name: str) -> None:
    assert {lookup.resolve_sweep(store, named.find(label)).run_id for store in named.stores} == {named.ids[name]}


def test_latest_with_a_saved_model(named: NamedRuns) -> None:
    assert named.find("latest", saved=True).run_id == named.ids["saved"]


def test_find_by_id_start_of_id_and_folder(named: NamedRuns) -> None:
    run_id = named.ids["single"]
    for label in (run_id, run_id[:8], str(named.home / "multirun/day/one")):
        assert named.find(label).run_id == run_id


def test_start_of_several_ids(named: NamedRuns, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookup, "ID", lookup.re.compile("[0-9a-f]?"))  # the shortest start that several ids share
    common = max("0123456789abcdef", key=lambda digit: sum(run[0] == digit for run in named.ids.values()))
    with pytest.raises(ConfigError, match=rf"'{common}' matches \d+ runs \({common}.{{4}}, .*\); give more characters"):
        named.find(common)


def test_missing_run_lists_the_newest(named: NamedRuns) -> None:
    with pytest.raises(ConfigError) as raised:
        named.find("latst")
    assert str(raised.value).startswith("No run matches 'latst'. Did you mean 'latest'? Give an id")
    newest = ", ".join(f"{named.ids[name][:8]} ({name})" for name in ("latest", "saved", "again"))
    assert str(raised.value).endswith(f"; the newest runs are {newest}.")


def test_newest_runs_are_listed_without_parents_and_shortened(named: NamedRuns) -> None:
    long = named.client.create_run(named.experiment, 10**6, {}, "x" * 100).info.run_id
    parent = named.client.create_run(
        named.experiment, 10**6 + 1, {records.SWEEP_TAG: "day/four"}, "a sweep"
    ).info.run_id
    try:
        with pytest.raises(ConfigError, match=rf"; the newest runs are {long[:8]} \(x{{39}}…\), ") as raised:
            named.find("no such run")
        assert "a sweep (" not in str(raised.value)
    finally:
        for run_id in (long, parent):
            named.client.delete_run(run_id)


@pytest.mark.parametrize("label", ["it's", 'a "quoted" one', "%", "day/two/9", "latest~99", "abcdef0123"])
def test_missing_run(named: NamedRuns, label: str) -> None:
    with pytest.raises(ConfigError, match="No run matches"):
        named.find(label)


def test_unknown_champion(named: NamedRuns) -> None:
    with pytest.raises(
        ConfigError, match=r"there is no champion of 'olst'; available: olist@champion. Did you mean 'olist'\?"
    ):
        named.find("olst@champion")


@pytest.mark.parametrize("number", [0, 2])
def test_champion_needs_a_model_unless_there_is_one(number: int, tmp_path: Path, template: Path) -> None:
    with open_copy(template, tmp_path):
        runs = NamedRuns(tmp_path)
        runs.add("any")
        for index in range(number):
            runs.register_champion(f"m{index}", "any")
    message = (
        "^there are 2 champions; name one of m0@champion, m1@champion" if number else "^there is no champion: noth"
    )
    with pytest.raises(ConfigError, match=message):
        lookup.find(SqliteStore(tmp_path / "mlflow.db"), "champion", tmp_path)


def test_empty_store(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No run matches 'latest': there are no runs yet; start one with mlrunner"):
        lookup.find(SqliteStore(tmp_path / "mlflow.db"), "latest", tmp_path)


def test_name_comes_before_the_start_of_another_id(runs: SearchableRuns) -> None:
    for store in (runs.ours, runs.theirs):
        assert lookup.find(store, runs.ids[1][:6], runs.home).name == runs.ids[1][:6]
        assert lookup.find(store, runs.ids[1][:7], runs.home).name == "model=rf"


def test_latest_skips_runs_of_other_programs(runs: SearchableRuns) -> None:
    for store in (runs.ours, runs.theirs):
        assert lookup.find(store, "latest", runs.home).name == "model=rf"
        for name, reason in (("latest~1", "fewer runs have finished"), ("best", "no run has finished yet;")):
            with pytest.raises(ConfigError, match=f"No run matches '{name}': {reason}"):
                lookup.find(store, name, runs.home)


def test_folder_is_found_by_any_path_to_it(runs: SearchableRuns) -> None:
    (runs.home / "multirun" / "a").mkdir(parents=True)
    (runs.home / "link").symlink_to(runs.home / "multirun")
    for path in ("multirun/a/", "multirun/b/../a", "link/a"):
        assert lookup.find(runs.ours, f"{runs.home}/{path}", Path("/nowhere")).name == runs.ids[1][:6]

"""Which runs a prune chooses, what protects them, and what on the disk is theirs."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mlflow
import optuna
import pytest
from filelock import FileLock
from mlflow import MlflowClient
from mlflow.entities import LoggedModelOutput

from mlrunner.cli.commands import prune
from mlrunner.core.errors import ConfigError, StoreError
from mlrunner.groups.deployer.release import Server
from mlrunner.groups.deployer.state import Ledger, State
from mlrunner.history.pruning import (
    DAY,
    MARK,
    Criteria,
    Selection,
    Stay,
    protection,
    seconds,
    statuses,
    unused_artifacts,
)
from mlrunner.history.pruning import plan as planning
from mlrunner.history.pruning.files import artifacts, empty_above, in_use, is_outside, local, own_folder, places, size
from mlrunner.history.pruning.output import document, megabytes, report, show, summary
from mlrunner.history.pruning.plan import Item, Plan
from mlrunner.history.pruning.selection import score, select
from mlrunner.tracking import studies, study_lookup
from mlrunner.tracking.records import DATA, FOLDER, MODEL, REPRODUCES, SWEEP, TRIAL, WINNER_OF, Record, journal_of
from mlrunner.tracking.records.mlflow_store import ClientStore
from mlrunner.tracking.records.record import REOPENED, STUDY
from mlrunner.tracking.records.sqlite_store import SqliteStore
from mlrunner.tracking.studies import SESSION
from mlrunner.tracking.study_lookup import journal, storage

if TYPE_CHECKING:
    from mlrunner.history.pruning.mlflow_runs import Tracked

NOW = 1_800_000_000.0


def run(name: str, days: float = 10, status: str = "FINISHED", **told: Any) -> Record:
    """Make a run that ended some days ago; its name is the beginning of its id."""
    score, metric, part = told.pop("score", None), told.pop("metric", "r2"), told.pop("part", "test")
    tags = {FOLDER: f"/home/multirun/day/{name}", DATA: "data", **told.pop("tags", {})}
    at = int((NOW - days * DAY) * 1000)
    return Record(
        run_id=name.ljust(32, "0"),
        name=name,
        status=status,
        start=at - 1000,
        end=None if status == "RUNNING" else at,
        experiment="e",
        artifact_uri=f"file:///store/{name.ljust(32, '0')}/artifacts",
        params={"objective.metric": metric},
        metrics={} if score is None else {f"{part}/{metric}": score},
        tags={key: value for key, value in tags.items() if value is not None},
    )


def sweep(name: str, *runs: Record, days: float = 10, status: str = "FINISHED", **told: Any) -> list[Record]:
    """Make a sweep of some runs."""
    parent = run(name, days, status, tags={SWEEP: f"day/{name}", DATA: None, **told})
    for number, one in enumerate(runs):
        one.tags.update({SWEEP: f"day/{name}", TRIAL: str(number)})
    return [parent, *runs]


def chosen(records: list[Record], kept: dict[str, str] | None = None, **criteria: Any) -> Selection:
    told = {name.ljust(32, "0"): reason for name, reason in (kept or {}).items()}
    if "named" in criteria:
        criteria["named"] = frozenset(name.ljust(32, "0") for name in criteria["named"])
    if "matching" in criteria:
        criteria["matching"] = frozenset(name.ljust(32, "0") for name in criteria["matching"])
    return select(records, Criteria(**criteria), told, NOW)


def going(found: Selection) -> list[str]:
    return [one.name for one in found.going]


def staying(found: Selection) -> dict[str, str]:
    return {stay.record.name: stay.reason for stay in found.staying}


SINGLE = [
    run("a", days=40, score=0.5),
    run("b", days=20, score=0.7),
    run("c", days=1, score=0.6),
    run("d", days=40, status="FAILED"),
    run("e", days=2, status="KILLED"),
    run("f", days=30.5, score=0.1, tags={DATA: "other"}),
    run("g", days=3, score=1.0, metric="rmse"),
    run("h", days=4, score=2.0, metric="rmse"),
]


@pytest.mark.parametrize(
    ("criteria", "names"),
    [
        pytest.param({}, "", id="nothing asked for chooses nothing"),
        pytest.param({"older": 30 * DAY}, "adf", id="age"),
        pytest.param({"older": 0.0}, "abcdefgh", id="any age"),
        pytest.param({"status": ("FAILED", "KILLED")}, "de", id="status"),
        pytest.param({"older": 30 * DAY, "status": ("FAILED",)}, "d", id="both must hold"),
        pytest.param({"worse_than": 1}, "acdeh", id="rank in each group, in the metric's direction"),
        pytest.param({"worse_than": 2}, "ade", id="two of each"),
        pytest.param({"worse_than": 3}, "de", id="without a score is worse than any"),
        pytest.param({"worse_than": 0}, "abcdefgh", id="none of each"),
        pytest.param({"keep": 3}, "abdfh", id="newest"),
        pytest.param({"keep": 100}, "", id="fewer than are kept"),
        pytest.param({"keep": 3, "worse_than": 2}, "ad", id="neither new nor good"),
        pytest.param({"matching": ["b", "c"]}, "bc", id="filter"),
        pytest.param({"named": ["b", "c"], "matching": ["c", "d"]}, "c", id="named and filter"),
        pytest.param({"named": []}, "", id="none of the names"),
    ],
)
def test_criteria_all_hold(criteria: dict[str, Any], names: str) -> None:
    assert sorted(going(chosen(SINGLE, **criteria))) == list(names)


class TestRank:
    def test_test_rows_before_validation_before_folds(self) -> None:
        assert score(run("a", score=0.1)) == 0.1
        assert score(run("a", score=0.1, part="validation")) == 0.1
        assert score(run("a", score=0.1, part="cv")) == 0.1
        both = run("a", score=0.1)
        both.metrics["validation/r2"] = 0.9
        assert score(both) == 0.1
        assert score(run("a")) is None

    def test_what_runs_takes_no_place(self) -> None:
        records = [run("a", score=0.1), run("b", days=2, status="RUNNING", score=0.9)]
        assert going(chosen(records, worse_than=1)) == []

    def test_a_reproduction_takes_no_place(self) -> None:
        again = {REPRODUCES: "a"}
        records = [run("a", score=0.9), run("b", days=1, score=0.9, tags=again), run("c", score=0.8)]
        records.append(run("d", score=0.1, tags=again))
        assert going(chosen(records, worse_than=2)) == ["d"]
        assert sorted(going(chosen(records, worse_than=1))) == ["c", "d"]
        assert REPRODUCES in planning.ASKED.tags

    def test_other_rows_have_a_list_of_their_own(self) -> None:
        records = [run("a", score=0.5), run("b", score=0.4)]
        records += [run("c", score=0.9, part="validation"), run("d", score=0.8, part="validation")]
        assert sorted(going(chosen(records, worse_than=1))) == ["b", "d"]

    def test_the_older_of_equals_goes(self) -> None:
        assert going(chosen([run("a", days=3, score=0.1), run("b", days=2, score=0.1)], worse_than=1)) == ["a"]


class TestProtection:
    def test_a_reason_is_stronger_than_a_name(self) -> None:
        found = chosen(SINGLE, kept={"b": "serves as olist v2"}, named=["a", "b"])
        assert going(found) == ["a"]
        assert staying(found) == {"b": "serves as olist v2"}

    def test_what_was_not_chosen_is_not_told(self) -> None:
        assert chosen(SINGLE, kept={"c": "serves as olist v2"}, older=30 * DAY).staying == []

    @pytest.mark.parametrize(
        ("criteria", "days", "goes"),
        [
            pytest.param({"older": 0.0}, 5, False, id="not by age"),
            pytest.param({"named": ["a"]}, 5, False, id="not by name"),
            pytest.param({"status": ("RUNNING",)}, 5, True, id="by its status"),
            pytest.param({"status": ("RUNNING",)}, 0.5, False, id="not while it is young"),
            pytest.param({"status": ("RUNNING",), "named": ["a"]}, 5, True, id="by both"),
        ],
    )
    def test_what_runs(self, criteria: dict[str, Any], days: float, goes: bool) -> None:
        found = chosen([run("a", days=days, status="RUNNING")], **criteria)
        assert going(found) == ["a"] * goes
        assert all("runs still" in reason for reason in staying(found).values())
        assert len(found.staying) == (not goes)

    def test_the_trials_of_a_sweep_that_runs(self) -> None:
        records = sweep("s", run("a"), run("b", days=3), days=0.5, status="RUNNING")
        found = chosen(records, older=DAY)
        assert going(found) == []
        assert staying(found) == dict.fromkeys("ab", "is of a sweep that runs still")

    def test_the_trials_of_a_sweep_that_was_killed_long_ago(self) -> None:
        records = sweep("s", run("a"), run("b"), days=9, status="RUNNING")
        found = chosen(records, older=DAY)
        assert going(found) == ["a", "b"]
        assert list(staying(found)) == ["s"]

    @pytest.mark.parametrize(
        ("criteria", "gone"),
        [
            pytest.param({"older": DAY / 20}, "ab", id="age"),
            pytest.param({"worse_than": 1}, "a", id="rank"),
            pytest.param({"status": ("FINISHED", "RUNNING")}, "abcs", id="status"),
        ],
    )
    @pytest.mark.parametrize(
        ("newest", "reopened", "searched", "alive"),
        [
            pytest.param(0.1, "", False, True, id="a trial of today"),
            pytest.param(8, str(int((NOW - DAY / 9) * 1000)), False, True, id="resumed today"),
            pytest.param(8, "", True, True, id="one trial takes days"),
            pytest.param(8, "", False, False, id="killed"),
            pytest.param(8, str(int((NOW - 8 * DAY) * 1000)), False, False, id="killed after it was resumed"),
        ],
    )
    def test_a_search_of_more_than_a_day(
        self, criteria: dict[str, Any], gone: str, newest: float, reopened: str, searched: bool, alive: bool
    ) -> None:
        trials = run("a", days=8, score=0.2), run("b", days=newest, score=0.3), run("c", days=9, status="RUNNING")
        records = sweep("s", *trials, days=9, status="RUNNING", **{REOPENED: reopened})
        found = select(records, Criteria(**criteria), {}, NOW, lambda _: searched)
        assert sorted(going(found)) == ([] if alive else list(gone))

    @pytest.mark.parametrize(("searched", "gone"), [(True, []), (False, ["a", "s"])])
    def test_another_process_goes_on_when_the_first_has_ended(self, searched: bool, gone: list[str]) -> None:
        records = sweep("s", run("a", days=0.2), days=0.1, status="KILLED")
        found = select(records, Criteria(status=("FINISHED", "KILLED")), {}, NOW, lambda _: searched)
        assert going(found) == gone

    def test_what_another_program_recorded_has_to_be_named(self) -> None:
        theirs = run("a", tags={FOLDER: None})
        assert going(chosen([theirs], older=0.0)) == []
        assert going(chosen([theirs], named=["a"])) == ["a"]


class TestSweep:
    def test_the_parent_goes_last(self) -> None:
        records = [*sweep("s", run("a"), run("b", days=11)), run("c")]
        assert going(chosen(records, older=0.0)) == ["a", "c", "b", "s"]

    def test_the_parent_stays_while_a_run_of_it_does(self) -> None:
        found = chosen(sweep("s", run("a", days=1), run("b")), older=5 * DAY)
        assert going(found) == ["b"]
        assert staying(found) == {"s": "has 1 run that stays"}

    def test_the_winner_that_serves_keeps_the_parent_and_no_trial(self) -> None:
        winner = run("w", tags={WINNER_OF: "a"})
        found = chosen(sweep("s", run("a"), run("b"), winner), kept={"w": "serves as x v1"}, named=["s", "a", "b", "w"])
        assert going(found) == ["a", "b"]
        assert staying(found) == {"w": "serves as x v1", "s": "has 1 run that stays"}

    @pytest.mark.parametrize(
        ("criteria", "names"),
        [
            pytest.param({"worse_than": 1}, ["a", "b", "s"], id="all of its runs are worse"),
            pytest.param({"worse_than": 2}, ["b"], id="one is not"),
            pytest.param({"keep": 1}, ["a", "b", "s"], id="all of its runs are older"),
            pytest.param({"keep": 1, "older": 10.5 * DAY}, [], id="the other criterion does not hold"),
        ],
    )
    def test_the_parent_has_no_rank_of_its_own(self, criteria: dict[str, Any], names: list[str]) -> None:
        records = [*sweep("s", run("a", score=0.4), run("b", score=0.3)), run("c", days=1, score=0.5)]
        assert going(chosen(records, **criteria)) == names

    def test_one_without_runs_has_no_rank(self) -> None:
        assert going(chosen(sweep("s"), worse_than=0)) == []
        assert going(chosen(sweep("s"), older=DAY)) == ["s"]


def test_a_removal_that_had_begun_is_finished_whatever_is_asked_for() -> None:
    records = [run("a", days=0.1, tags={MARK: "begun"}), run("b", days=1)]
    assert going(chosen(records, older=100 * DAY)) == ["a"]
    assert going(chosen(records)) == ["a"]
    assert going(chosen(records, kept={"a": "serves as x v1"})) == []


@pytest.mark.parametrize(("text", "days"), [("30d", 30), ("12h", 0.5), ("2W", 14), ("0.5d", 0.5), ("0h", 0)])
def test_ages(text: str, days: float) -> None:
    assert seconds(text) == days * DAY


@pytest.mark.parametrize("text", ["", "30", "d", "-3d", "3 days", "3m", "1d2h"])
def test_no_ages(text: str) -> None:
    with pytest.raises(ConfigError, match="is no age; write hours, days or weeks"):
        seconds(text)


def test_statuses() -> None:
    assert statuses("failed, Killed") == ("FAILED", "KILLED")
    with pytest.raises(ConfigError, match=r"'killd' is no status of MLflow's; .* Did you mean 'killed'"):
        statuses("failed,killd")
    with pytest.raises(ConfigError, match="--status is empty"):
        statuses(" ,")


class TestPlaces:
    @pytest.fixture
    def home(self, tmp_path: Path) -> Path:
        (tmp_path / "multirun" / "day" / "a" / ".hydra").mkdir(parents=True)
        return tmp_path

    def at(self, folder: Path, **tags: str) -> Record:
        return run("a", tags={FOLDER: str(folder), **tags})

    def test_its_folder_is_its_own(self, home: Path) -> None:
        folder = home / "multirun" / "day" / "a"
        assert own_folder(self.at(folder), home, set()) == folder
        assert own_folder(self.at(folder), home, in_use([self.at(folder)])) is None
        assert own_folder(self.at(folder), home, in_use([self.at(folder / ".hydra")])) is None
        assert own_folder(self.at(folder), home, in_use([self.at(folder.parent / "ab")])) == folder

    def test_nothing_outside_of_multirun(self, home: Path) -> None:
        (home / "elsewhere").mkdir()
        for folder in (home, home / "multirun", home / "elsewhere", Path("/"), home / "multirun" / ".." / "elsewhere"):
            assert own_folder(self.at(folder), home, set()) is None
            assert is_outside(str(folder), home) == (folder != home / "multirun")
        assert not is_outside(str(home / "multirun" / "day" / "a"), home)
        assert not is_outside(str(home / "gone"), home)

    def test_no_link_is_followed(self, home: Path) -> None:
        outside, inside = home / "outside", home / "multirun" / "day" / "link"
        (outside / "b").mkdir(parents=True)
        inside.symlink_to(outside)
        assert own_folder(self.at(inside), home, set()) is None
        assert own_folder(self.at(inside / "b"), home, set()) is None
        (home / "multirun" / "day" / "twin").symlink_to(home / "multirun" / "day" / "a")
        assert own_folder(self.at(home / "multirun" / "day" / "twin"), home, set()) is None

    def test_one_that_is_gone_is_none(self, home: Path) -> None:
        assert own_folder(self.at(home / "multirun" / "day" / "b"), home, set()) is None
        assert own_folder(run("a", tags={FOLDER: None}), home, set()) is None

    def test_the_days_above(self, home: Path) -> None:
        assert empty_above(home / "multirun" / "day" / "a", home) == [home / "multirun" / "day"]

    def test_artifacts(self) -> None:
        one = run("a", tags={MODEL: "models:/m-1"})
        assert artifacts(one) == (Path("/store") / one.run_id, Path("/store/models/m-1"))
        (parent,) = sweep("s", **{MODEL: "models:/m-1"})
        assert artifacts(parent) == (Path("/store") / parent.run_id,)

    @pytest.mark.parametrize(
        ("uri", "path"),
        [
            ("file:///a%20b/c", "/a b/c"),
            ("/a/b", "/a/b"),
            ("s3://a/b", None),
            ("mlflow-artifacts:/1/a", None),
            ("", None),
        ],
    )
    def test_addresses(self, uri: str, path: str | None) -> None:
        assert local(uri) == (None if path is None else Path(path))

    def test_the_journal_is_the_default_storage(self, home: Path) -> None:
        folder = home / "multirun" / "day" / "a"
        file = home / ".mlrunner" / "studies" / "day_a.journal"
        file.parent.mkdir(parents=True)
        file.write_text("")
        (parent,) = sweep("a", **{STUDY: "day/a", FOLDER: str(folder)})
        assert journal(parent, home, "day/a") == journal_of(home, "day/a") == file
        assert places(parent, home, set()).study == file
        assert places(parent, home, set(), {"day/a"}).study is None
        assert places(parent, home, set(), {"day/a"}).study_name is None
        (folder / "multirun.yaml").write_text("hydra: {sweeper: {storage: 'sqlite:///x.db'}}")
        assert storage(parent) == "sqlite:///x.db"
        assert journal(parent, home, "day/a") is None
        assert places(parent, home, set()).study_name == "day/a"

    def test_a_run_without_a_folder_has_no_storage(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (home / "multirun.yaml").write_text("hydra: {sweeper: {storage: 'sqlite:///x.db'}}")
        monkeypatch.chdir(home)
        assert storage(run("a", tags={FOLDER: None})) is None

    def test_a_folder_is_found_through_the_links_above_it(self, home: Path) -> None:
        (home / "way").symlink_to(home / "multirun")
        told = [
            f"{home}/way/day/a",
            f"{home}/multirun/day/../day/a",
            f"{home}/multirun/day/a/",
            f"{home}/way/day/x/../a",
        ]
        for folder in told:
            one = run("a", tags={FOLDER: folder})
            assert own_folder(one, home, set()) == home / "multirun" / "day" / "a"
            assert own_folder(one, home, in_use([self.at(home / "multirun" / "day" / "a")])) is None
            assert own_folder(self.at(home / "multirun" / "day" / "a"), home, in_use([one])) is None

    def test_sizes_follow_no_link(self, tmp_path: Path) -> None:
        (tmp_path / "a" / "b").mkdir(parents=True)
        (tmp_path / "a" / "x").write_bytes(b"0" * 1000)
        (tmp_path / "a" / "b" / "y").write_bytes(b"0" * 500)
        (tmp_path / "far").write_bytes(b"0" * 10_000)
        (tmp_path / "a" / "link").symlink_to(tmp_path)
        assert 1500 <= size(tmp_path / "a") < 2000
        assert size(tmp_path / "nothing") == 0


EMPTY = SqliteStore(Path("/nonexistent/mlflow.db"))


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty store of MLflow's, which takes seconds to make."""
    file = tmp_path_factory.mktemp("template") / "mlflow.db"
    MlflowClient(f"sqlite:///{file}").search_experiments()
    return file


class Real:
    """A home with a store of MLflow's."""

    def __init__(self, home: Path, file: Path) -> None:
        self.home, self.store = home, SqliteStore(home / "mlflow.db")
        shutil.copy(file, home / "mlflow.db")
        mlflow.set_tracking_uri(f"sqlite:///{home}/mlflow.db")
        self.client = MlflowClient()
        self.experiments = {
            name: self.client.create_experiment(name, uri)
            for name, uri in (("here", (home / "artifacts").as_uri()), ("far", "nowhere://far"))
        }

    def run(self, experiment: str = "here", status: str = "FINISHED", **tags: str) -> str:
        run_id = str(self.client.create_run(self.experiments[experiment], tags=tags).info.run_id)
        if experiment == "here":
            self.client.log_text(run_id, "text", "note.txt")
        if status != "RUNNING":
            self.client.set_terminated(run_id, status)
        return run_id

    def model(self, run_id: str) -> str:
        return str(self.client.create_logged_model(self.experiments["here"], source_run_id=run_id).model_id)

    def count(self, table: str) -> int:
        with sqlite3.connect(self.home / "mlflow.db") as connection:
            (number,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
        connection.close()
        return int(number)


@pytest.fixture
def tracked(tmp_path: Path, template: Path) -> Iterator[Real]:
    before = mlflow.get_tracking_uri()
    yield Real(tmp_path, template)
    mlflow.set_tracking_uri(before)


class TestDeployments:
    @pytest.fixture
    def ledger(self, tmp_path: Path) -> Ledger:
        return Ledger(tmp_path / ".mlrunner" / "deployments" / "olist")

    def state(self, line: list[int], serves: int | None, ready: int | None) -> State:
        told = {
            name: None if version is None else Server(version, "http://x", "h", "t")
            for name, version in {"serves": serves, "ready": ready}.items()
        }
        return State("olist", "127.0.0.1", 8000, 60, 64, {}, line=line, **told)  # type: ignore[arg-type]

    def found(self, ledger: Ledger) -> dict[str, str]:
        return protection.protected(EMPTY, ledger.folder.parents[2])

    def deployed(self, ledger: Ledger, *versions: int, event: str = "deployed") -> None:
        for version in versions:
            ledger.note(event, version=version, run_id=f"run{version}")

    def test_what_serves_what_is_ready_and_what_served(self, ledger: Ledger) -> None:
        self.deployed(ledger, 1, 2, 3, 4)
        ledger.write(self.state([1, 2, 3], serves=3, ready=4))
        assert self.found(ledger) == {
            "run2": "was deployed lately as olist v2",
            "run3": "serves as olist v3",
            "run4": "is kept ready as olist v4",
        }

    def test_a_stopped_one_keeps_its_last_two(self, ledger: Ledger) -> None:
        self.deployed(ledger, 1, 2, 3)
        ledger.write(self.state([1, 2, 3], serves=None, ready=None))
        assert sorted(self.found(ledger)) == ["run2", "run3"]

    def test_the_release_tells_its_run(self, ledger: Ledger) -> None:
        ledger.note("refused", run_id="other", reason="bad")
        release = ledger.release(7)
        release.folder.mkdir(parents=True)
        (ledger.folder / "releases" / "8").mkdir()  # never completed
        (release.folder / "release.json").write_text(json.dumps({"facts": {"run_id": "run7"}}))
        ledger.write(self.state([7], serves=7, ready=None))
        assert self.found(ledger) == {"run7": "serves as olist v7"}

    def test_the_registry_alone_keeps_the_last_two_of_its_history(self, ledger: Ledger) -> None:
        self.deployed(ledger, 1, 2, 3, event="registered")
        ledger.note("refused", run_id="run9")
        assert sorted(self.found(ledger)) == ["run2", "run3"]
        self.deployed(ledger, 1, event="registered")
        assert sorted(self.found(ledger)) == ["run1", "run3"]

    def test_aliases(self, tracked: Real) -> None:
        tracked.client.create_registered_model("m")
        runs = [tracked.run() for _ in range(3)]
        for run_id in runs:
            tracked.client.create_model_version("m", "file:///nowhere", run_id)
        for alias, version in (("challenger", 2), ("champion", 2), ("mine", 3)):
            tracked.client.set_registered_model_alias("m", alias, str(version))
        found = protection.protected(tracked.store, tracked.home)
        assert found == {runs[1]: "is challenger of m v2", runs[2]: "is mine of m v3"}


class TestSearches:
    """The study of a search, in its journal."""

    @pytest.fixture
    def parent(self) -> Record:
        return sweep("s", status="RUNNING", **{STUDY: "day/s"})[0]

    def begun(self, home: Path) -> optuna.Study:
        return optuna.create_study(study_name="day/s", storage=studies.open_storage(None, home, "day/s"))

    def test_a_process_is_at_work_as_long_as_it_is_there(self, parent: Record, tmp_path: Path) -> None:
        study = self.begun(tmp_path)
        study.set_user_attr("folder", "multirun/x")
        assert not study_lookup.is_searched(parent, tmp_path)
        study.set_user_attr(f"{SESSION}:dead", {**studies.owner(), "born": 0})
        assert not study_lookup.is_searched(parent, tmp_path)
        study.set_user_attr(f"{SESSION}:me", studies.owner())
        assert study_lookup.is_searched(parent, tmp_path)

    @pytest.mark.parametrize("told", [None, "studies.journal", "sqlite:///studies.db", "sqlite+pysqlite:///a.db?x=1"])
    def test_what_is_gone_is_not_made_anew(
        self, told: str | None, parent: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from mlrunner.history.pruning.removing import delete_study  # imports ZenML

        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(study_lookup, "storage", lambda _: told)
        delete_study(parent, "day/s", tmp_path)
        assert study_lookup.loaded(parent, tmp_path) is None
        assert not study_lookup.is_searched(parent, tmp_path)
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        ("named", "found"),
        [
            (None, None),
            ("studies.journal", "/began/here/studies.journal"),
            ("sqlite:///studies.db?timeout=9", "sqlite:////began/here/studies.db?timeout=9"),
            ("sqlite:////else/where.db", "sqlite:////else/where.db"),
            ("postgresql://ada@host/studies", "postgresql://ada@host/studies"),
            ({"_target_": "mine.Storage"}, {"_target_": "mine.Storage"}),
        ],
    )
    def test_a_file_is_where_the_search_began(self, named: Any, found: Any, parent: Record, tmp_path: Path) -> None:
        told = {"hydra": {"runtime": {"cwd": "/began/here"}, "sweeper": {"storage": named}}}
        (tmp_path / "multirun.yaml").write_text(json.dumps(told))
        assert storage(replace(parent, tags={**parent.tags, FOLDER: str(tmp_path)})) == found

    def test_looking_makes_no_storage_of_a_class(
        self, parent: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(study_lookup, "storage", lambda _: {"_target_": "os._exit", "_args_": [9]})
        assert study_lookup.loaded(parent, tmp_path) is None
        assert study_lookup.is_searched(parent, tmp_path)  # for all that can be known

    def test_what_cannot_be_read_may_be_at_work(
        self, parent: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(study_lookup, "storage", lambda _: "postgresql://nobody@127.0.0.1:1/studies")
        assert study_lookup.loaded(parent, tmp_path) is None
        assert study_lookup.is_searched(parent, tmp_path)


class TestCache:
    """Our own tables; what ZenML keeps is in `tests/apps/test_prune.py`."""

    def cached(self, home: Path, *days: float) -> Path:
        """Keep tables, and a folder as old as the oldest of them."""
        folder = home / ".mlrunner" / "cache"
        folder.mkdir(parents=True)
        for number, age in enumerate(days):
            file = folder / f"{number}.arrow"
            file.write_text("table")
            os.utime(file, (time.time() - age * DAY,) * 2)
        os.utime(folder, (time.time() - max(days) * DAY,) * 2)
        return folder

    def test_old_tables_are_unused(self, tmp_path: Path) -> None:
        folder = self.cached(tmp_path, 3, 2)
        assert unused_artifacts.leftovers(tmp_path) == [unused_artifacts.Leftover(folder, 10)]

    def test_a_young_table_may_still_be_written(self, tmp_path: Path) -> None:
        self.cached(tmp_path, 3, 0.1)
        assert unused_artifacts.leftovers(tmp_path) == []

    @pytest.mark.parametrize("status", ["RUNNING", "FINISHED"])
    def test_a_sweep_that_runs_keeps_them(self, status: str, tracked: Real, capsys: Any) -> None:
        self.cached(tracked.home, 3)
        tracked.run(status=status, **{SWEEP: f"day/{status}"})
        found = planning.plan(tracked.store, tracked.home, Criteria(), with_cache=True)
        assert len(found.leftovers) == (status == "FINISHED")
        show(found)
        waits = capsys.readouterr().out == "Nothing would go; the cache stays while a sweep runs.\n"
        assert waits == (status == "RUNNING")

    def test_tables_of_another_version_are_left_alone(self, tmp_path: Path) -> None:
        (tmp_path / unused_artifacts.DATABASE).parent.mkdir(parents=True)
        sqlite3.connect(tmp_path / unused_artifacts.DATABASE).close()
        assert unused_artifacts.leftovers(tmp_path) == []

    def test_a_home_without_a_cache_has_none(self, tmp_path: Path) -> None:
        assert unused_artifacts.leftovers(tmp_path) == []


def plan_of(*records: Record, bytes: int = 1_500_000) -> Plan:
    return Plan([Item(one, places(one, Path("/nonexistent"), set()), bytes) for one in records], [], [])


class TestWords:
    @pytest.mark.parametrize(
        ("count", "text"),
        [(0, "0 kB"), (1499, "1 kB"), (1_500_000, "1.5 MB"), (48_000_000, "48.0 MB"), (3 * 10**9, "3.0 GB")],
    )
    def test_sizes(self, count: int, text: str) -> None:
        assert megabytes(count) == text

    def test_summary(self) -> None:
        assert summary(plan_of(run("a"))) == "1 run, 1.5 MB"
        assert summary(plan_of(*sweep("s", run("a"), run("b")))) == "2 runs, 1 sweep, 4.5 MB"
        assert summary(plan_of(*sweep("s"))) == "1 sweep, 1.5 MB"

    def test_what_stays_is_told_by_its_reason(self, capsys: pytest.CaptureFixture[str]) -> None:
        reasons = [*["is of a sweep"] * 5, "serves as x v1"]
        show(Plan([], [Stay(run(name), why) for name, why in zip("abcdef", reasons, strict=True)], []))
        names = "a0000000, b0000000, c0000000 and 2 more, each of which is of a sweep; f0000000 serves as x v1"
        assert capsys.readouterr().out == f"Nothing would go; 6 stay: {names}.\n"
        report(replace(plan_of(run("a"), bytes=3000), outside=("/x", "/y")), [], for_good=True)
        assert capsys.readouterr().out == "Removed 1 run, 3 kB; outside of multirun/ stays /x, /y.\n"

    def test_what_is_gone(self, capsys: pytest.CaptureFixture[str]) -> None:
        report(plan_of(run("a"), bytes=3000), [], for_good=True)
        assert capsys.readouterr().out == "Removed 1 run, 3 kB.\n"
        one = Plan([], [], [unused_artifacts.Leftover(Path("/x"), 5000)])
        assert summary(one) == "1 unused cache entry, 5 kB"

    def test_a_line_is_a_run_as_runs_shows_it(self, capsys: pytest.CaptureFixture[str]) -> None:
        item = run("a", score=0.25, tags={MARK: "begun"})
        show(plan_of(replace(item, name="model=rf", metrics={**item.metrics, "r2": 0.75})))
        head, line, *_ = capsys.readouterr().out.splitlines()
        assert head.split() == ["id", "differs", "when", "objective", "test", "status", "size"]
        assert re.fullmatch(r"a0{7}  model=rf +2\S+ \S+ +r2 0\.75 +0\.25 +half removed +1\.5 MB *", line)

    def test_what_is_ranked_by_other_rows_is_told(self, capsys: pytest.CaptureFixture[str]) -> None:
        show(plan_of(run("a", score=0.5)), is_ranked=True)
        assert "Ranked by" not in capsys.readouterr().out
        show(plan_of(run("a", score=0.5, part="validation")), is_ranked=True)
        assert "\nRanked by the test score; what has none" in capsys.readouterr().out

    def test_document(self) -> None:
        told = json.loads(json.dumps(document(plan_of(run("a", score=0.5)))))
        assert (told["dry_run"], told["bytes"], told["sweeps"], told["stay"]) == (True, 1_500_000, 0, [])
        (one,) = told["runs"]
        assert (one["run_id"], one["score"], one["status"]) == ("a".ljust(32, "0"), 0.5, "FINISHED")


def test_only_the_numbers_of_the_objective_are_read(tracked: Real) -> None:
    for metric in ("r2", "mine"):
        run_id = tracked.run()
        tracked.client.log_param(run_id, "objective.metric", metric)
        for name in (f"test/{metric}", "other"):
            tracked.client.log_metric(run_id, name, 0.5)
    tracked.run()
    runs = planning.everything(tracked.store)
    assert [one.metrics for one in runs] == [{}, {"test/mine": 0.5}, {"test/r2": 0.5}]
    assert planning.everything(ClientStore(tracked.client.tracking_uri))[2].metrics == {"test/r2": 0.5, "other": 0.5}


def test_what_is_resumed_says_when(tracked: Real) -> None:
    from mlrunner.tracking import reopen  # imports MLflow

    run_id = tracked.run()
    reopen(run_id)
    found = tracked.client.get_run(run_id)
    assert found.info.status == "RUNNING"
    assert abs(int(found.data.tags[REOPENED]) / 1000 - time.time()) < 60


class TestTracked:
    """MLflow's side: marked as deleted, then collected by `mlflow gc`."""

    @pytest.fixture
    def side(self, tracked: Real) -> Tracked:
        from mlrunner.history.pruning.mlflow_runs import Tracked  # imports MLflow

        return Tracked(tracked.home / "deployments")

    def delete(self, side: Tracked, *runs: str) -> dict[str, list[str]]:
        for run_id in runs:
            side.mark(run_id)
        return {run_id: side.delete(run_id) for run_id in runs}

    def test_rows_files_and_models_go_and_the_users_trash_stays(self, tracked: Real, side: Tracked) -> None:
        runs, stays, trashed = [tracked.run() for _ in range(3)], tracked.run(), tracked.run()
        models = [tracked.model(run_id) for run_id in runs]
        kept = tracked.model(stays), tracked.model(trashed)
        tracked.client.delete_logged_model(kept[1])
        tracked.client.delete_run(trashed)
        tracked.client.delete_experiment(tracked.experiments["far"])
        pending = self.delete(side, *runs)
        assert pending == {run_id: [model] for run_id, model in zip(runs, models, strict=True)}
        assert side.collect(pending) == {}
        assert tracked.count("runs") == tracked.count("logged_models") == 2
        assert tracked.count("experiments") == 3  # MLflow's default, ours, and the one in the trash
        assert tracked.client.get_run(trashed).info.lifecycle_stage == "deleted"
        files = {file.parents[1].name for file in (tracked.home / "artifacts").rglob("note.txt")}
        assert files == {stays, trashed}

    def test_one_that_cannot_be_removed_holds_up_no_other(self, tracked: Real, side: Tracked) -> None:
        far, *near = tracked.run("far"), tracked.run(), tracked.run()
        model = tracked.model(near[0])
        errors = side.collect(self.delete(side, far, *near))
        assert list(errors) == [far]
        assert "nowhere://far" in str(errors[far])
        assert (tracked.count("runs"), tracked.count("logged_models")) == (1, 0)
        assert side.interrupted() == {far: []}
        assert model.startswith("m-")

    def test_a_removal_that_was_interrupted_is_found_again(self, tracked: Real, side: Tracked) -> None:
        run_id, trashed = tracked.run(), tracked.run()
        model = tracked.model(run_id)
        tracked.client.log_outputs(run_id, [LoggedModelOutput(model, 0)])
        tracked.client.delete_run(trashed)
        self.delete(side, run_id)
        assert side.interrupted() == {run_id: [model]}
        side.collect({"f" * 32: [model]})  # as if it had broken off between the models and the runs
        assert tracked.count("logged_models") == 0
        assert side.collect(side.interrupted()) == {}
        assert tracked.client.get_run(trashed).info.lifecycle_stage == "deleted"
        assert tracked.count("runs") == 1

    def test_a_version_that_a_deployment_keeps_stays_registered(self, tracked: Real, side: Tracked) -> None:
        run_id = tracked.run()
        tracked.client.create_registered_model("m")
        for _ in range(2):
            tracked.client.create_model_version("m", "file:///nowhere", run_id)
        (side.deployments / "m" / "releases" / "2").mkdir(parents=True)
        side.collect(self.delete(side, run_id))
        assert [int(one.version) for one in tracked.client.search_model_versions("name = 'm'")] == [2]

    def test_a_server_only_marks(self, tracked: Real) -> None:
        from mlrunner.history.pruning.mlflow_runs import Tracked  # imports MLflow

        run_id = tracked.run()
        with server(f"sqlite:///{tracked.home}/mlflow.db") as uri:
            mlflow.set_tracking_uri(uri)
            side = Tracked(tracked.home / "deployments")
            assert not side.is_for_good
            assert side.collect(self.delete(side, run_id)) == side.interrupted() == {}
            assert side.client.get_run(run_id).info.lifecycle_stage == "deleted"


@contextmanager
def server(store: str) -> Iterator[str]:
    """Run a tracking server."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", store, "--port", port, "--workers", "1"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        for _ in range(600):
            with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
                break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=30)


def test_a_study_in_a_database_goes_by_its_name(tmp_path: Path) -> None:
    from mlrunner.history.pruning.removing import delete_study  # imports ZenML

    url = f"sqlite:///{tmp_path}/studies.db"
    (tmp_path / ".mlrunner").mkdir()
    (tmp_path / "multirun.yaml").write_text(f"hydra: {{sweeper: {{storage: '{url}'}}}}")
    for name in ("mine", "other"):
        optuna.create_study(study_name=name, storage=url)
    (parent,) = sweep("s", **{FOLDER: str(tmp_path)})
    for _ in range(2):  # also where it is gone
        delete_study(parent, "mine", tmp_path)
        assert optuna.get_all_study_names(url) == ["other"]


def test_a_store_without_runs_removes_nothing(
    tracked: Real, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLRUNNER_HOME", str(tracked.home))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracked.client.tracking_uri)
    assert prune.main(["--older", "1d", "--yes"]) == 0
    assert capsys.readouterr().out == "Nothing would go.\n"
    assert not (tracked.home / ".mlrunner").exists()


def test_two_prunes_at_once_are_refused(tmp_path: Path) -> None:
    from mlrunner.history.pruning.removing import LOCK, alone  # imports ZenML

    (tmp_path / ".mlrunner").mkdir()
    with (
        FileLock(tmp_path / ".mlrunner" / LOCK),
        pytest.raises(StoreError, match="Another mlrunner prune"),
        alone(tmp_path),
    ):
        pass


def test_looking_imports_nothing_heavy() -> None:
    program = (
        "import sys, mlrunner.cli.commands.prune, mlrunner.cli.commands.ui; "
        "print(sorted({'mlflow', 'zenml', 'sklearn', 'hydra', 'optuna'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

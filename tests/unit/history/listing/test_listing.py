"""`mlrunner runs` and `mlrunner sweeps`: what is shown of real runs, and how."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.entities import Run
from rich.text import Text

from mlrunner.cli.commands import report, runs, sweeps, ui
from mlrunner.core.errors import ConfigError
from mlrunner.groups.deployer.release import Server
from mlrunner.groups.deployer.state import Ledger, State
from mlrunner.history.listing import columns, deployments
from mlrunner.history.listing.entries import Entry
from mlrunner.history.listing.sweep import Sweep
from mlrunner.tracking.records import Record
from mlrunner.tracking.records.sqlite_store import SqliteStore
from mlrunner.tracking.records.store import split
from tests.support.front_door import PROJECT, environment, front_door
from tests.support.recorded import Recorded

PARENT = {"mlrunner.sweep_id"}  # has no number of a trial


@pytest.fixture
def home(recorded: Recorded, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MLRUNNER_HOME", str(recorded.home))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return recorded.home


@pytest.fixture
def client(recorded: Recorded) -> Iterator[MlflowClient]:
    before = mlflow.get_tracking_uri()
    yield MlflowClient(f"sqlite:///{recorded.home}/.mlrunner/mlflow.db")
    mlflow.set_tracking_uri(before)


def every(client: MlflowClient, where: str = "") -> list[Run]:
    """All runs but the parents of sweeps, newest first, as MLflow tells them."""
    ids = [one.experiment_id for one in client.search_experiments()]
    found = client.search_runs(ids, where)
    return [
        run for run in found if "mlrunner.sweep_id" not in run.data.tags or "mlrunner.trial_number" in run.data.tags
    ]


def shown(capsys: pytest.CaptureFixture[str], *arguments: str, verb: Any = runs) -> str:
    """What the command prints."""
    assert verb.main(list(arguments)) == 0
    return capsys.readouterr().out


@pytest.mark.usefixtures("home")
def test_json_says_what_mlflow_says(client: MlflowClient, capsys: pytest.CaptureFixture[str]) -> None:
    told = json.loads(shown(capsys, "--json", "--limit", "0"))
    theirs = every(client)
    assert [one["run_id"] for one in told] == [run.info.run_id for run in theirs]
    for one, run in zip(told, theirs, strict=True):
        assert one["name"] == run.info.run_name
        assert one["status"] == run.info.status
        assert one["metrics"] == run.data.metrics
        assert one["seconds"] == (run.info.end_time - run.info.start_time) / 1000
        assert one["choices"]["model"] == run.data.params["model"]
        assert one["folder"] == run.data.tags["mlrunner.folder"]
        assert one["objective"] == run.data.metrics[one["metric"]]
        assert one["deployed"] is None


@pytest.mark.usefixtures("home")
def test_what_differs_is_what_was_typed(recorded: Recorded, capsys: pytest.CaptureFixture[str]) -> None:
    told = {one["run_id"]: one for one in json.loads(shown(capsys, "--json", "--limit", "0"))}
    assert told[recorded.single["run_id"]]["differs"] == ["model=ridge"]
    assert told[recorded.folds["run_id"]]["differs"][:2] == ["model=rf", "model.estimator.n_estimators=10"]
    winner = told[recorded.search["winner"]["run_id"]]
    assert winner["name"].startswith("winner,")
    assert winner["sweep"] == recorded.search["study_name"]
    assert winner["trial"] == recorded.search["best_trial_number"]


@pytest.mark.parametrize(
    "where",
    [
        "metrics.r2 > 0.3 and params.model = 'ridge'",
        "metrics.`test/r2` > 0",
        "params.dataset = 'diabetes' and status = 'FINISHED'",
        "tags.mlrunner.trial_number IS NOT NULL",
    ],
)
@pytest.mark.usefixtures("home")
def test_a_filter_is_mlflows(client: MlflowClient, capsys: pytest.CaptureFixture[str], where: str) -> None:
    found = [one["run_id"] for one in json.loads(shown(capsys, "--json", "--where", where))]
    assert found == [run.info.run_id for run in every(client, where)]
    assert found


@pytest.mark.usefixtures("home")
def test_the_limit_counts_what_is_shown(client: MlflowClient, capsys: pytest.CaptureFixture[str]) -> None:
    ids = [run.info.run_id for run in every(client)]
    assert [one["run_id"] for one in json.loads(shown(capsys, "--json", "--limit", "5"))] == ids[:5]


@pytest.mark.parametrize(
    ("sort", "key"),
    [
        ("metrics.r2 DESC", lambda one: -one["metrics"].get("r2", float("-inf"))),
        ("-metrics.r2", lambda one: -one["metrics"].get("r2", float("-inf"))),
        ("when", lambda one: one["start"]),
        ("took", lambda one: one["seconds"]),
        ("-took", lambda one: -one["seconds"]),
        ("-objective", lambda one: -one["objective"]),
        ("id", lambda one: one["run_id"]),
        ("-test", lambda one: -one["metrics"].get(f"test/{one['metric']}", float("-inf"))),
    ],
)
@pytest.mark.usefixtures("home")
def test_it_is_sorted(capsys: pytest.CaptureFixture[str], sort: str, key: Any) -> None:
    found = json.loads(shown(capsys, "--json", "--limit", "0", "--sort", sort))
    assert [key(one) for one in found] == sorted(key(one) for one in found)
    few = json.loads(shown(capsys, "--json", "--limit", "4", "--sort", sort))
    assert [key(one) for one in few] == [key(one) for one in found[:4]]


@pytest.mark.usefixtures("home")
def test_the_runs_of_a_sweep(recorded: Recorded, capsys: pytest.CaptureFixture[str]) -> None:
    parent = json.loads(shown(capsys, "--json", verb=sweeps))[-1]
    assert parent["kind"] == "grid"
    found = json.loads(shown(capsys, "--json", parent["sweep"]))
    assert sorted(one["run_id"] for one in found) == sorted(one["run_id"] for one in recorded.grid)
    assert json.loads(shown(capsys, "--json", parent["run_id"])) == found
    assert json.loads(shown(capsys, "--json", parent["sweep"], verb=sweeps)) == [parent]
    with pytest.raises(ConfigError, match=r"is the run \w{8}, and no sweep"):
        runs.main([recorded.single["run_id"]])


@pytest.mark.usefixtures("home")
def test_sweeps_count_their_trials_and_name_the_winner(recorded: Recorded, capsys: pytest.CaptureFixture[str]) -> None:
    search, grid = json.loads(shown(capsys, "--json", verb=sweeps))
    assert (search["kind"], grid["kind"]) == ("tpe", "grid")
    assert sum(search["trials"].values()) == 6
    assert grid["trials"] == {"done": 2}
    assert search["winner"]["run_id"] == recorded.search["winner"]["run_id"]
    assert grid["winner"]["run_id"] == recorded.grid[0]["run_id"]
    assert grid["objective"] == recorded.grid[0]["objective"]
    assert grid["winner"]["test"] == recorded.grid[0]["metrics"]["test/r2"]
    assert grid["differs"][0] == "model=ridge,dummy"
    assert search["differs"][0] == "model=ridge,rf"
    told = shown(capsys, verb=sweeps)
    assert re.search(r"^\d{4}-\d\d-\d\d/\S+ +model=ridge,rf .* tpe +6 done +r2 0\.", told, re.MULTILINE)


@pytest.mark.usefixtures("home")
def test_csv_has_numbers_in_full(recorded: Recorded, capsys: pytest.CaptureFixture[str]) -> None:
    told = shown(capsys, "--csv", "--limit", "0")
    found = {line["id"]: line for line in csv.DictReader(io.StringIO(told))}
    assert "-" not in [cell for line in found.values() for cell in line.values()]
    single = found[recorded.single["run_id"][:8]]
    assert single["metric"] == "r2"
    assert float(single["objective"]) == recorded.single["objective"]
    assert float(single["test"]) == recorded.single["metrics"]["test/r2"]
    assert single["differs"] == "model=ridge"


@pytest.mark.usefixtures("home")
def test_markdown_is_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, "--md", "--columns", "id,took,metrics.r2,tags.mlflow.user", "--limit", "3").splitlines()
    assert lines[:2] == ["| id | took | metrics.r2 | tags.mlflow.user |", "| --- | --: | --: | --- |"]
    assert len(lines) == 5
    assert all(line.count(" | ") == 3 for line in lines)


@pytest.mark.usefixtures("home")
def test_a_pipe_gets_a_line_a_run(recorded: Recorded, capsys: pytest.CaptureFixture[str]) -> None:
    told = shown(capsys, "--limit", "0")
    lines = told.splitlines()
    assert lines[0].split() == ["id", "differs", "objective", "test", "took", "status", "when"]
    assert len(lines) == 1 + len(json.loads(shown(capsys, "--json", "--limit", "0")))
    assert "\x1b" not in told
    single = next(line for line in lines if line.startswith(recorded.single["run_id"][:8]))
    assert re.search(r"model=ridge +r2 -?0\.\d+ .* s +finished +\d{4}-\d\d-\d\d \d\d:\d\d$", single)
    folds = next(line for line in lines if line.startswith(recorded.folds["run_id"][:8]))
    assert " ± " in folds
    assert "n_estimators=10 split=kfold folds=3" in folds


@pytest.mark.usefixtures("home")
def test_json_of_columns_has_them_alone_and_exactly(recorded: Recorded, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ("--json", "--columns", "run_id,params.model,metrics.test/r2,took", "--limit", "0")
    found = {one["run_id"]: one for one in json.loads(shown(capsys, *asked))}
    one = found[recorded.single["run_id"]]
    assert list(one) == ["run_id", "params.model", "metrics.test/r2", "took"]
    assert (one["params.model"], one["metrics.test/r2"]) == ("ridge", recorded.single["metrics"]["test/r2"])


@pytest.mark.parametrize("form", [[], ["--csv"], ["--json"], ["--sort", "took"]], ids=str)
@pytest.mark.usefixtures("home")
def test_what_the_limit_leaves_out_is_told(capsys: pytest.CaptureFixture[str], form: list[str]) -> None:
    runs.main([*form, "--limit", "3"])
    told = capsys.readouterr()
    assert told.err == "… there are more than these 3; --limit 0 tells all.\n"
    assert len(json.loads(told.out) if "--json" in form else told.out.splitlines()[1:]) == 3
    runs.main([*form, "--limit", "1"])
    assert capsys.readouterr().err == "… there are more than this one; --limit 0 tells all.\n"
    runs.main([*form, "--limit", "100"])
    assert capsys.readouterr().err == ""


def test_wide_letters_take_their_columns() -> None:
    from rich.console import Console

    from mlrunner.history.listing import formats

    cells = {one: [Text("模型" * 9)] for one in columns.chosen("id,name,when", False)}
    assert [one.name for one in formats._fitting(cells, Console(width=75))] == ["id", "name"]


@pytest.mark.usefixtures("home")
def test_chosen_columns_are_shown_even_when_empty(capsys: pytest.CaptureFixture[str]) -> None:
    told = shown(capsys, "--columns", "id,params.nothing,deployed,metrics.`test/r2`", "--limit", "2").splitlines()
    assert told[0].split() == ["id", "params.nothing", "deployed", "metrics.`test/r2`"]
    assert told[1].split()[1:3] == ["-", "-"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--columns", "id,stauts"], "'stauts' is no column; there are id, .* Did you mean 'status'"),
        (["--columns", ","], "--columns is empty; there are id,"),
        (["--where", "r2 > 1"], "Metrics are written metrics.r2"),
        (["--sort", "metrics.r2 DOWN"], "--sort 'metrics.r2 DOWN' cannot be read; .* The columns id, name"),
        (["--sort", "objektive", "--sort", "when"], r"Did you mean 'objective'\? The columns id, name"),
        (["--sort", "took", "--sort", "when"], "--sort took is computed here"),
        (["model=rf"], "'model=rf' has no part in mlrunner runs: it takes one sweep"),
        (["nothing"], "'nothing' is no run"),
    ],
)
@pytest.mark.usefixtures("home")
def test_a_mistake_is_one_sentence(arguments: list[str], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        runs.main(arguments)


@pytest.mark.parametrize("arguments", [["--json", "--csv"], ["--limit", "-1"], ["--limit", "x"], ["--md", "--json"]])
@pytest.mark.usefixtures("home")
def test_what_excludes_each_other_is_refused(arguments: list[str]) -> None:
    with pytest.raises(ConfigError, match=r"not allowed with argument|is no number of lines"):
        runs.main(arguments)


@pytest.mark.usefixtures("home")
def test_no_match_is_said_with_what_may_be_meant(capsys: pytest.CaptureFixture[str]) -> None:
    told = shown(capsys, "--where", "metrics.tset/r2 > 0.1")
    assert told.startswith(
        "No run matches metrics.tset/r2 > 0.1. The newest has no metric tset/r2. Did you mean 'test/"
    )
    assert shown(capsys, "--where", "metrics.r2 > 2") == "No run matches metrics.r2 > 2.\n"
    assert " (a pruned trial is KILLED)." in shown(capsys, "--where", "status = 'pruned'")
    assert shown(capsys, "--where", "metrics.r2 > 2", verb=sweeps) == "No sweep matches metrics.r2 > 2.\n"
    assert shown(capsys, "--where", "metrics.r2 > 2", "--json") == "[]\n"
    assert shown(capsys, "--where", "metrics.r2 > 2", "--csv").startswith("id,name,differs,metric,objective,")


def test_a_port_is_a_number() -> None:
    with pytest.raises(ConfigError, match=r"^--port=abc cannot be used \(it is no number\); choose another, or leave"):
        ui.main(["--port", "abc"])


@pytest.mark.parametrize(
    ("verb", "some", "none"),
    [
        (runs, "best has the best test score of the runs on the newest", "mlrunner sweeps"),
        (sweeps, "mlrunner sweeps --columns id,kind", "mlrunner runs"),
        (report, "[--json] RUN|SWEEP [stack=…]\n", "..."),
    ],
)
def test_help_is_of_the_verb(capsys: pytest.CaptureFixture[str], verb: Any, some: str, none: str) -> None:
    with pytest.raises(SystemExit):
        verb.main(["--help"])
    told = capsys.readouterr().out
    assert some in told
    assert none not in told


@pytest.mark.parametrize("verb", [runs, sweeps])
def test_an_empty_store_is_no_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], verb: Any
) -> None:
    monkeypatch.setenv("MLRUNNER_HOME", str(tmp_path))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert re.match(r"There is no (run|sweep) yet; start one with mlrunner", shown(capsys, verb=verb))
    assert shown(capsys, "--json", verb=verb) == "[]\n"
    assert list(tmp_path.iterdir()) == []


def test_another_store_is_named_by_overrides(recorded: Recorded, tmp_path: Path) -> None:
    uri = f"sqlite:///{recorded.home}/.mlrunner/mlflow.db"
    done = front_door(tmp_path, "runs", "stack=mlflow_server", f"stack.tracking_uri={uri}", "--json", "--limit", "1")
    assert done.code == 0, done.err
    assert len(done.json) == 1


def test_nothing_heavy_is_imported(recorded: Recorded) -> None:
    code = (
        "import sys; from mlrunner.cli.commands import runs; runs.main(['--limit', '3']); "
        "print(sorted({'mlflow', 'zenml', 'hydra', 'sklearn', 'pandas', 'optuna', 'docker'} & set(sys.modules)))"
    )
    variables = environment(recorded.home, MLRUNNER_PROJECT=str(PROJECT))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=variables, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def in_terminal(home: Path, width: int, *arguments: str, **more: str) -> str:
    """Type a command in a terminal of so many columns."""
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "mlrunner", *arguments]
    variables = {**environment(home, **more), "COLUMNS": str(width), "TERM": "xterm"}
    with subprocess.Popen(command, stdout=follower, stderr=follower, stdin=follower, env=variables, cwd=PROJECT):
        os.close(follower)
        told = b""
        try:
            while piece := os.read(leader, 65_536):
                told += piece
        except OSError:  # Linux's way of telling that the other side is closed
            pass
    os.close(leader)
    return told.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("width", [80, 100, 120])
def test_a_terminal_is_not_overrun(recorded: Recorded, width: int) -> None:
    told = in_terminal(recorded.home, width, "runs", NO_COLOR="1")
    assert "\x1b[3" not in told
    lines = [re.sub(r"\x1b\[[\d;]*m", "", line) for line in told.splitlines()]
    assert all(len(line.rstrip()) <= width for line in lines)
    assert {"id", "differs", "objective"} <= set(lines[0].split())


def test_a_terminal_gets_colours_and_ages(recorded: Recorded) -> None:
    told = in_terminal(recorded.home, 120, "runs")
    assert "\x1b[32mfinished" in told
    assert re.search(r"\d+ (s|min|h) ago", told)


def test_a_reader_may_leave(recorded: Recorded) -> None:
    command = f"{sys.executable} -m mlrunner runs --limit 0 --csv | head -1"
    done = subprocess.run(
        command, shell=True, capture_output=True, text=True, env=environment(recorded.home), cwd=PROJECT, check=True
    )
    assert done.stdout.startswith("id,")
    assert done.stderr == ""


def record(**told: Any) -> Record:
    """A run of which only something matters."""
    usual: dict[str, Any] = {
        "run_id": "a" * 32,
        "name": "model=rf,max_depth=3",
        "status": "FINISHED",
        "start": 1_700_000_000_000,
        "end": 1_700_000_001_000,
        "experiment": "mlrunner",
        "artifact_uri": "",
        "params": {"objective.metric": "r2", "tracking.name": "null"},
        "metrics": {"r2": 0.5},
        "tags": {"mlrunner.folder": "/runs/a"},
    }
    return Record(**{**usual, **told})


def entry(**told: Any) -> Entry:
    return Entry(record(**told), record(**told), None)


def cell(name: str, one: Entry) -> str:
    return columns.chosen(name, isinstance(one, Sweep))[0].text(one).plain


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({}, "model=rf max_depth=3"),
        ({"name": "default"}, "default"),
        ({"tags": {"mlrunner.overrides": '["model=rf", "dataset.path=/a/b/c.csv"]'}}, "model=rf path=c.csv"),
        ({"tags": {"mlrunner.overrides": '["model.estimator.alpha=0.123456789"]'}}, "alpha=0.1235"),
        ({"tags": {"mlrunner.overrides": '["dataset.path=s3://bucket/day/*.csv"]'}}, "path=*.csv"),
        ({"tags": {"mlrunner.overrides": '["seed=1", "model=rf"]'}}, "model=rf seed=1"),
        ({"tags": {"mlrunner.overrides": "[]"}, "name": "default"}, "default"),
        ({"tags": {"mlrunner.overrides": '["model=rf"]', "mlrunner.winner_of": "b"}}, "winner model=rf"),
        ({"params": {"tracking.name": "mine"}, "name": "mine"}, "mine"),
        ({"params": {"blueprint": "true"}, "tags": {"mlrunner.overrides": '["model=rf"]'}}, "blueprint model=rf"),
        (
            {"tags": {"mlrunner.overrides": '["dataset=csv", "dataset.path=/a/b.csv", "model=rf", "seed=1"]'}},
            "model=rf seed=1 dataset=csv path=b.csv",
        ),
        ({"name": "alpha=1,~features,model=[a,b]"}, "alpha=1 ~features model=[a,b]"),
        ({"name": "somebody else's", "tags": {}}, "somebody else's"),
        ({"name": "two\nlines\x1b[2J", "tags": {}}, "two lines [2J"),
    ],
)
def test_what_differs_reads_fast(told: dict[str, Any], expected: str) -> None:
    assert cell("differs", entry(**told)) == expected


def test_programs_are_told_of_a_blueprint_too() -> None:
    told = {"params": {"blueprint": "true"}, "tags": {"mlrunner.overrides": '["model=rf"]'}}
    assert entry(**told).document()["differs"] == ["blueprint=true", "model=rf"]
    assert columns.chosen("differs", False)[0].exact(entry(**told)) == "blueprint=true model=rf"


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.123, "0.12 s"), (9.99, "9.99 s"), (12.34, "12.3 s"), (99.94, "99.9 s"), (100, "1.7 min"), (7200, "2.0 h")],
)
def test_a_duration_has_its_unit(seconds: float, told: str) -> None:
    assert columns.took(seconds) == told


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(5, "5 s ago"), (600, "10 min ago"), (7200, "2 h ago"), (172_800, "2 d ago"), (9e6, r"\d{4}-\d\d-\d\d")],
)
def test_an_age_has_its_unit(seconds: float, told: str) -> None:
    assert re.fullmatch(told, columns.ago(int((time.time() - seconds) * 1000)))


@pytest.mark.parametrize(
    ("status", "tags", "told"),
    [
        ("FINISHED", {}, "finished"),
        ("KILLED", {}, "killed"),
        ("KILLED", {"mlrunner.trial_number": "1", "mlrunner.zenml.run": "search-0-1"}, "pruned"),
        ("KILLED", {"mlrunner.trial_number": "1", "mlrunner.zenml.run": "ridge-0"}, "killed"),
        ("RUNNING", {}, "running"),
    ],
)
def test_a_status_is_a_word(status: str, tags: dict[str, str], told: str) -> None:
    assert cell("status", entry(status=status, tags=tags)) == told


def test_a_run_that_runs_has_no_duration_yet() -> None:
    one = entry(status="RUNNING", end=None, metrics={})
    assert [cell(name, one) for name in ("took", "end", "objective", "test", "spread")] == ["-"] * 5
    assert one.document()["seconds"] is None


def test_markdown_escapes_what_would_break_it(capsys: pytest.CaptureFixture[str]) -> None:
    from mlrunner.history.listing import formats

    one = entry(name="a|b <c> *d* `e`\nf", tags={})
    formats.as_markdown([one], columns.chosen("id,differs", False))
    assert capsys.readouterr().out.splitlines()[2] == r"| aaaaaaaa | a\|b \<c> \*d\* \`e\` f |"


@pytest.mark.parametrize(
    ("counts", "tags", "told"),
    [
        ({"FAILED": 1, "FINISHED": 18, "KILLED": 3}, {"mlrunner.study": "s"}, "18 done, 3 pruned, 1 failed"),
        ({"KILLED": 3, "RUNNING": 1}, {}, "3 interrupted, 1 running"),
        ({}, {}, "-"),
    ],
)
def test_trials_are_counted_in_words(counts: dict[str, int], tags: dict[str, str], told: str) -> None:
    parent = record(tags={"mlrunner.sweep_id": "day/time", **tags})
    assert cell("trials", Sweep(parent, None, None, counts)) == told


def test_a_sweeps_cut_name_loses_its_last_word() -> None:
    name = f"model=ridge,rf,dataset.path=/a/{'b' * 80}.csv,sweep=optuna,tracking.plots=false,t"
    parent = record(name=name[:119] + "t", tags={"mlrunner.sweep_id": "day/time"}, params={}, metrics={})
    one = Sweep(parent, None, None, {})
    assert one.differs == ["model=ridge,rf", f"dataset.path=/a/{'b' * 80}.csv"]
    assert (one.metric, one.objective, one.winner) == ("", None, None)


def made_deployment(home: Path, stopped: bool = False) -> None:
    """A deployment whose second version serves, and the first one is ready."""
    ledger = Ledger(home / ".mlrunner" / "deployments" / "olist")
    first, second = (Server(version, "http://127.0.0.1:1", "pid", "token") for version in (1, 2))
    for version, run_id in ((1, "b" * 32), (2, "a" * 32)):
        ledger.note("deployed", version=version, run_id=run_id)
    ledger.note("stopped", version=2)
    serving = {} if stopped else {"serves": second, "ready": first}
    ledger.write(State("olist", "127.0.0.1", 8000, 1.0, 1.0, {}, line=[1, 2], **serving))


def test_what_serves_is_told_from_what_served(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "mlflow.db")
    tags = {deployments.NAME: "olist", deployments.VERSION: "1"}
    assert deployments.found(store, tmp_path).of(record()) is None
    assert str(deployments.found(store, tmp_path).of(record(tags=tags))) == "was olist v1"
    made_deployment(tmp_path)
    found = deployments.found(store, tmp_path)
    assert str(found.of(record())) == "olist v2 serving"  # by the history, also where the tag is of another deployment
    assert str(found.of(record(run_id="b" * 32, tags=tags))) == "olist v1 ready"
    assert str(found.of(record(run_id="c" * 32, tags=tags | {deployments.VERSION: "7"}))) == "was olist v7"
    made_deployment(tmp_path, stopped=True)
    assert str(deployments.found(store, tmp_path).of(record(run_id="b" * 32, tags=tags))) == "was olist v1"


def test_a_champion_of_the_registry_alone_is_told() -> None:
    serving = deployments.Serving({}, {}, {"olist": "a" * 32}, set())
    tags = {deployments.NAME: "olist", deployments.VERSION: "3"}
    found = serving.of(record(tags=tags))
    assert found is not None
    assert str(found) == "olist v3 champion"
    assert found.document() == {"name": "olist", "version": 3, "state": "champion"}


def test_names_are_told_from_overrides_of_the_stack() -> None:
    words = ["model=rf", "stack=local", "stack.tracking_uri=x", "stacked=1", "latest"]
    assert split(words) == (["model=rf", "stacked=1", "latest"], ["stack=local", "stack.tracking_uri=x"])

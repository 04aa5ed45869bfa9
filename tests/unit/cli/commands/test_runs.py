"""`mlrunner runs` and `mlrunner sweeps` in this process, on recorded runs."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mlrunner.cli.commands import report, runs, sweeps
from mlrunner.core.errors import ConfigError
from tests.support.front_door import PROJECT, environment, front_door
from tests.support.recorded import Recorded


@pytest.fixture
def home(recorded: Recorded, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MLRUNNER_HOME", str(recorded.home))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return recorded.home


def output_of(capsys: pytest.CaptureFixture[str], *arguments: str, verb: Any = runs) -> str:
    """Return what the command prints."""
    assert verb.main(list(arguments)) == 0
    return capsys.readouterr().out


@pytest.mark.usefixtures("home")
def test_json_equals_mlflow(recorded: Recorded, capsys: pytest.CaptureFixture[str]) -> None:
    listed = json.loads(output_of(capsys, "--json", "--limit", "0"))
    expected = recorded.list_runs()
    assert [entry["run_id"] for entry in listed] == [run.info.run_id for run in expected]
    for entry, run in zip(listed, expected, strict=True):
        assert entry["name"] == run.info.run_name
        assert entry["status"] == run.info.status
        assert entry["metrics"] == run.data.metrics
        assert entry["seconds"] == (run.info.end_time - run.info.start_time) / 1000
        assert entry["choices"]["model"] == run.data.params["model"]
        assert entry["folder"] == run.data.tags["mlrunner.folder"]
        assert entry["objective"] == run.data.metrics[entry["metric"]]
        assert entry["deployed"] is None


@pytest.mark.usefixtures("home")
def test_sweeps_have_trials_and_a_winner(recorded: Recorded, capsys: pytest.CaptureFixture[str]) -> None:
    search, grid = json.loads(output_of(capsys, "--json", verb=sweeps))
    assert (search["kind"], grid["kind"]) == ("tpe", "grid")
    assert sum(search["trials"].values()) == 6
    assert grid["trials"] == {"done": 2}
    assert search["winner"]["run_id"] == recorded.search["winner"]["run_id"]
    assert grid["winner"]["run_id"] == recorded.grid[0]["run_id"]
    assert grid["objective"] == recorded.grid[0]["objective"]
    assert grid["winner"]["test"] == recorded.grid[0]["metrics"]["test/r2"]
    assert grid["differs"][0] == "model=ridge,dummy"
    assert search["differs"][0] == "model=ridge,rf"
    text = output_of(capsys, verb=sweeps)
    assert re.search(r"^\d{4}-\d\d-\d\d/\S+ +model=ridge,rf .* tpe +6 done +r2 0\.", text, re.MULTILINE)


@pytest.mark.usefixtures("home")
def test_csv_has_unrounded_numbers(recorded: Recorded, capsys: pytest.CaptureFixture[str]) -> None:
    text = output_of(capsys, "--csv", "--limit", "0")
    lines = {line["id"]: line for line in csv.DictReader(io.StringIO(text))}
    assert "-" not in [cell for line in lines.values() for cell in line.values()]
    single = lines[recorded.single["run_id"][:8]]
    assert single["metric"] == "r2"
    assert float(single["objective"]) == recorded.single["objective"]
    assert float(single["test"]) == recorded.single["metrics"]["test/r2"]
    assert single["differs"] == "model=ridge dataset.rows=2000"


@pytest.mark.usefixtures("home")
def test_pipe_gets_one_line_per_run(recorded: Recorded, capsys: pytest.CaptureFixture[str]) -> None:
    text = output_of(capsys, "--limit", "0")
    lines = text.splitlines()
    assert lines[0].split() == ["id", "differs", "objective", "test", "took", "status", "when"]
    assert len(lines) == 1 + len(json.loads(output_of(capsys, "--json", "--limit", "0")))
    assert "\x1b" not in text
    single = next(line for line in lines if line.startswith(recorded.single["run_id"][:8]))
    assert re.search(r"model=ridge rows=2000 +r2 -?0\.\d+ .* s +finished +\d{4}-\d\d-\d\d \d\d:\d\d$", single)
    folds = next(line for line in lines if line.startswith(recorded.folds["run_id"][:8]))
    assert " ± " in folds
    assert "n_estimators=10 split=kfold folds=3" in folds


@pytest.mark.usefixtures("home")
def test_json_of_columns(recorded: Recorded, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("--json", "--columns", "run_id,params.model,metrics.test/r2,took", "--limit", "0")
    runs_by_id = {run["run_id"]: run for run in json.loads(output_of(capsys, *arguments))}
    run = runs_by_id[recorded.single["run_id"]]
    assert list(run) == ["run_id", "params.model", "metrics.test/r2", "took"]
    assert (run["params.model"], run["metrics.test/r2"]) == ("ridge", recorded.single["metrics"]["test/r2"])


@pytest.mark.parametrize("form", [[], ["--csv"], ["--json"], ["--sort", "took"]], ids=str)
@pytest.mark.usefixtures("home")
def test_limit_is_reported(capsys: pytest.CaptureFixture[str], form: list[str]) -> None:
    runs.main([*form, "--limit", "3"])
    printed = capsys.readouterr()
    assert printed.err == "… there are more than these 3; --limit 0 lists all.\n"
    assert len(json.loads(printed.out) if "--json" in form else printed.out.splitlines()[1:]) == 3
    runs.main([*form, "--limit", "1"])
    assert capsys.readouterr().err == "… there are more than this one; --limit 0 lists all.\n"
    runs.main([*form, "--limit", "100"])
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("home")
def test_given_columns_may_be_empty(capsys: pytest.CaptureFixture[str]) -> None:
    lines = output_of(capsys, "--columns", "id,params.nothing,deployed,metrics.`test/r2`", "--limit", "2").splitlines()
    assert lines[0].split() == ["id", "params.nothing", "deployed", "metrics.`test/r2`"]
    assert lines[1].split()[1:3] == ["-", "-"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--columns", "id,stauts"], "'stauts' is not a column; possible are id, .* Did you mean 'status'"),
        (["--columns", ","], "--columns is empty; possible are id,"),
        (["--where", "r2 > 1"], "Metrics are written metrics.r2"),
        (["model=rf"], "mlrunner runs does not take 'model=rf'; it takes one sweep, --where"),
        (["nothing"], "No run matches 'nothing'"),
    ],
)
@pytest.mark.usefixtures("home")
def test_mistakes_are_one_sentence(arguments: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        runs.main(arguments)


@pytest.mark.parametrize("arguments", [["--json", "--csv"], ["--limit", "-1"], ["--limit", "x"], ["--md", "--json"]])
@pytest.mark.usefixtures("home")
def test_exclusive_options_are_refused(arguments: list[str]) -> None:
    with pytest.raises(ConfigError, match=r"not allowed with argument|is not a number of lines"):
        runs.main(arguments)


@pytest.mark.parametrize(
    ("verb", "present", "absent"),
    [
        (runs, "best has the best test score of the runs with the", "mlrunner sweeps"),
        (sweeps, "mlrunner sweeps --columns id,kind", "mlrunner runs"),
        (report, "[--json] RUN|SWEEP [stack=…]\n", "..."),
    ],
)
def test_help(capsys: pytest.CaptureFixture[str], verb: Any, present: str, absent: str) -> None:
    with pytest.raises(SystemExit):
        verb.main(["--help"])
    text = capsys.readouterr().out
    assert present in text
    assert absent not in text


@pytest.mark.parametrize("verb", [runs, sweeps])
def test_empty_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], verb: Any
) -> None:
    monkeypatch.setenv("MLRUNNER_HOME", str(tmp_path))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert re.match(r"There is no (run|sweep) yet; start one with mlrunner", output_of(capsys, verb=verb))
    assert output_of(capsys, "--json", verb=verb) == "[]\n"
    assert list(tmp_path.iterdir()) == []


def test_store_of_an_override(recorded: Recorded, tmp_path: Path) -> None:
    uri = f"sqlite:///{recorded.home}/.mlrunner/mlflow.db"
    ran = front_door(tmp_path, "runs", "stack=mlflow_server", f"stack.tracking_uri={uri}", "--json", "--limit", "1")
    assert ran.code == 0, ran.err
    assert len(ran.json) == 1


def test_no_large_library_is_imported(recorded: Recorded) -> None:
    code = (
        "import sys; from mlrunner.cli.commands import runs; runs.main(['--limit', '3']); "
        "print(sorted({'mlflow', 'zenml', 'hydra', 'sklearn', 'pandas', 'optuna', 'docker'} & set(sys.modules)))"
    )
    variables = environment(recorded.home, MLRUNNER_PROJECT=str(PROJECT))
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=variables, check=True)
    assert process.stdout.splitlines()[-1] == "[]"


def run_in_terminal(home: Path, width: int, *arguments: str, **variables: str) -> str:
    """Run a command in a terminal of a given width."""
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "mlrunner", *arguments]
    environ = {**environment(home, **variables), "COLUMNS": str(width), "TERM": "xterm"}
    with subprocess.Popen(command, stdout=follower, stderr=follower, stdin=follower, env=environ, cwd=PROJECT):
        os.close(follower)
        output = b""
        try:
            while piece := os.read(leader, 65_536):
                output += piece
        except OSError:  # Linux raises it once the other side is closed
            pass
    os.close(leader)
    return output.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("width", [80, 120])
def test_table_fits_the_terminal(recorded: Recorded, width: int) -> None:
    text = run_in_terminal(recorded.home, width, "runs", NO_COLOR="1")
    assert "\x1b[3" not in text
    lines = [re.sub(r"\x1b\[[\d;]*m", "", line) for line in text.splitlines()]
    assert all(len(line.rstrip()) <= width for line in lines)
    assert {"id", "differs", "objective"} <= set(lines[0].split())


def test_terminal_shows_colours_and_ages(recorded: Recorded) -> None:
    text = run_in_terminal(recorded.home, 120, "runs")
    assert "\x1b[32mfinished" in text
    assert re.search(r"\d+ (s|min|h) ago", text)


def test_closed_pipe(recorded: Recorded) -> None:
    command = f"{sys.executable} -m mlrunner runs --limit 0 --csv | head -1"
    process = subprocess.run(
        command, shell=True, capture_output=True, text=True, env=environment(recorded.home), cwd=PROJECT, check=True
    )
    assert process.stdout.startswith("id,")
    assert process.stderr == ""

"""What Python gets from a sweep, and what it may not give; whole calls are in `apps/test_verbs.py`."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

import mlrunner
from mlrunner import api
from mlrunner.api.results import Run, parse_sweep
from mlrunner.core.environment import STACK_VARIABLE
from mlrunner.core.errors import ConfigError
from mlrunner.core.outcome import Outcome


def trial(name: str, status: str, objective: float = math.nan, run_id: str | None = "a" * 32) -> dict[str, Any]:
    """A trial as a sweep prints it."""
    found = Outcome(name, status, "r2", "maximize", objective, 1.0, 0.5, 0.1, {}, run_id, None, f"/day/time/{name}")
    told: dict[str, Any] = json.loads(found.json())
    return told


@pytest.mark.parametrize(
    ("trials", "best"),
    [
        ([trial("a", "FINISHED", 0.5), trial("b", "PRUNED")], "a"),
        ([trial("b", "PRUNED"), trial("a", "FINISHED", 0.5)], "a"),
        ([trial("b", "PRUNED"), trial("c", "FAILED", run_id=None)], None),
        ([trial("c", "FINISHED", 0.5, run_id=None)], None),
    ],
)
def test_the_best_of_a_sweep_is_one_that_came_to_its_end(trials: list[dict[str, Any]], best: str | None) -> None:
    found = parse_sweep(trials)
    assert (None if found.best is None else found.best.name) == best
    assert found.frame["name"].tolist() == [one["name"] for one in trials]
    assert found.id == "day/time"


@pytest.mark.parametrize(
    ("call", "what"),
    [
        (lambda: api.diff("latest", composition="model=rf"), "composition"),
        (lambda: api.deploy("latest", "model=rf"), "overrides"),
    ],
)
def test_one_text_is_no_list_of_overrides(call: Callable[[], Any], what: str) -> None:
    with pytest.raises(ConfigError, match=rf"{what} is a list of texts, like \['model=rf'\], and not one text."):
        call()


def test_the_winner_of_a_search_is_a_run_with_the_model_of_the_refit() -> None:
    refit = {"run_id": "b" * 32, "model_uri": "models:/m-1", "metrics": {"test/r2": 0.4}, "gate": None}
    told = {"folder": "/day/<time>", "trials": [trial("a", "FINISHED", 0.5)], "winner": {**refit, "deployment": None}}
    found = parse_sweep(told)
    assert found.winner is not None
    assert (found.winner.run_id, found.winner.model_uri, found.winner.objective) == ("b" * 32, "models:/m-1", 0.5)
    assert found.winner.frame.loc["r2", "test"] == 0.4
    assert "day/&lt;time&gt;</b>: best a, refitted as run bbbbbbbb" in found._repr_html_()


def test_a_search_without_trials_is_an_empty_table() -> None:
    found = parse_sweep({"folder": "/day/time", "trials": [], "winner": None})
    assert "no trial came to its end" in found._repr_html_()
    assert list(found.frame["run_id"]) == []


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home; the environment, which a call from Python changes, is put back."""
    for name in ("MLRUNNER_HOME", "MLRUNNER_PROJECT", "MLRUNNER_VERBOSE", "HYDRA_FULL_ERROR", "OMP_WAIT_POLICY"):
        monkeypatch.setenv(name, "0")
    monkeypatch.delenv("MLRUNNER_HOME")
    for name in (STACK_VARIABLE, "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.path", [*sys.path])
    return tmp_path


def test_no_runs_are_a_table_with_its_columns(home: Path) -> None:
    assert list(mlrunner.runs(home=home)["run_id"]) == []


@pytest.mark.parametrize("made", [Run("c" * 32, "n", "r2", 0.5, {}, Path("/d/t")), "c" * 32])
def test_a_result_names_itself(made: Any, home: Path) -> None:
    with pytest.raises(ConfigError, match=f"No run matches '{'c' * 32}'"):
        mlrunner.diff(made, "latest", home=home)


def test_a_sweep_names_itself_too(home: Path) -> None:
    made = parse_sweep({"folder": "/day/time", "trials": [], "winner": None})
    with pytest.raises(ConfigError, match="No run matches 'day/time'"):
        mlrunner.diff(made, "latest", home=home)


def test_a_process_keeps_to_the_stores_that_it_has_opened(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mlrunner.runs(home=home)
    monkeypatch.setenv(STACK_VARIABLE, "x")
    mlrunner.runs(home=home)
    with pytest.raises(ConfigError, match=f"home={home}/other: this process has opened the stores of {home}; restart"):
        mlrunner.runs(home=home / "other")


CLOSING = """
import time
try:
    print("began", flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    time.sleep(0.5)  # longer than subprocess.run waits before it kills
    print("closed")
"""


def test_an_interrupted_sweep_closes_what_it_has_begun(tmp_path: Path) -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with (tmp_path / "out").open("w") as sink:
        child = subprocess.Popen([sys.executable, "-c", CLOSING], stdout=sink, text=True, start_new_session=True)
    while not (tmp_path / "out").read_text():
        time.sleep(0.01)
    Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()
    try:
        with pytest.raises(KeyboardInterrupt):
            api.wait_for_sweep(child)
    finally:
        signal.signal(signal.SIGINT, before)
    assert (tmp_path / "out").read_text() == "began\nclosed\n"


def test_a_flag_is_no_override(home: Path) -> None:
    with pytest.raises(ConfigError, match=r"'-m' is no override, .* a grid is mlrunner.sweep"):
        mlrunner.run(["-m", "model=rf,ridge"], home=home)


def test_python_lists_what_mlrunner_does_without_loading_it() -> None:
    code = "import sys, mlrunner; print({*mlrunner.API} <= {*dir(mlrunner)}, 'mlrunner.api' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True False\n"


@pytest.mark.parametrize(
    ("wanted", "told"), [({"where": "metrics.test/r2 >"}, "where cannot"), ({"sort": ["a b c"]}, "sort 'a b c' cannot")]
)
def test_a_filter_of_python_is_no_flag(wanted: dict[str, Any], told: str, home: Path) -> None:
    with pytest.raises(ConfigError, match=rf"\A{told} be read"):
        mlrunner.runs(**wanted, home=home)

"""Functions of the Python API; whole calls are in `tests/apps/test_verbs.py`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import mlrunner
from mlrunner import api
from mlrunner.api.results import Run, parse_sweep
from mlrunner.core.environment import STACK_VARIABLE
from mlrunner.core.errors import ConfigError


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make an empty home, and restore the environment after the test."""
    for name in ("MLRUNNER_HOME", "MLRUNNER_PROJECT", "MLRUNNER_VERBOSE", "HYDRA_FULL_ERROR", "OMP_WAIT_POLICY"):
        monkeypatch.setenv(name, "0")
    monkeypatch.delenv("MLRUNNER_HOME")
    monkeypatch.delenv("MLRUNNER_PROJECT")
    for name in (STACK_VARIABLE, "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.path", [*sys.path])
    return tmp_path


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: api.diff("latest", composition="model=rf"), "composition"),
        (lambda: api.deploy("latest", "model=rf"), "overrides"),
    ],
)
def test_a_single_text_is_not_a_list(call: Callable[[], Any], name: str) -> None:
    with pytest.raises(ConfigError, match=rf"^{name} must be a list of texts, like \['model=rf'\], not"):
        call()


def test_an_empty_store_is_an_empty_table(home: Path) -> None:
    assert list(mlrunner.runs(home=home)["run_id"]) == []


@pytest.mark.parametrize("result", [Run("c" * 32, "n", "r2", 0.5, {}, Path("/d/t")), "c" * 32])
def test_a_run_is_compared_by_its_id(result: Any, home: Path) -> None:
    with pytest.raises(ConfigError, match=f"No run matches '{'c' * 32}'"):
        mlrunner.diff(result, "latest", home=home)


def test_a_sweep_is_compared_by_its_day_and_time(home: Path) -> None:
    result = parse_sweep({"folder": "/day/time", "trials": [], "winner": None})
    with pytest.raises(ConfigError, match="No run matches 'day/time'"):
        mlrunner.diff(result, "latest", home=home)


def test_a_process_cannot_change_its_stores(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mlrunner.runs(home=home)
    monkeypatch.setenv(STACK_VARIABLE, "x")
    mlrunner.runs(home=home)
    with pytest.raises(ConfigError, match=f"home={home}/other: this process has opened the stores of {home}; restart"):
        mlrunner.runs(home=home / "other")


def test_a_flag_is_refused(home: Path) -> None:
    with pytest.raises(ConfigError, match=r"^'-m' is not an override, .* for a grid call mlrunner.sweep"):
        mlrunner.run(["-m", "model=rf,ridge"], home=home)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"where": "metrics.test/r2 >"}, "where cannot"), ({"sort": ["a b c"]}, "sort 'a b c' cannot")],
)
def test_messages_name_parameters_and_not_flags(arguments: dict[str, Any], message: str, home: Path) -> None:
    with pytest.raises(ConfigError, match=rf"^{message} be read"):
        mlrunner.runs(**arguments, home=home)


def test_run_refuses_a_search(home: Path) -> None:
    with pytest.raises(ConfigError, match=r"^sweep= starts many runs; call mlrunner\.sweep"):
        mlrunner.run(["sweep=optuna"], home=home)

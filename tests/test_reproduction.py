"""The parts of a reproduction that need no run: the environment, the code, the tolerance."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mlrunner.errors import StoreError
from mlrunner.outcome import Outcome
from mlrunner.records import Record
from mlrunner.records.frozen import Surroundings
from mlrunner.reproduction import environment, running
from mlrunner.reproduction.scores import compared, is_close, summary

TRIAL = {"mlrunner.sweep_id": "d/t", "mlrunner.trial_number": "0"}
PYTHON = sys.version.split()[0]


def test_only_names_and_versions_are_installed() -> None:
    found = Surroundings(
        packages={
            "pandas": "3.0",
            "mlrunner": "0.1.0",
            "pip": "25",
            "evil": "1.0@http://x",
            "local": "1.0+cpu",
            "--find-links": "evil",
        }
    )
    assert environment.requirements(found) == ["pandas==3.0", "local==1.0+cpu"]


def test_an_environment_is_made_once(tmp_path: Path) -> None:
    then = Surroundings(python=PYTHON, packages={"six": "1.17.0"})
    python = environment.made(then, tmp_path)
    told = subprocess.run([python, "-c", "import six; print(six.__version__)"], capture_output=True, text=True)
    assert told.stdout == "1.17.0\n"
    before = python.stat().st_mtime_ns
    assert environment.made(then, tmp_path) == python
    assert python.stat().st_mtime_ns == before


def test_what_is_not_to_be_had_is_said(tmp_path: Path) -> None:
    then = Surroundings(python=PYTHON, packages={"six": "999.0"})
    with pytest.raises(
        StoreError, match="The recorded environment cannot be made: a recorded package is not to be had"
    ):
        environment.made(then, tmp_path)
    assert not list(tmp_path.glob("*/.made"))


def test_an_interpreter_is_a_version_and_no_path(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="'/tmp/evil' is no version of Python"):
        environment.made(Surroundings(python="/tmp/evil"), tmp_path)


@pytest.mark.parametrize(
    ("estimator", "left"),
    [
        ({"_target_": "sklearn.linear_model.Ridge", "random_state": None}, []),
        ({"_target_": "sklearn.linear_model.Ridge", "random_state": None, "solver": "sag"}, ["e.random_state"]),
        ({"_target_": "sklearn.linear_model.SGDRegressor"}, ["e.random_state"]),
        ({"_target_": "sklearn.linear_model.PassiveAggressiveRegressor"}, ["e.random_state"]),
        ({"_target_": "sklearn.linear_model.Lasso"}, []),
        ({"_target_": "sklearn.linear_model.Lasso", "selection": "random"}, ["e.random_state"]),
        ({"_target_": "sklearn.dummy.DummyClassifier", "strategy": "uniform"}, ["e.random_state"]),
        ({"_target_": "xgboost.XGBRegressor", "random_state": None}, []),  # which takes 0 then
        ({"_target_": "sklearn.svm.SVC"}, []),
        ({"_target_": "sklearn.svm.SVC", "probability": True}, ["e.random_state"]),
        ({"_target_": "sklearn.ensemble.RandomForestRegressor"}, ["e.random_state"]),
        ({"_target_": "sklearn.ensemble.RandomForestRegressor", "random_state": 0}, []),
        ({"_target_": "catboost.CatBoostRegressor", "random_seed": 0}, []),  # which has both names of it
        ({"_target_": "sklearn.naive_bayes.GaussianNB"}, []),
        ({}, []),
    ],
)
def test_a_fit_without_a_seed_is_by_chance(estimator: dict[str, Any], left: list[str]) -> None:
    assert running.unseeded(estimator, "e") == left


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    (folder / environment.VERB).parent.mkdir(parents=True)
    (folder / environment.VERB).write_text("# then\n")
    user = ["-c", "user.name=a", "-c", "user.email=a@b"]
    for arguments in (["init", "-q"], ["add", "-A"], [*user, "commit", "-q", "-m", "then"]):
        subprocess.run(["git", *arguments], cwd=folder, check=True)
    monkeypatch.setenv("MLRUNNER_PROJECT", str(folder))
    return folder


def commit_of(project: Path) -> str:
    told = subprocess.run(["git", "rev-parse", "HEAD"], cwd=project, capture_output=True, text=True, check=True)
    return told.stdout.strip()


def test_the_commit_of_then_is_checked_out_beside_the_project(project: Path, tmp_path: Path) -> None:
    then = Surroundings(commit=commit_of(project))
    (project / environment.VERB).write_text("# today\n")
    found = environment.code(then, tmp_path)
    assert found != project
    assert (found / environment.VERB).read_text() == "# then\n"
    assert environment.code(then, tmp_path) == found


@pytest.mark.parametrize("change", ["dirty", "unknown", "hostile", "none"])
def test_without_a_clean_known_commit_it_is_todays_code(project: Path, tmp_path: Path, change: str) -> None:
    told = {
        "dirty": Surroundings(commit=commit_of(project), dirty="diff --git a/x b/x\n"),
        "unknown": Surroundings(commit="0" * 40),
        "hostile": Surroundings(commit="--upload-pack=x"),
        "none": Surroundings(),
    }
    assert environment.code(told[change], tmp_path) == project


@pytest.mark.parametrize(
    ("then", "now", "tolerance", "close"),
    [
        (0.5, 0.5, 0.0, True),
        (0.5, 0.5000000000000001, 0.0, False),
        (0.5, 0.5000000000000001, 1e-9, True),
        (-0.5, -0.51, 0.05, True),
        (-0.5, -0.6, 0.05, False),
        (0.0, 1e-12, 0.1, False),
        (0.0, 0.0, 0.0, True),
    ],
)
def test_the_tolerance_is_a_share_of_the_value(then: float, now: float, tolerance: float, close: bool) -> None:
    assert is_close(then, now, tolerance) is close


def outcome(**metrics: float) -> Outcome:
    told = {name.replace("__", "/"): value for name, value in metrics.items()}
    return Outcome("n", "FINISHED", "r2", "maximize", 0.5, 1.0, 1.0, 1.0, told, "r", None, "/nowhere")


def test_repeats_are_averaged_over_all_fits_at_once() -> None:
    outcomes = [outcome(r2=0.2, cv__r2=0.2), outcome(r2=0.4, cv__r2=0.4)]
    folds = [{"r2": [0.1, 0.3]}, {"r2": [0.4, 0.4]}]
    found = summary(outcomes, folds)
    assert found["cv/r2"] == found["r2"] == pytest.approx(0.3)
    assert found["cv/r2_std"] == pytest.approx(0.1224744871)
    held = summary([outcome(r2=0.2), outcome(r2=0.4)], [{}, {}])
    assert (held["validation/r2"], held["validation/r2_std"]) == (pytest.approx(0.3), pytest.approx(0.1))


@pytest.mark.parametrize(
    ("tags", "names"),
    [
        ({}, ["test/r2", "train/r2", "validation/r2"]),
        ({"mlrunner.sweep_id": "d/t", "mlrunner.trial_number": "0"}, ["validation/r2"]),
        (
            {"mlrunner.sweep_id": "d/t", "mlrunner.trial_number": "0", "mlrunner.winner_of": "x"},
            ["test/r2", "train/r2"],
        ),
    ],
    ids=["run", "trial", "winner"],
)
def test_what_a_machine_takes_and_what_another_run_found_is_not_compared(
    tags: dict[str, str], names: list[str]
) -> None:
    metrics = {"test/r2": 0.1, "train/r2": 0.2, "validation/r2": 0.3, "fit_seconds": 1.0, "serve/p95_ms": 2.0}
    record = Record("a" * 32, "n", "FINISHED", 0, 1, "e", "/nowhere", {}, metrics, tags)
    assert [one.name for one in compared(record, metrics, 0.0)] == names


def test_a_metric_that_does_not_come_again_is_not_the_same() -> None:
    record = Record("a" * 32, "n", "FINISHED", 0, 1, "e", "/nowhere", {}, {"test/r2": 0.1}, {})
    (one,) = compared(record, {}, 0.0)
    assert (one.now, one.is_same) == (None, False)

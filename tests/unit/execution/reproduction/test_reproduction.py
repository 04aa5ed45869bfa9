"""The parts of a reproduction that need no run: the environment, the code, the tolerance."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

from mlrunner.composition.compose import composing
from mlrunner.core.errors import ConfigError, StoreError
from mlrunner.core.outcome import Outcome
from mlrunner.execution.reproduction import differences, environment, rerun
from mlrunner.execution.reproduction import tolerance as chance
from mlrunner.execution.reproduction.scores import average_metrics, check_scores, compare_metrics, is_close
from mlrunner.tracking import provenance
from mlrunner.tracking.records import Record
from mlrunner.tracking.records.snapshot import Provenance
from mlrunner.tracking.records.sqlite_store import SqliteStore
from tests.support.front_door import PROJECT

TRIAL = {"mlrunner.sweep_id": "d/t", "mlrunner.trial_number": "0"}
PYTHON = sys.version.split()[0]
FOREST = {"_target_": "sklearn.ensemble.RandomForestRegressor"}
TREE = {"_target_": "sklearn.tree.DecisionTreeRegressor"}


def test_only_names_and_versions_are_installed() -> None:
    found = Provenance(
        packages={
            "pandas": "3.0",
            "mlrunner": "0.1.0",
            "pip": "25",
            "evil": "1.0@http://x",
            "local": "1.0+cpu",
            "--find-links": "evil",
        }
    )
    assert environment.list_requirements(found) == ["pandas==3.0", "local==1.0+cpu"]


def test_an_environment_is_made_once(tmp_path: Path) -> None:
    then = Provenance(python=PYTHON, packages={"six": "1.17.0"})
    python = environment.make_environment(then, tmp_path)
    told = subprocess.run([python, "-c", "import six; print(six.__version__)"], capture_output=True, text=True)
    assert told.stdout == "1.17.0\n"
    before = python.stat().st_mtime_ns
    assert environment.make_environment(then, tmp_path) == python
    assert python.stat().st_mtime_ns == before


def test_what_is_not_to_be_had_is_said(tmp_path: Path) -> None:
    then = Provenance(python=PYTHON, packages={"six": "999.0"})
    with pytest.raises(
        StoreError, match=r"The recorded environment cannot be made: a recorded package is not to be had.*six==999\.0"
    ):
        environment.make_environment(then, tmp_path)
    assert not list(tmp_path.glob("*/.made"))


def test_an_interpreter_is_a_version_and_no_path(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="'/tmp/evil' is no version of Python"):
        environment.make_environment(Provenance(python="/tmp/evil"), tmp_path)


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
        (
            {"_target_": "sklearn.ensemble.VotingRegressor", "estimators": [["a", FOREST]]},
            ["e.estimators.0.1.random_state"],
        ),
        ({"_target_": "sklearn.multioutput.MultiOutputRegressor", "estimator": {**FOREST, "random_state": 0}}, []),
        ({"_target_": "sklearn.ensemble.BaggingRegressor", "estimator": TREE, "random_state": 0}, []),  # seeds its own
        (
            {"_target_": "sklearn.ensemble.BaggingRegressor", "estimator": TREE},
            ["e.random_state", "e.estimator.random_state"],
        ),
        ({"_target_": "sklearn.ensemble.StackingRegressor", "cv": {"_target_": "sklearn.model_selection.KFold"}}, []),
        ({}, []),
    ],
)
def test_a_fit_without_a_seed_is_by_chance(estimator: dict[str, Any], left: list[str]) -> None:
    assert chance.list_unset_seeds(estimator, "e") == left


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
    then = Provenance(commit=commit_of(project))
    (project / environment.VERB).write_text("# today\n")
    found = environment.check_out(then, tmp_path)
    assert found != project
    assert (found / environment.VERB).read_text() == "# then\n"
    assert environment.check_out(then, tmp_path) == found


@pytest.mark.parametrize("change", ["dirty", "unknown", "hostile", "none"])
def test_without_a_clean_known_commit_it_is_todays_code(project: Path, tmp_path: Path, change: str) -> None:
    told = {
        "dirty": Provenance(commit=commit_of(project), dirty="diff --git a/x b/x\n"),
        "unknown": Provenance(commit="0" * 40),
        "hostile": Provenance(commit="--upload-pack=x"),
        "none": Provenance(),
    }
    assert environment.check_out(told[change], tmp_path) == project


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
    found = average_metrics(outcomes, folds)
    assert found["cv/r2"] == found["r2"] == pytest.approx(0.3)
    assert found["cv/r2_std"] == pytest.approx(0.1224744871)
    held = average_metrics([outcome(r2=0.2), outcome(r2=0.4)], [{}, {}])
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
    assert [one.name for one in compare_metrics(record, metrics, 0.0)] == names


def test_a_metric_that_does_not_come_again_is_not_the_same() -> None:
    record = Record("a" * 32, "n", "FINISHED", 0, 1, "e", "/nowhere", {}, {"test/r2": 0.1}, {})
    (one,) = compare_metrics(record, {}, 0.0)
    assert (one.now, one.is_same) == (None, False)


@pytest.mark.parametrize(
    ("status", "metrics", "tags", "told"),
    [
        ("FAILED", {}, {}, "left no scores"),
        ("RUNNING", {"fit_seconds": 1.0}, {}, "left no scores"),
        ("KILLED", {"validation/r2": 0.1}, TRIAL, "was pruned or stopped"),
    ],
)
def test_a_run_without_scores_is_refused_before_it_runs(
    status: str, metrics: dict[str, float], tags: dict[str, str], told: str
) -> None:
    record = Record("a" * 32, "n", status, 0, 1, "e", "/nowhere", {}, metrics, tags)
    with pytest.raises(ConfigError, match=rf"Run aaaaaaaa \({status}\) {told}.* nothing to compare"):
        check_scores(record)
    check_scores(Record("a" * 32, "n", "FAILED", 0, 1, "e", "/nowhere", {}, {"test/r2": 0.1}, {}))


def test_the_code_of_then_stands_before_that_of_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("then", "today"):
        (tmp_path / name / "which").mkdir(parents=True)
        (tmp_path / name / "which" / "__main__.py").write_text(f"import mine\nprint('{name}')\n")
    (tmp_path / "today" / "mine.py").touch()  # of the user's own
    monkeypatch.chdir(tmp_path / "today")
    told = {**os.environ, **environment.import_variables(tmp_path / "then")}
    done = subprocess.run([sys.executable, "-m", "which"], env=told, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("then\n", "")


def test_a_relative_path_is_where_the_run_was_launched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("then", "here"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "table.csv").touch()
    monkeypatch.chdir(tmp_path / "here")
    then, dataset = str(tmp_path / "then"), {"path": "table.csv"}
    assert rerun.locate_data(dataset, then) == {"path": f"{then}/table.csv"}
    assert rerun.locate_data(dataset, str(tmp_path / "here")) == dataset
    (tmp_path / "then" / "table.csv").unlink()
    assert rerun.locate_data(dataset, then) == dataset


def test_todays_options_are_not_even_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with composing() as hydra:
        frozen = hydra.compose(["model=ridge"])
    shutil.copytree(PROJECT / "conf", tmp_path / "conf")
    for file in [*(tmp_path / "conf" / "model").iterdir(), tmp_path / "conf" / "dataset" / "olist.yaml"]:
        file.unlink()
    file = tmp_path / "conf" / "config.yaml"
    file.write_text(file.read_text().replace("deployer: none", "deployer: local").replace("seed: 0", "seed: 1"))
    monkeypatch.setenv("MLRUNNER_PROJECT", str(tmp_path))
    (found,) = rerun.compose_seeds(frozen, [], 1)
    assert (found.model.name, found.seed, found.project) == ("ridge", 0, str(tmp_path))
    assert found.deployer._target_ == "mlrunner.groups.deployer.NoDeployer"  # whatever is deployed by default today


def test_only_what_is_not_as_it_was_is_named(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / environment.VERB).write_text("# changed\n")
    (project / "unknown").touch()
    monkeypatch.setattr(provenance, "PROJECT", project)
    provenance.read_git.cache_clear()
    (tmp_path / "environment").mkdir()
    git = provenance.read_git()
    provenance.read_git.cache_clear()
    texts = {"git.json": json.dumps(git), "requirements.txt": provenance.list_packages(), "dirty.diff": git["diff"]}
    record = Record("a" * 32, "n", "FINISHED", 0, 1, "e", str(tmp_path), {}, {}, {})

    def told(**changed: str) -> list[str]:
        for name, text in {**texts, **{name.replace("_", "."): text for name, text in changed.items()}}.items():
            (tmp_path / "environment" / name).write_text(text)
        return list(differences.list_code_differences(record, SqliteStore(tmp_path / "absent")))

    other = "diff --git a/other.py b/other.py\n+x\n"
    assert told() == []
    assert told(dirty_diff=git["diff"] + other) == ["Uncommitted changes other.py then, none now."]
    assert told(dirty_diff=git["diff"].replace("changed", "edited")) == [
        f"Uncommitted changes in {environment.VERB} are not those of then."
    ]
    assert told(git_json=json.dumps({**git, "status": "?? unknown\n?? gone"})) == [
        "Files that git does not know: gone then, none now."
    ]
    provenance.read_git.cache_clear()


def test_a_source_file_that_the_first_trial_of_a_search_did_without_is_not_known() -> None:
    then = {"a": "1", "of.the.first": "2"}
    assert list(differences.compare_sources(then, {"a": "1"})) == []
    assert list(differences.compare_sources(then, {"a": "0", "b": "3"})) == [
        "Source files: changed a; not recorded then b."
    ]


def test_an_interrupted_reproduction_closes_its_run() -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(0.8); raise SystemExit(7)"])
    Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
    try:
        assert environment.wait_for_child(child) == 7  # subprocess.run would kill it after a quarter of a second
    finally:
        signal.signal(signal.SIGINT, before)

"""`mlrunner reproduce`: the same numbers to the last digit, and the differences that are reported."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from mlrunner.core.outcome import OUTCOME_FILE, read_outcome
from tests.support.front_door import PROJECT, UNSAVED, CommandResult, Runner, front_door, run_program

pytestmark = pytest.mark.slow
MODELS = {
    "xgboost": ["dataset.rows=800", "model.estimator.n_estimators=20"],
    "custom": ["dataset=diabetes", "model.estimator._target_=sklearn.svm.SVR", "+model.estimator.C=10"],
}
ALL = """
import json, sys
from pathlib import Path
import mlrunner
from mlrunner.execution.reproduction import inspect_run, reproduce_run
results = {}
for name, overrides in json.loads(sys.argv[1]).items():
    original = mlrunner.run([f"model={name}", *overrides, "output=json"])
    again = reproduce_run(inspect_run(original.run_id, Path(sys.argv[2])))
    results[name] = {
        "differences": again.differences,
        "metrics": [[metric.name, metric.then, metric.now] for metric in again.metrics],
        "reproduced": again.is_reproduced,
        "tolerance": again.tolerance,
        "ids": [original.run_id, again.new_run_id],
    }
Path(sys.argv[2], "reproductions.json").write_text(json.dumps(results))
"""


def test_runs_are_reproduced_to_the_last_digit(session_home: Path) -> None:
    compositions = {name: [*overrides, *UNSAVED] for name, overrides in MODELS.items()}
    printed = run_program(session_home, ALL, json.dumps(compositions), str(session_home))
    assert printed.code == 0, printed.err
    results = json.loads((session_home / "reproductions.json").read_text())
    client = MlflowClient(f"sqlite:///{session_home}/.mlrunner/mlflow.db")
    for name, result in results.items():
        assert result["differences"] == [], name
        assert result["tolerance"] == 0
        assert result["reproduced"], (name, [row for row in result["metrics"] if row[1] != row[2]])
        then, now = (client.get_run(run_id).data.metrics for run_id in result["ids"])
        assert {key: value for key, value in then.items() if not key.endswith("seconds")} == {
            key: value for key, value in now.items() if not key.endswith("seconds")
        }
        assert client.get_run(result["ids"][1]).data.tags["mlrunner.reproduces"] == result["ids"][0]


@dataclass(frozen=True)
class Checkout:
    """A checkout of the project, a folder of the user with a strategy and a table, and a home."""

    project: Path
    home: Path
    work: Path

    def __call__(self, *arguments: str, **more: str) -> CommandResult:
        path = os.pathsep.join([str(self.project), str(self.work)])
        variables = {"PYTHONPATH": path, "MLRUNNER_PROJECT": str(self.project), **more}
        return front_door(self.home, *arguments, cwd=self.work, **variables)

    def artifact(self, name: str) -> Path:
        """A file that the run logged."""
        (file,) = (self.home / ".mlrunner" / "artifacts").glob(f"{self.run_id}/artifacts/{name}")
        return file

    @property
    def run_id(self) -> str:
        return str(json.loads((self.home / "outcome.json").read_text())["run_id"])


STRATEGY = '''
from mlrunner.core.build import dataclass
from mlrunner.groups.strategy import CleaningStrategy


@dataclass
class Doubled(CleaningStrategy):
    """Keep one column, twice as large."""

    def transform_rows(self, table):
        return (table["x"] * 2.0 + table["x"] % 3).to_frame("x")
'''


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    base = tmp_path_factory.mktemp("checkout")
    checkout = Checkout(base / "project", base / "home", base / "work")
    for folder in (checkout.home, checkout.work / "conf" / "cleaning"):
        folder.mkdir(parents=True)
    for name in ("mlrunner", "pipelines", "conf", "hydra_plugins", "data"):
        shutil.copytree(PROJECT / name, checkout.project / name)
    (checkout.project / ".gitignore").write_text("__pycache__/\n")
    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "all"]):
        user = ["-c", "user.name=a", "-c", "user.email=a@b"]
        subprocess.run(["git", *user, *arguments], cwd=checkout.project, check=True)
    rows = "\n".join(f"{number},{number * 7 % 50 + number % 5}" for number in range(200))
    (checkout.work / "table.csv").write_text(f"x,y\n{rows}\n")
    (checkout.work / "mine.py").write_text(STRATEGY)
    (checkout.work / "conf" / "cleaning" / "mine.yaml").write_text("_target_: mine.Doubled\n")
    result = checkout(
        "-cd", "conf", "cleaning=mine", "dataset=csv", "dataset.path=table.csv", "dataset.target=y",
        "dataset.task=regression", "model=ridge", "tracking.name=original", "output=json", *UNSAVED,
    )  # fmt: skip
    assert result.code == 0, result.err
    (checkout.home / "outcome.json").write_text(result.out)
    return checkout


@pytest.fixture
def restored(checkout: Checkout) -> Iterator[Checkout]:
    """Return the checkout; its files are restored after the test."""
    files = [
        checkout.work / "table.csv",
        checkout.work / "mine.py",
        checkout.project / "mlrunner" / "groups" / "cleaning" / "dates.py",
    ]
    files += [checkout.artifact(name) for name in ("config.yaml", ".hydra/config.yaml", "environment/requirements.txt")]
    before = {file: file.read_bytes() for file in files}
    yield checkout
    for file, content in before.items():
        file.write_bytes(content)


def trusting(checkout: Checkout, *arguments: str) -> CommandResult:
    return checkout(*arguments, MLRUNNER_TRUSTED="mine")


def differences(checkout: Checkout) -> list[str]:
    result = trusting(checkout, "reproduce", "original", "--check", "--json")
    assert result.code == 0, result.err
    sentences: list[str] = result.json["differences"]
    return sentences


def test_nothing_differs_and_it_is_reproduced_from_another_home(restored: Checkout, tmp_path: Path) -> None:
    """Another machine that shares the tracking store: its own folder, and today's configuration is gone."""
    (restored.work / "conf").rename(restored.work / "hidden")
    try:
        store = f"sqlite:///{restored.home}/.mlrunner/mlflow.db"
        result = Checkout(restored.project, tmp_path, restored.work)(
            *("reproduce", "original", "--strict", "--json", "--tolerance", "1e-9"),
            MLRUNNER_TRUSTED="mine",
            MLFLOW_TRACKING_URI=store,
        )
    finally:
        (restored.work / "hidden").rename(restored.work / "conf")
    assert result.code == 0, result.err
    assert result.json["differences"] == []
    assert result.json["reproduced"]
    assert result.json["tolerance"] == 1e-9
    assert all(metric["then"] == metric["now"] for metric in result.json["metrics"])


def test_a_changed_data_file_is_flagged_and_strictly_refused(restored: Checkout) -> None:
    with (restored.work / "table.csv").open("a") as file:
        file.write("1,1\n")
    (sentence,) = differences(restored)
    assert sentence.startswith("Data: content ")
    refused = trusting(restored, "reproduce", "original", "--strict")
    assert refused.code == 2
    assert "Data: content" in refused.err
    assert re.search(r"Run \w+ is not reproduced because of --strict; leave it out\.", refused.err)


def test_changed_strategy_code_is_flagged_and_other_numbers_are_not_reproduced(restored: Checkout) -> None:
    file = restored.work / "mine.py"
    file.write_text(file.read_text().replace("% 3", "% 4"))
    assert differences(restored) == ["Source files: changed mine."]
    result = trusting(restored, "reproduce", "original", "--json")
    assert result.code == 4, result.err
    assert result.json["reproduced"] is False
    worst = next(metric for metric in result.json["metrics"] if metric["name"] == "test/r2")
    assert worst["then"] != worst["now"]


def test_a_dirty_tree_is_flagged_with_the_file(restored: Checkout) -> None:
    file = restored.project / "mlrunner" / "groups" / "cleaning" / "dates.py"
    file.write_text(file.read_text() + "\n# edited\n")
    sentences = differences(restored)
    assert "Uncommitted changes: none then, mlrunner/groups/cleaning/dates.py now." in sentences
    assert any(sentence.startswith("Source files: changed mlrunner.groups.cleaning.dates") for sentence in sentences)


def test_another_package_version_is_flagged(restored: Checkout) -> None:
    file = restored.artifact("environment/requirements.txt")
    lines = [line if not line.startswith("pandas==") else "pandas==0.1" for line in file.read_text().splitlines()]
    file.write_text("\n".join(lines))
    (sentence,) = differences(restored)
    assert sentence.startswith("Packages: pandas 0.1 → ")
    assert sentence.endswith("--in-env creates the recorded environment.")


@pytest.mark.parametrize(
    ("name", "message"),
    [("table.csv", "dataset.path"), ("mine.py", "cannot import 'mine.Doubled'"), ("config.yaml", "has no config.yaml")],
)
def test_a_deleted_file_is_refused_in_sentences(restored: Checkout, name: str, message: str) -> None:
    file = restored.artifact(name) if name == "config.yaml" else restored.work / name
    file.unlink()
    result = trusting(restored, "reproduce", "original")
    assert result.code == 2
    assert message in result.err
    assert "Traceback" not in result.err


def test_a_foreign_composition_is_refused(restored: Checkout) -> None:
    result = restored("reproduce", "original")
    assert result.code == 2
    assert "cleaning._target_=mine.Doubled comes from the run" in result.err
    file = restored.artifact(".hydra/config.yaml")
    file.write_text(file.read_text().replace("mine.Doubled", "os.system"))
    result = trusting(restored, "reproduce", "original")
    assert result.code == 2
    assert "set MLRUNNER_TRUSTED=os" in result.err


def test_a_foreign_composition_names_no_folder_and_reads_no_variable(restored: Checkout) -> None:
    file = restored.artifact(".hydra/config.yaml")
    text = file.read_text()
    file.write_text(re.sub(r"(?m)^home:.*$", "home: /nonexistent/elsewhere", text))
    assert differences(restored) == []  # this machine's own home stands
    file.write_text(re.sub(r"(?m)^blueprint:.*$", "blueprint: ${oc.env:SECRET}", text))
    result = trusting(restored, "reproduce", "original", "--check")
    assert result.code == 2
    assert "blueprint reads the variable SECRET" in result.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["original", "model=rf"], "'model=rf' cannot be overridden in a reproduction"),
    ],
)
def test_what_cannot_be_reproduced_is_one_sentence(checkout: Checkout, arguments: list[str], message: str) -> None:
    result = trusting(checkout, "reproduce", *arguments)
    assert result.code == 2
    assert message in result.err


def test_trials_over_several_seeds_and_the_winner(mlrunner: Runner) -> None:
    result = mlrunner(
        "-m", "sweep=optuna", "dataset=breast_cancer", "model=rf,logistic_regression", "model.threshold=tuned",
        "model.estimator.n_estimators=range(5,20,5)", "hydra.sweeper.n_trials=3", "objective.metric=f1",
        "hydra.sweeper.repeats=2", "split=kfold", "split.folds=3", "output=json", *UNSAVED,
    )  # fmt: skip
    assert result.code == 0, result.err
    sweep = "/".join(Path(result.json["folder"]).parts[-2:])
    # "latest" is the trial's second seed, run by the reproduction of the first two.
    for name, parts in ((f"{sweep}/0", {"cv"}), ("latest", {"cv", "train", "test"}), (sweep, {"train", "test"})):
        again = mlrunner("reproduce", name, "--json")
        assert again.code == 0, (again.err, again.out)
        document: dict[str, Any] = again.json
        names = {metric["name"].partition("/")[0] for metric in document["metrics"] if "/" in metric["name"]}
        assert names - {"trivial"} == parts
        assert ("threshold" in {metric["name"] for metric in document["metrics"]}) == ("cv" in parts)
    best = read_outcome(Path(result.json["best_job_dir"]) / OUTCOME_FILE)
    assert result.json["winner"]["metrics"]["threshold"] == best.metrics["threshold"]

"""A home for commands whose advice is typed: a copy of the recorded one, with runs as others could have stored them."""

from __future__ import annotations

import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from mlflow import MlflowClient
from mlflow.entities import LoggedModel, Param, Run
from omegaconf import OmegaConf

from mlrunner.tracking.records.record import MODEL_TAG, RUN_NAME_TAG, TARGET_TAG, TASK_TAG
from tests.support.front_door import PROJECT, RUN_SECONDS, CommandResult, start_command
from tests.support.recorded import Recorded

# Runs like the recorded one of ridge, by name, and what their composition has instead.
CHANGED: dict[str, dict[str, Any]] = {
    "memory": {"model.estimator.memory": "/tmp/pickles"},
    "foreign": {"model.estimator._target_": "elsewhere.Model"},
    "variable": {"model.estimator.alpha": "${oc.env:ALPHA}"},
    "address": {"dataset.path": "http://127.0.0.1:9/orders.csv"},
    "secret": {"dataset.path": "s3://key:***@orders.csv"},
    "moved": {"dataset.path": "/gone/orders.csv"},
}


@dataclass(frozen=True)
class AdviceHome:
    """A home, and what stands for the names in braces of a command line.

    Args:
        path: Folder that holds `.mlrunner/`.
        names: Ids, folders and files by name.
    """

    path: Path
    names: dict[str, str]

    def type(self, line: str) -> CommandResult:
        """Run a command line of a shell: variables, then the words after `mlrunner`."""
        words = shlex.split(line.format(**self.names))
        count = next(place for place, word in enumerate(words) if not word.partition("=")[0].isupper())
        variables = dict(word.split("=", 1) for word in words[:count])
        home = Path(variables.pop("MLRUNNER_HOME", self.path))
        project = {"MLRUNNER_PROJECT": str(PROJECT), **variables}
        process = start_command(home, *words[count:], cwd=self.path / "work", **project)
        out, err = process.communicate(timeout=RUN_SECONDS)
        assert process.returncode is not None
        return CommandResult(process.returncode, out, err)


def make_advice_home(recorded: Recorded, folder: Path) -> AdviceHome:
    """Copy the recorded home, and add what the messages are about."""
    home, work = folder / "home", folder / "home" / "work"
    shutil.copytree(recorded.home, home)
    others = _make_other_homes(folder)
    for name in ("work", "work/folder", "work/project/conf", "work/team"):
        (home / name).mkdir(exist_ok=True, parents=True)
    (work / "project" / "conf" / "config.yaml").write_text("hydra:\n  searchpath: [file:///team]\n")
    (work / "orders.csv").write_text("a,b,y\n" + "".join(f"{n},{n % 7},{n * 2}\n" for n in range(60)))
    names = {
        "home": str(home),
        "table": str(PROJECT / "data" / "olist_synthetic.csv.gz"),
        "ridge": recorded.single["run_id"],
        "unsaved": recorded.folds["run_id"],
        "wine": recorded.classes["run_id"],
        "sweep": "/".join(Path(recorded.search["folder"]).parts[-2:]),
        "winner": recorded.search["winner"]["run_id"],
    }
    return AdviceHome(home, {**names, **others, **_add_runs(home, names)})


def _make_other_homes(folder: Path) -> dict[str, str]:
    newer, broken, empty = (folder / name for name in ("newer", "broken", "empty"))
    for each in (newer, broken, empty):
        (each / ".mlrunner").mkdir(parents=True)
    (newer / ".mlrunner" / "layout").write_text("99\n")
    (broken / ".mlrunner" / "mlflow.db").write_text("no database" * 100)
    return {"newer": str(newer), "broken": str(broken), "empty": str(empty)}


def _add_runs(home: Path, names: dict[str, str]) -> dict[str, str]:
    """Add runs to the copy, and return their ids by name."""
    client = MlflowClient(f"sqlite:///{home}/.mlrunner/mlflow.db")
    ridge, wine = client.get_run(names["ridge"]), client.get_run(names["wine"])
    _trust_another_type(home, client.get_logged_model(wine.data.tags[MODEL_TAG].removeprefix("models:/")))
    added = {name: _clone(client, home, ridge, name, changes) for name, changes in CHANGED.items()}
    twins = [_clone(client, home, ridge, "twin", {}) for _ in range(2)]
    option = _clone(client, home, ridge, "option", {})
    client.log_batch(option, params=[Param("gate", "../gate")])
    client.set_tag(option, MODEL_TAG, ridge.data.tags[MODEL_TAG])
    client.delete_experiment(client.create_experiment("gone"))
    client.create_registered_model("taken")
    tags = {TARGET_TAG: "fare", TASK_TAG: "regression"}
    client.create_model_version("taken", home.as_uri(), ridge.info.run_id, tags)
    client.set_registered_model_alias("taken", "champion", "1")
    far = client.create_experiment("far", "http://127.0.0.1:9/artifacts")
    added["far"] = client.create_run(far, tags=ridge.data.tags).info.run_id
    return {**added, "twin": twins[0], "option": option}


def _trust_another_type(home: Path, model: LoggedModel) -> None:
    """Let the description of a model say that it holds a type of another package."""
    (file,) = (home / ".mlrunner" / "artifacts").rglob(f"{model.model_id}/artifacts/MLmodel")
    description = yaml.safe_load(file.read_text())
    description["flavors"]["sklearn"]["skops_trusted_types"].append("elsewhere.Type")
    file.write_text(yaml.safe_dump(description))


def _artifacts(run: Run) -> str:
    return f".mlrunner/artifacts/{run.info.run_id}/artifacts"


def _clone(client: MlflowClient, home: Path, run: Run, name: str, changes: dict[str, Any]) -> str:
    """Add a run like another one but for values of its composition, without its model; return its id."""
    tags = {key: value for key, value in run.data.tags.items() if key != MODEL_TAG}
    clone = client.create_run(run.info.experiment_id, tags={**tags, RUN_NAME_TAG: name})
    params = [Param(key, value) for key, value in run.data.params.items() if key != "gate"]
    client.log_batch(clone.info.run_id, params=params)
    source, target = home / _artifacts(run), home / _artifacts(clone)
    shutil.copytree(source / ".hydra", target / ".hydra")
    for file in ("config.yaml", ".hydra/config.yaml"):
        config = OmegaConf.load(source / file)
        for key, value in changes.items():
            OmegaConf.update(config, key, value)
        OmegaConf.save(config, target / file)
    client.set_terminated(clone.info.run_id)
    return str(clone.info.run_id)

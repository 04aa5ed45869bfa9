"""A search that is killed goes on in another home, from a team's MLflow and PostgreSQL alone."""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
import psycopg
import pytest
from mlflow import MlflowClient
from optuna.storages import RDBStorage

from tests.support.front_door import CommandResult, front_door, start_command
from tests.support.postgresql import postgresql_server
from tests.support.web_servers import mlflow_server

pytestmark = [pytest.mark.slow, pytest.mark.services]
FILES = {
    "conf/config.yaml": "defaults:\n  - override stack: mlflow_server\n",
    "conf/sweep/shared.yaml": (
        "# @package _global_\ndefaults: [optuna]\nhydra:\n  sweeper:\n    storage: ${oc.env:OPTUNA_STORAGE}\n"
    ),
    "conf/model/slow.yaml": (
        "defaults: [custom, _self_]\nname: slow\nestimator:\n  _target_: team_models.Slow\n  alpha: 1.0\n"
    ),
    "team_models.py": (
        "import time\nfrom sklearn.linear_model import Ridge\n\n\nclass Slow(Ridge):\n    def fit(self, X, y):\n"
        "        time.sleep(0.5)\n        return super().fit(X, y)\n"
    ),
}
SEARCH = (
    "sweep=shared", "dataset=diabetes", "model=slow", "model.estimator.alpha=interval(0.01,10)", "output=json",
    "hydra.sweeper.n_trials=6", "hydra.sweeper.n_jobs=1", "tracking.log_model=false",
)  # fmt: skip


@dataclass
class Team:
    """Addresses of the servers, and a project folder for each machine."""

    folder: Path
    tracking: str
    storage: RDBStorage

    def run(self, machine: str, *words: str) -> CommandResult:
        home = self.make_home(machine)
        return front_door(home, *words, cwd=home, **self.variables(home))

    def variables(self, home: Path) -> dict[str, str]:
        servers = {"MLFLOW_TRACKING_URI": self.tracking, "OPTUNA_STORAGE": self.storage.url}
        return {**servers, "MLRUNNER_PROJECT": str(home), "PYTHONPATH": str(home)}

    def make_home(self, machine: str) -> Path:
        """Make a project with the files that the team shares, which is its home too."""
        home = self.folder / machine
        for name, text in FILES.items():
            (home / name).parent.mkdir(parents=True, exist_ok=True)
            (home / name).write_text(text)
        return home

    def list_trials(self, study: str) -> list[optuna.trial.FrozenTrial]:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        try:
            trials = optuna.load_study(study_name=study, storage=self.storage).get_trials()
        except KeyError:
            return []
        return [trial for trial in trials if "void" not in trial.user_attrs]


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    folder = tmp_path_factory.mktemp("team")
    with postgresql_server() as postgresql:
        with psycopg.connect(postgresql.address.replace("+psycopg", ""), autocommit=True) as connection:
            for name in ("mlflow", "optuna"):  # both have a table `alembic_version`
                connection.execute(f"CREATE DATABASE {name}".encode())
        server = postgresql.address.removesuffix("/postgres")
        with mlflow_server(folder / "server", database=f"{server}/mlflow") as tracking:
            storage = RDBStorage(f"{server}/optuna")
            yield Team(folder, tracking, storage)
            storage.engine.dispose()


def list_scores(trials: list[dict[str, Any]]) -> list[float]:
    return [trial["objective"] for trial in trials]


def list_metrics(winner: dict[str, Any]) -> dict[str, float]:
    return {name: value for name, value in winner["metrics"].items() if not name.endswith("_seconds")}


def test_a_search_that_was_killed_goes_on_on_another_machine(team: Team) -> None:
    expected = team.run("third", *SEARCH, "hydra.sweeper.study_name=whole")
    assert expected.code == 0, expected.err
    first = team.make_home("first")
    words = (*SEARCH, "hydra.sweeper.study_name=killed")
    with start_command(first, *words, cwd=first, **team.variables(first)) as process:
        while process.poll() is None and sum(t.state.is_finished() for t in team.list_trials("killed")) < 3:
            time.sleep(0.1)
        process.signal_all(signal.SIGKILL)
        process.communicate(timeout=60)
    assert 3 <= sum(trial.state.is_finished() for trial in team.list_trials("killed")) < 6
    shutil.rmtree(first)
    resumed = team.run("second", "resume", "killed")
    assert resumed.code == 0, resumed.err
    check_results(team, resumed.json, expected.json)


def check_results(team: Team, found: dict[str, Any], expected: dict[str, Any]) -> None:
    """Check a resumed search: each trial counts once, has a run, and scores as in one that was not killed."""
    assert len(team.list_trials("killed")) == 6
    assert list_scores(found["trials"]) == list_scores(expected["trials"])
    assert list_metrics(found["winner"]) == list_metrics(expected["winner"])
    assert found["best_overrides"] == expected["best_overrides"]
    folder = Path(found["folder"])
    assert folder.is_relative_to(team.folder / "second" / "multirun")
    assert Path(found["report"]).is_relative_to(folder)
    client = MlflowClient(team.tracking)
    runs = [client.get_run(trial["run_id"]) for trial in found["trials"]]
    assert {run.data.tags["mlflow.parentRunId"] for run in runs} == {found["parent_run_id"]}
    assert sorted(int(run.data.tags["mlrunner.trial_number"]) for run in runs) == sorted(
        trial["job"] for trial in found["trials"]
    )
    parent = client.get_run(found["parent_run_id"])
    assert (parent.info.status, parent.data.tags["mlrunner.study"]) == ("FINISHED", "killed")


def test_the_configuration_folder_and_its_name_are_those_of_the_project_here(team: Team) -> None:
    fast = "defaults: [custom, _self_]\nname: fast\nestimator:\n  _target_: sklearn.linear_model.Ridge\n  alpha: 1.0\n"
    primary = "defaults: [mlrunner, _self_]\nseed: 11\n"
    for machine in ("sixth", "seventh"):
        for name, text in {"team/model/fast.yaml": fast, "team/other.yaml": primary}.items():
            file = team.make_home(machine) / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
    words = [word.replace("model=slow", "model=fast") for word in SEARCH if "n_trials" not in word]
    flags, study = ("-cd", "team", "-cn", "other"), "hydra.sweeper.study_name=folder"
    begun = team.run("sixth", *flags, *words, study, "hydra.sweeper.n_trials=2", "tracking.plots=false")
    assert begun.code == 0, begun.err
    shutil.rmtree(team.folder / "sixth")
    absent = team.run("eighth", "resume", "folder", "hydra.sweeper.n_trials=3")
    assert (absent.code, absent.err.splitlines()[-1][:9]) == (2, "mlrunner:"), absent.err
    text = " ".join(absent.err.split())
    assert f"was started with -cd {team.folder}/sixth/team, which is not on this machine; copy the" in text
    assert f"folder to {team.folder}/eighth/team, or type the command of" in text
    resumed = team.run("seventh", "resume", "folder", "hydra.sweeper.n_trials=3")
    assert resumed.code == 0, resumed.err
    assert len(resumed.json["trials"]) == 3
    run = MlflowClient(team.tracking).get_run(resumed.json["winner"]["run_id"])
    assert (run.data.params["model.name"], run.data.params["seed"]) == ("fast", "11")


def test_a_study_in_a_file_of_the_other_machine_is_a_sentence(team: Team) -> None:
    words = [word for word in SEARCH if word != "hydra.sweeper.n_trials=6"]
    local = team.run("fourth", *words, "hydra.sweeper.n_trials=1", "hydra.sweeper.storage=null", "tracking.plots=false")
    assert local.code == 0, local.err
    sweep = "/".join(Path(local.json["folder"]).parts[-2:])
    shutil.rmtree(team.folder / "fourth")
    refused = team.run("fifth", "resume", sweep, "hydra.sweeper.storage=null")
    assert refused.code == 2, refused.err
    assert refused.err.splitlines()[-1].startswith(
        f"mlrunner: The study of {sweep} cannot be read here: it is in a file"
    )

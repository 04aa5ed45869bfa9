"""Every verb that reads, on the real tables and from Python; what it says beside what MLflow's own client says."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from tests.support.front_door import PROJECT, RUN_SECONDS, SHARED, UNSAVED, environment, front_door

pytestmark = pytest.mark.slow
TABLES = {
    "olist_customers_dataset": ["dataset.rows=1500"],
    "california_housing": ["dataset=csv", "dataset.target=median_house_value", "dataset.rows=1500"],
}
TWO = """
import json, sys
from pathlib import Path
import mlrunner

home, overrides = Path(sys.argv[1]), json.loads(sys.argv[2])
ridge = mlrunner.run(["model=ridge", *overrides], home=home)
forest = mlrunner.run(["model=rf", "model.estimator.n_estimators=10", *overrides], home=home)
difference = mlrunner.diff(ridge.run_id, forest.run_id)
listed = mlrunner.runs("params.model = 'rf'", ["metrics.r2 DESC"])
grid = mlrunner.sweep(["model=ridge,dummy", *overrides])
try:
    mlrunner.run(["model=rff", *overrides])
except mlrunner.core.errors.MlrunnerError as error:
    refused = str(error)
(home / "two.json").write_text(json.dumps({
    "ids": [ridge.run_id, forest.run_id],
    "frame": forest.frame.to_dict(),
    "change": difference.lines[0].change,
    "html": [ridge._repr_html_(), difference._repr_html_(), grid._repr_html_()],
    "listed": listed[["run_id", "metrics.test/r2"]].values.tolist(),
    "grid": grid.frame[["name", "run_id", "objective"]].values.tolist(),
    "sweep": grid.id,
    "refused": refused,
}))
"""


@dataclass(frozen=True)
class Made:
    """A home with two runs and a grid on a table, made from Python; and what Python said of them."""

    home: Path
    said: dict[str, Any]

    def run(self, place: int) -> Any:
        return self.client.get_run(self.said["ids"][place])

    @property
    def client(self) -> MlflowClient:
        return MlflowClient(f"sqlite:///{self.home}/.mlrunner/mlflow.db")

    def json(self, *arguments: str, code: int = 0) -> Any:
        done = front_door(self.home, *arguments, "--json")
        assert done.code == code, done.err
        return json.loads(done.out)


@pytest.fixture(scope="module", params=TABLES)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    table = SHARED / f"{request.param}.csv"
    if not table.exists():
        pytest.skip(f"{table} is not there")
    home = tmp_path_factory.mktemp("verbs")
    overrides = [*TABLES[request.param], f"dataset.path={table}", "output=json", *UNSAVED]
    command = [sys.executable, "-c", TWO, str(home), json.dumps(overrides)]
    done = subprocess.run(
        command, env=environment(home), cwd=PROJECT, capture_output=True, text=True, timeout=RUN_SECONDS
    )
    assert done.returncode == 0, done.stderr
    return Made(home, json.loads((home / "two.json").read_text()))


def test_python_returns_the_values_of_mlflow(made: Made) -> None:
    ridge, forest = (made.run(place).data.metrics for place in (0, 1))
    assert made.said["frame"]["test"]["r2"] == forest["test/r2"]
    assert made.said["listed"] == [[made.said["ids"][1], forest["test/r2"]]]
    assert made.said["change"] == ["model=rf", "model.estimator.n_estimators=10"]
    assert [row[2] for row in made.said["grid"]] == [
        made.client.get_run(row[1]).data.metrics["r2"] for row in made.said["grid"]
    ]
    assert ridge["r2"] in [row[2] for row in made.said["grid"]]
    assert all("<table" in page for page in made.said["html"])
    assert made.said["refused"].endswith("Did you mean 'rf'?")


def test_runs_and_sweeps_are_those_of_mlflow(made: Made) -> None:
    found = {one["run_id"]: one for one in made.json("runs", "--where", "metrics.r2 < 2", "--limit", "0")}
    experiment = made.run(0).info.experiment_id
    wanted = made.client.search_runs([experiment], "metrics.r2 < 2 and tags.`mlrunner.config_hash` LIKE '%'")
    assert set(found) == {run.info.run_id for run in wanted}
    for run in wanted:
        assert found[run.info.run_id]["metrics"] == run.data.metrics
    (sweep,) = made.json("sweeps")
    assert sweep["run_id"] in {run.info.run_id for run in made.client.search_runs([experiment])}


def test_the_difference_is_that_of_the_metrics_in_mlflow(made: Made) -> None:
    found = made.json("diff", *made.said["ids"])
    ridge, forest = (made.run(place).data.metrics for place in (0, 1))
    differences = {score["name"]: score["differences"][0] for score in found["scores"]}
    assert differences["test/r2"] == forest["test/r2"] - ridge["test/r2"]
    assert found["lines"][0]["exact"]


def test_a_run_is_reproduced_to_the_last_digit(made: Made) -> None:
    found = made.json("reproduce", made.said["ids"][1], "--strict")
    assert found["reproduced"]
    then, now = (made.client.get_run(found[key]).data.metrics for key in ("run_id", "new_run_id"))
    assert {one["name"]: one["then"] for one in found["metrics"]} == {
        name: value for name, value in then.items() if "/" in name
    }
    assert all(now[one["name"]] == one["now"] == one["then"] for one in found["metrics"])


def test_the_report_is_logged_to_mlflow(made: Made) -> None:
    found = made.json("report", made.said["sweep"], "-o", str(made.home / "report.html"))
    page = (made.home / "report.html").read_text()
    assert made.said["grid"][0][1][:8] in page
    kept = [one.path for one in made.client.list_artifacts(found["run_id"])]
    assert "report.html" in kept


def test_a_dry_run_of_prune_ranks_as_mlflow_does(made: Made) -> None:
    found = made.json("prune", "--worse-than", "1")
    metrics = {run.info.run_id: run.data.metrics for run in made.client.search_runs([made.run(0).info.experiment_id])}
    ranked = sorted(
        (run_id for run_id, one in metrics.items() if "test/r2" in one), key=lambda one: -metrics[one]["test/r2"]
    )
    assert ranked[0] not in json.dumps(found["runs"])
    assert ranked[-1] in json.dumps(found["runs"])

"""Every verb that reads, on a real table and from Python; its output equals the values of MLflow's own client."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from tests.support.front_door import SHARED, UNSAVED, front_door, run_program

pytestmark = pytest.mark.slow
TABLES = {
    "olist_customers_dataset": ["dataset.rows=1500"],
}
TWO = """
import json, sys
from pathlib import Path
import mlrunner

home, overrides = Path(sys.argv[1]), json.loads(sys.argv[2])
ridge = mlrunner.run(["model=ridge", *overrides], home=home)
forest = mlrunner.run(["model=rf", "model.estimator.n_estimators=10", *overrides], home=home)
difference = mlrunner.diff(ridge.run_id, forest.run_id)
table = mlrunner.runs("params.model = 'rf'", ["metrics.r2 DESC"])
grid = mlrunner.sweep(["model=ridge,dummy", *overrides])
try:
    mlrunner.run(["model=rff", *overrides])
except mlrunner.core.errors.MlrunnerError as error:
    refused = str(error)
(home / "two.json").write_text(json.dumps({
    "ids": [ridge.run_id, forest.run_id],
    "frame": forest.frame.to_dict(),
    "change": difference.overrides[0].change,
    "html": [ridge._repr_html_(), difference._repr_html_(), grid._repr_html_()],
    "listed": table[["run_id", "metrics.test/r2"]].values.tolist(),
    "grid": grid.frame[["name", "run_id", "objective"]].values.tolist(),
    "sweep": grid.id,
    "refused": refused,
}))
"""


@dataclass(frozen=True)
class Example:
    """A home with two runs and a grid on a table, made from Python; and the values that Python returned."""

    home: Path
    values: dict[str, Any]

    def run(self, place: int) -> Any:
        return self.client.get_run(self.values["ids"][place])

    @property
    def client(self) -> MlflowClient:
        return MlflowClient(f"sqlite:///{self.home}/.mlrunner/mlflow.db")

    def json(self, *arguments: str, code: int = 0) -> Any:
        result = front_door(self.home, *arguments, "--json")
        assert result.code == code, result.err
        return json.loads(result.out)


@pytest.fixture(scope="module", params=TABLES)
def example(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Example:
    table = SHARED / f"{request.param}.csv"
    if not table.exists():
        pytest.skip(f"{table} is not there")
    home = tmp_path_factory.mktemp("verbs")
    overrides = [*TABLES[request.param], f"dataset.path={table}", "output=json", *UNSAVED]
    result = run_program(home, TWO, str(home), json.dumps(overrides))
    assert result.code == 0, result.err
    return Example(home, json.loads((home / "two.json").read_text()))


def test_python_returns_the_values_of_mlflow(example: Example) -> None:
    ridge, forest = (example.run(place).data.metrics for place in (0, 1))
    assert example.values["frame"]["test"]["r2"] == forest["test/r2"]
    assert example.values["listed"] == [[example.values["ids"][1], forest["test/r2"]]]
    assert example.values["change"] == ["model=rf", "model.estimator.n_estimators=10"]
    assert [row[2] for row in example.values["grid"]] == [
        example.client.get_run(row[1]).data.metrics["r2"] for row in example.values["grid"]
    ]
    assert ridge["r2"] in [row[2] for row in example.values["grid"]]
    assert all("<table" in page for page in example.values["html"])
    assert example.values["refused"].endswith("Did you mean 'rf'?")


def test_runs_and_sweeps_are_those_of_mlflow(example: Example) -> None:
    printed = {run["run_id"]: run for run in example.json("runs", "--where", "metrics.r2 < 2", "--limit", "0")}
    experiment = example.run(0).info.experiment_id
    runs = example.client.search_runs([experiment], "metrics.r2 < 2 and tags.`mlrunner.config_hash` LIKE '%'")
    assert set(printed) == {run.info.run_id for run in runs}
    for run in runs:
        assert printed[run.info.run_id]["metrics"] == run.data.metrics
    (sweep,) = example.json("sweeps")
    assert sweep["run_id"] in {run.info.run_id for run in example.client.search_runs([experiment])}


def test_the_difference_is_that_of_the_metrics_in_mlflow(example: Example) -> None:
    document = example.json("diff", *example.values["ids"])
    ridge, forest = (example.run(place).data.metrics for place in (0, 1))
    differences = {score["name"]: score["differences"][0] for score in document["scores"]}
    assert differences["test/r2"] == forest["test/r2"] - ridge["test/r2"]
    assert document["lines"][0]["exact"]


def test_a_run_is_reproduced_to_the_last_digit(example: Example) -> None:
    document = example.json("reproduce", example.values["ids"][1], "--strict")
    assert document["reproduced"]
    then, now = (example.client.get_run(document[key]).data.metrics for key in ("run_id", "new_run_id"))
    assert {metric["name"]: metric["then"] for metric in document["metrics"]} == {
        name: value for name, value in then.items() if "/" in name
    }
    assert all(now[metric["name"]] == metric["now"] == metric["then"] for metric in document["metrics"])


def test_the_report_is_logged_to_mlflow(example: Example) -> None:
    document = example.json("report", example.values["sweep"], "-o", str(example.home / "report.html"))
    page = (example.home / "report.html").read_text()
    assert example.values["grid"][0][1][:8] in page
    files = [file.path for file in example.client.list_artifacts(document["run_id"])]
    assert "report.html" in files


def test_a_dry_run_of_prune_ranks_as_mlflow_does(example: Example) -> None:
    document = example.json("prune", "--worse-than", "1")
    metrics = {
        run.info.run_id: run.data.metrics for run in example.client.search_runs([example.run(0).info.experiment_id])
    }
    ranked = sorted(
        (run_id for run_id, scores in metrics.items() if "test/r2" in scores),
        key=lambda run_id: -metrics[run_id]["test/r2"],
    )
    assert ranked[0] not in json.dumps(document["runs"])
    assert ranked[-1] in json.dumps(document["runs"])

"""Batch prediction through the front door: through the service of a deployment, its release files and its model."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest

from mlrunner.core.loopback import free_port
from tests.support.front_door import PROJECT, UNSAVED, CommandResult, front_door, run_program

pytestmark = pytest.mark.slow
OLIST = PROJECT / "data" / "olist_synthetic.csv.gz"
ROWS = 3000
MOMENTS = ("order_purchase_timestamp", "order_approved_at", "shipping_limit_date")
ZENML = """
import json, sys
from zenml.client import Client
from zenml.utils import source_utils
source_utils.set_custom_source_root(".")
run = Client().get_pipeline_run(sys.argv[1])
step = run.steps["predict"]
print(json.dumps([run.pipeline.name, str(run.status), list(run.steps), step.outputs["summary"][0].load()]))
"""


@dataclass
class Deployed:
    """A deployment of the embedded data, texts and all, and a folder of tables."""

    home: Path
    folder: Path

    def predict(self, *arguments: str, **more: str) -> CommandResult:
        """Type `mlrunner predict`."""
        return front_door(self.home, "predict", *arguments, cwd=self.folder, **more)

    def predict_json(self, *arguments: str) -> Any:
        """Predict, and read the summary."""
        result = self.predict(*arguments, "--json")
        assert result.code == 0, result.err
        return result.json

    @cached_property
    def raw(self) -> pd.DataFrame:
        """The table as pandas reads it."""
        return pd.read_csv(self.folder / "orders.csv")

    @cached_property
    def expected(self) -> np.ndarray[Any, Any]:
        """What MLflow's own copy of the model predicts for it."""
        facts = json.loads((self.state_file.parent / "releases" / "1" / "release.json").read_text())["facts"]
        mlflow.set_tracking_uri(f"sqlite:///{self.home}/.mlrunner/mlflow.db")
        model = mlflow.sklearn.load_model(facts["model_uri"])
        return np.asarray(model.predict(self.raw), dtype=np.float64)

    @property
    def state_file(self) -> Path:
        """What the deployment is."""
        return self.home / ".mlrunner" / "deployments" / "olist" / "state.json"


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    home, folder = tmp_path_factory.mktemp("served"), tmp_path_factory.mktemp("tables")
    pd.read_csv(OLIST, dtype=str, nrows=ROWS).to_csv(folder / "orders.csv", index=False)
    chosen = ("model=xgboost", "model.features.low_cardinality=4", f"dataset.rows={ROWS}", "gate=none", UNSAVED[1])
    try:
        result = front_door(home, *chosen, "deployer=local", f"deployer.port={free_port()}")
        assert result.code == 0, result.err
        yield Deployed(home, folder)
    finally:
        front_door(home, "stop", "olist")


@pytest.fixture(scope="module")
def online(deployed: Deployed) -> Any:
    """The whole table through the service."""
    return deployed.predict_json("orders.csv", "--keep", "order_id,price", "--rows-per-chunk", "700")


def test_the_service_predicts_what_the_model_does(online: Any, deployed: Deployed) -> None:
    assert (online["rows"], online["predicted"], online["rejected"], online["version"]) == (ROWS, ROWS, 0, 1)
    assert online["through"].startswith("http://127.0.0.1:")
    assert Path(online["output"]) == deployed.folder / "orders.predictions.parquet"
    predictions = pd.read_parquet(online["output"])
    assert list(predictions) == ["row", "order_id", "price", "prediction", "model", "version"]
    assert predictions["row"].tolist() == list(range(ROWS))
    assert predictions["order_id"].tolist() == deployed.raw["order_id"].tolist()
    assert predictions["prediction"].to_numpy().tolist() == deployed.expected.tolist()


def test_the_release_predicts_the_same_file(online: Any, deployed: Deployed) -> None:
    options = ("--keep", "order_id,price", "--rows-per-chunk", "700", "--offline", "-o", "offline.parquet")
    offline = deployed.predict_json("orders.csv", *options)
    assert offline["through"] == "release"
    assert Path(offline["output"]).read_bytes() == Path(online["output"]).read_bytes()


def test_zenml_knows_the_prediction(online: Any, deployed: Deployed) -> None:
    variables = {"ZENML_CONFIG_PATH": str(deployed.home / ".mlrunner" / "zenml")}
    result = run_program(deployed.home, ZENML, online["pipeline_run"], **variables)
    assert result.code == 0, result.err
    summary = json.loads(result.out.splitlines()[-1])
    assert summary[:3] == ["inference", "completed", ["predict"]]
    assert summary[3] == {name: value for name, value in online.items() if name != "pipeline_run"}


def test_rows_that_do_not_fit_are_put_aside(deployed: Deployed) -> None:
    rows = pd.read_csv(deployed.folder / "orders.csv", dtype=str).head(400)
    rows.loc[3, "price"] = "cheap"
    rows.loc[[5, 399], "payment_type"] = "shells"
    rows.loc[5, "freight_value"] = "1e999"
    rows.drop(columns="review_score").to_csv(deployed.folder / "faulty.csv", index=False)
    result = deployed.predict("faulty.csv", "-o", "faulty.out.csv", "--rows-per-chunk", "150")
    assert result.code == 0, result.err
    assert "400: 397 predicted, 3 rejected" in result.out
    assert "reason 1  Column 'price' holds numbers, but has 'cheap'." in result.out
    aside = pd.read_csv(deployed.folder / "faulty.out.csv.rejected.csv")
    assert aside["row"].tolist() == [3, 5, 399]
    assert aside["reason"].iloc[1].startswith("Column 'payment_type' has 'shells', which training did not see; it saw ")
    assert aside["reason"].iloc[1].endswith(" Column 'freight_value' holds numbers, but has one beyond 1.8e308.")
    predictions = pd.read_csv(deployed.folder / "faulty.out.csv")
    assert predictions["prediction"].tolist() == np.delete(deployed.expected[:400], [3, 5, 399]).tolist()


def test_the_exit_code_is_1_when_every_row_is_rejected(deployed: Deployed) -> None:
    rows = pd.read_csv(deployed.folder / "orders.csv", dtype=str).head(2).assign(price="cheap")
    rows.to_csv(deployed.folder / "unusable.csv", index=False)
    result = deployed.predict("unusable.csv", "-o", "unusable.out.csv", "--json")
    assert result.code == 1, result.err
    assert (result.json["predicted"], result.json["rejected"]) == (0, 2)


WRONG = {
    "columns": (["short.csv"], "The table lacks the columns"),
    "deployment": (
        ["orders.csv", "--name", "olst"],
        "There is no deployment 'olst'; available: olist. Did you mean 'olist'?",
    ),
    "there": (["orders.csv", "-o", "there.csv"], "there.csv exists; overwrite it with --force"),
    "override": (["orders.csv", "model=rf"], "'model=rf' cannot be overridden for a prediction"),
}


def test_what_is_wrong_is_one_sentence(deployed: Deployed) -> None:
    (deployed.folder / "short.csv").write_text("price\n1\n")
    (deployed.folder / "there.csv").write_text("before")
    before = sorted(deployed.folder.iterdir())
    for arguments, message in WRONG.values():
        result = deployed.predict(*arguments)
        assert (result.code, result.out, message in result.err, result.err.count("\n")) == (2, "", True, 1), result.err
    assert sorted(deployed.folder.iterdir()) == before
    assert (deployed.folder / "there.csv").read_text() == "before"


def test_a_server_that_dies_costs_no_row_of_a_glob_of_parquet(deployed: Deployed) -> None:
    dated = deployed.raw.assign(**{name: pd.to_datetime(deployed.raw[name]) for name in MOMENTS})
    dated.iloc[:1000].to_parquet(deployed.folder / "part-1.parquet")
    dated.iloc[1000:].to_parquet(deployed.folder / "part-2.parquet")
    os.kill(json.loads(deployed.state_file.read_text())["active"]["pid"], signal.SIGKILL)
    summary = deployed.predict_json("part-*.parquet", "-o", "parts.csv")
    assert summary["through"].startswith("http://")
    assert pd.read_csv(summary["output"])["prediction"].tolist() == deployed.expected.tolist()


def test_a_stopped_deployment_predicts_offline_only(deployed: Deployed) -> None:
    with sqlite3.connect(deployed.folder / "shop.db") as connection:
        deployed.raw.to_sql("orders", connection, index=False)
    connection.close()
    assert front_door(deployed.home, "stop", "olist").code == 0
    query = "dataset.query='select * from orders order by rowid'"
    arguments = ("dataset=sql", "dataset.url=sqlite:///shop.db", query, "--keep", "order_id,product_weight_g")
    result = deployed.predict(*arguments)
    assert result.code == 2
    assert "Deployment olist is stopped; predict with --offline, or mlrunner deploy --restart olist." in result.err
    summary = deployed.predict_json(*arguments, "--version", "1")
    assert summary["through"] == "release"
    assert Path(summary["output"]) == deployed.folder / "sql.predictions.parquet"
    table = pd.read_parquet(summary["output"])
    assert table["prediction"].tolist() == deployed.expected.tolist()
    assert table["product_weight_g"].equals(deployed.raw["product_weight_g"])

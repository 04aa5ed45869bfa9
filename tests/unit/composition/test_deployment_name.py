"""The default name of a deployment."""

from __future__ import annotations

from typing import Any

import pytest

from mlrunner.composition.deployment_name import derive_deployment_name
from mlrunner.composition.resolve import resolve_group

CSV, SQL = {"name": "csv", "format": "csv"}, {"name": "sql", "url": "sqlite:///a.db"}


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("trips.csv", "trips"),
        ("data/trips.csv.gz", "trips"),
        ("data/2020.01.trips.csv", "2020.01.trips"),
        ("/data/TITANIC.CSV.ZST", "TITANIC"),
        ("data/taxi rides (May).csv", "taxi-rides-May"),
        ("größe.csv", "groe"),
        ("trips_*.csv", "trips"),
        ("trips/*.csv", "trips"),
        ("trips/year=*/part-0.csv", "part-0"),
        ("trips/year=2020/*.csv", "trips"),
        ("https://user:secret@host/a/flights.csv?token=x.y", "flights"),
        ("s3://bucket/tables/tips.csv", "tips"),
        ("日本.csv", "csv"),
        (f"{'x' * 70}.csv", "x" * 60),
        (None, "csv"),
    ],
)
def test_a_file_gives_its_name(path: str | None, name: str) -> None:
    assert derive_deployment_name({**CSV, "path": path}) == name


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("select * from orders order by id", "orders"),
        ('SELECT a FROM public."Order Lines"', "Order"),
        ('select a from public."orders" join b on 1', "orders"),
        ("select * from (select * from [trips])", "trips"),
        ("select 1", "sql"),
        (None, "sql"),
    ],
)
def test_a_query_gives_its_first_table(query: str | None, name: str) -> None:
    assert derive_deployment_name({**SQL, "query": query}) == name


@pytest.mark.parametrize(
    "dataset",
    [
        {"name": "olist", "format": None, "path": "/x/olist_customers_dataset.csv"},
        {"name": "mine", "format": "csv", "path": "trips.csv"},
        {"name": "mine", "query": "select * from orders"},
        {"name": "wine", "loader": "sklearn.datasets.load_wine"},
    ],
)
def test_a_name_that_is_not_that_of_a_format_is_kept(dataset: dict[str, Any]) -> None:
    assert derive_deployment_name(dataset) == dataset["name"]


@pytest.mark.parametrize("deployer", ["local", "docker", "kubernetes", "registry"])
def test_every_deployer_has_it(deployer: str, compose: Any) -> None:
    overrides = ["dataset=csv", "dataset.path=data/trips.csv.gz", f"deployer={deployer}"]
    assert resolve_group(compose(overrides), "deployer")["name"] == "trips"
    assert resolve_group(compose([f"deployer={deployer}"]), "deployer")["name"] == "olist"
    assert resolve_group(compose([*overrides, "deployer.name=mine"]), "deployer")["name"] == "mine"

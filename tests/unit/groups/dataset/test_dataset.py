"""Options of conf/dataset, their settings and their fingerprints."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pydantic import ValidationError

from mlrunner.core.column_roles import Roles, infer_task
from mlrunner.core.errors import ConfigError, DataError, ProblemsError
from mlrunner.groups.dataset import Dataset, SqlDataset, validation
from mlrunner.groups.dataset.validation import table_problems, target_problems
from tests.support.datasets import TABLE, build_option, file_dataset, to_parquet
from tests.support.front_door import PROJECT

OPTIONS = sorted(file.stem for file in (PROJECT / "conf" / "dataset").glob("*.yaml"))
REAL = PROJECT.parent / "shared" / "data"


SETTINGS = {
    "csv": {"path": str(PROJECT / "data" / "olist_synthetic.csv.gz"), "target": "price", "rows": 50},
    "parquet": {"target": "y"},
    "sql": {"query": "select * from orders order by id", "target": "price"},
}


SHAPES = {
    "olist": (20_000, 33, "regression"),
    "diabetes": (442, 11, "regression"),
    "breast_cancer": (569, 31, "classification"),
    "wine": (178, 14, "classification"),
    "digits": (1797, 65, "classification"),
    "csv": (50, 33, "regression"),
    "parquet": (2, 3, "regression"),
    "sql": (6, 3, "regression"),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_each_option_loads_a_sound_table(name: str, tmp_path: Path, database: str) -> None:
    (tmp_path / "t.parquet").write_bytes(to_parquet(TABLE))
    places = {"parquet": {"path": str(tmp_path / "t.parquet")}, "sql": {"url": database}}
    built = build_option(name, **{**SETTINGS.get(name, {}), **places.get(name, {})})
    table = built.load()
    task = built.task or infer_task(table[built.roles.target])
    assert (*table.shape, task) == SHAPES[name]
    assert table.index.equals(pd.RangeIndex(len(table)))
    assert target_problems(table, built.roles, task) == []
    assert table_problems(table, built.roles) == []
    assert built.fingerprint() == build_option(name, **{**SETTINGS.get(name, {}), **places.get(name, {})}).fingerprint()
    assert len(built.fingerprint()) == 64


UNSET = {
    "csv": [validation.UNSET_PATH, validation.UNSET_TARGET],
    "parquet": [validation.UNSET_PATH, validation.UNSET_TARGET],
    "sql": [validation.UNSET_URL, validation.UNSET_QUERY, validation.UNSET_TARGET],
}


@pytest.mark.parametrize("name", UNSET)
@pytest.mark.parametrize("verb", ["load", "fingerprint"])
def test_an_option_without_its_settings_names_them_all(name: str, verb: str) -> None:
    with pytest.raises(ProblemsError) as caught:
        getattr(build_option(name), verb)()
    assert caught.value.problems == UNSET[name]


def test_no_target_has_no_roles() -> None:
    with pytest.raises(ConfigError, match=r"^dataset.target is not set; name the column to predict, e.g. "):
        _ = build_option("csv").roles
    with pytest.raises(ConfigError, match=r"^dataset.path is not set; name a file, a glob or a URL, e.g. "):
        build_option("csv", target="y").load()


def test_roles_come_from_the_option() -> None:
    roles = build_option("olist").roles
    assert (roles.target, roles.group, roles.time) == ("review_score", "order_id", "order_purchase_timestamp")
    assert "customer_id" in roles.ignore
    assert Roles("y") == Roles(target="y", ignore=(), group=None, time=None)


@pytest.mark.parametrize(
    ("built", "label"),
    [
        pytest.param(lambda: build_option("olist"), "olist (synthetic)", id="embedded"),
        pytest.param(lambda: build_option("olist", path="/x/orders.csv"), "olist (orders.csv)", id="real file"),
        pytest.param(
            lambda: build_option("olist", path="/x/orders.csv", note="2018"), "olist (orders.csv, 2018)", id="note"
        ),
        pytest.param(lambda: build_option("csv", path="https://u:p@h/a.csv?key=s"), "csv (a.csv)", id="url"),
        pytest.param(lambda: build_option("csv"), "csv", id="no path"),
        pytest.param(lambda: build_option("wine"), "wine", id="bundled"),
    ],
)
def test_label_has_remarks(built: Callable[[], Dataset], label: str) -> None:
    assert built().label == label


@pytest.mark.parametrize(("settings", "wrong"), [({"rows": 0}, "rows"), ({"task": "x"}, "task"), ({"typo": 1}, "typo")])
def test_wrong_settings_are_refused(settings: dict[str, Any], wrong: str) -> None:
    with pytest.raises(ValidationError) as caught:
        file_dataset("t.csv", **settings)
    assert caught.value.errors()[0]["loc"] == (wrong,)


def test_password_is_never_shown() -> None:
    built = SqlDataset(name="s", target="y", url="nosuch://me:secret@host/db", query="select 1")
    with pytest.raises(DataError) as caught:
        built.load()
    assert "secret" not in repr(built) + built.label + str(caught.value)


def test_rows_are_the_first(database: str) -> None:
    assert len(build_option("olist", rows=7).load()) == 7
    built = build_option("sql", url=database, query="select * from orders order by id desc", target="price", rows=2)
    assert built.load()["id"].tolist() == [6, 5]
    assert len(build_option("wine", rows=3).load()) == 3


def test_the_fingerprint_of_a_query_sees_what_it_returns(database: str) -> None:
    def digest(query: str) -> str:
        return SqlDataset(name="s", target="price", url=database, query=query).fingerprint()

    rows = digest("select id, price from orders order by id")
    assert rows == digest("select * from (select id, price from orders) order by id")
    others = ["select id, price from orders order by id desc", "select id, price as p from orders order by id"]
    assert rows not in {digest(query) for query in others}


@pytest.mark.parametrize(
    ("file", "settings", "shape"),
    [
        ("olist_customers_dataset.csv", {"target": "review_score", "group": "order_id"}, (9347, 33)),
        ("california_housing.csv", {"target": "median_house_value"}, (20640, 10)),
    ],
)
def test_the_real_tables_are_read(
    file: str, settings: dict[str, Any], shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    if not (REAL / file).exists():
        pytest.skip(f"{REAL / file} is not there")
    monkeypatch.chdir(PROJECT)
    built = file_dataset(f"../shared/data/{file}", **settings)
    table = built.load()
    assert table.shape == shape
    assert table_problems(table, built.roles) == target_problems(table, built.roles, "regression") == []


def test_olist_reads_the_real_file_with_the_same_roles() -> None:
    if not (REAL / "olist_customers_dataset.csv").exists():
        pytest.skip(f"{REAL} is not there")
    real = build_option("olist", path=str(REAL / "olist_customers_dataset.csv"))
    assert list(real.load()) == list(build_option("olist", rows=5).load())
    assert table_problems(real.load(), real.roles) == []

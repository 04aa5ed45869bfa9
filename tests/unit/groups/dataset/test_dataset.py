"""Each option of conf/dataset, each kind of file, and each bad input with its exact message."""

from __future__ import annotations

import bz2
import gzip
import importlib.util
import lzma
import os
import sqlite3
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from omegaconf import OmegaConf
from pydantic import ValidationError

from mlrunner.core.column_roles import Roles, infer_task
from mlrunner.core.errors import ConfigError, DataError, MlrunnerError, ProblemsError
from mlrunner.groups import dataset as datasets
from mlrunner.groups.dataset import BundledDataset, Dataset, SqlDataset, TableDataset
from mlrunner.groups.dataset.validation import table_problems, target_problems
from tests.support.front_door import PROJECT

OPTIONS = sorted(file.stem for file in (PROJECT / "conf" / "dataset").glob("*.yaml"))
REAL = PROJECT.parent / "shared" / "data"
PLAIN = b"a,b,y\n1,x,0.5\n2,z,1.5\n"
TABLE = pd.DataFrame({"a": [1, 2], "b": ["x", "z"], "y": [0.5, 1.5]})


def option(name: str, **changes: Any) -> Dataset:
    """Build an option as the runner does, without Hydra."""
    raw = OmegaConf.load(PROJECT / "conf" / "dataset" / f"{name}.yaml")
    root = OmegaConf.create({"project": str(PROJECT), "seed": 0, "dataset": raw})
    group: Any = OmegaConf.to_container(root.dataset, resolve=True)
    cls = getattr(datasets, group.pop("_target_").rpartition(".")[2])
    built: Dataset = cls(**{**group, **changes})
    return built


def table_at(path: Path | str, **settings: Any) -> TableDataset:
    return TableDataset(name="t", **{"target": "y", "path": str(path), **settings})


def parquet(table: pd.DataFrame, **settings: Any) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pandas(table, **settings), sink)
    return bytes(sink.getvalue())


def zst(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return bytes(sink.getvalue())


def zipped(data: bytes, tmp_path: Path) -> bytes:
    with zipfile.ZipFile(tmp_path / "made.zip", "w") as archive:
        archive.writestr("t.csv", data)
    return (tmp_path / "made.zip").read_bytes()


@pytest.fixture
def database(tmp_path: Path) -> str:
    file = tmp_path / "shop.db"
    with sqlite3.connect(file) as connection:
        connection.execute("create table orders (id integer, price real, paid text)")
        connection.executemany("insert into orders values (?, ?, ?)", [(n, n / 4, "12:30") for n in range(1, 7)])
    connection.close()
    return f"sqlite:///{file}"


@pytest.fixture
def nobody() -> Iterator[None]:
    """Lose the rights of root, who may read everything."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    yield
    os.seteuid(0)


# The options

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
    (tmp_path / "t.parquet").write_bytes(parquet(TABLE))
    places = {"parquet": {"path": str(tmp_path / "t.parquet")}, "sql": {"url": database}}
    built = option(name, **{**SETTINGS.get(name, {}), **places.get(name, {})})
    table = built.load()
    task = built.task or infer_task(table[built.roles.target])
    assert (*table.shape, task) == SHAPES[name]
    assert table.index.equals(pd.RangeIndex(len(table)))
    assert target_problems(table, built.roles, task) == []
    assert table_problems(table, built.roles) == []
    assert built.fingerprint() == option(name, **{**SETTINGS.get(name, {}), **places.get(name, {})}).fingerprint()
    assert len(built.fingerprint()) == 64


@pytest.mark.parametrize("name", OPTIONS)
def test_each_key_of_each_option_has_a_comment(name: str) -> None:
    above, *lines = (PROJECT / "conf" / "dataset" / f"{name}.yaml").read_text().splitlines()
    assert above.startswith("# ")
    bare = [line for line in lines if "#" not in line and not line.startswith("_target_")]
    assert bare == []


UNSET = {
    "csv": [datasets.UNSET_PATH, datasets.UNSET_TARGET],
    "parquet": [datasets.UNSET_PATH, datasets.UNSET_TARGET],
    "sql": [datasets.UNSET_URL, datasets.UNSET_QUERY, datasets.UNSET_TARGET],
}


@pytest.mark.parametrize("name", UNSET)
@pytest.mark.parametrize("verb", ["load", "fingerprint"])
def test_an_option_without_its_settings_names_them_all(name: str, verb: str) -> None:
    with pytest.raises(ProblemsError) as caught:
        getattr(option(name), verb)()
    assert caught.value.problems == UNSET[name]


def test_no_target_has_no_roles() -> None:
    with pytest.raises(ConfigError, match=r"^dataset.target is not set; name the column to predict, e.g. "):
        _ = option("csv").roles
    with pytest.raises(ConfigError, match=r"^dataset.path is not set; name a file, a glob or a URL, e.g. "):
        option("csv", target="y").load()


def test_roles_carry_what_the_option_says() -> None:
    roles = option("olist").roles
    assert (roles.target, roles.group, roles.time) == ("review_score", "order_id", "order_purchase_timestamp")
    assert "customer_id" in roles.ignore
    assert Roles("y") == Roles(target="y", ignore=(), group=None, time=None)


@pytest.mark.parametrize(
    ("built", "label"),
    [
        pytest.param(lambda: option("olist"), "olist (synthetic)", id="embedded"),
        pytest.param(lambda: option("olist", path="/x/orders.csv"), "olist (orders.csv)", id="real file"),
        pytest.param(lambda: option("olist", path="/x/orders.csv", note="2018"), "olist (orders.csv, 2018)", id="note"),
        pytest.param(lambda: option("csv", path="https://u:p@h/a.csv?key=s"), "csv (a.csv)", id="url"),
        pytest.param(lambda: option("csv"), "csv", id="no path"),
        pytest.param(lambda: option("wine"), "wine", id="bundled"),
    ],
)
def test_the_label_says_what_people_should_know(built: Callable[[], Dataset], label: str) -> None:
    assert built().label == label


@pytest.mark.parametrize(("settings", "wrong"), [({"rows": 0}, "rows"), ({"task": "x"}, "task"), ({"typo": 1}, "typo")])
def test_wrong_settings_are_refused(settings: dict[str, Any], wrong: str) -> None:
    with pytest.raises(ValidationError) as caught:
        table_at("t.csv", **settings)
    assert caught.value.errors()[0]["loc"] == (wrong,)


def test_a_password_shows_nowhere() -> None:
    built = SqlDataset(name="s", target="y", url="nosuch://me:secret@host/db", query="select 1")
    with pytest.raises(DataError) as caught:
        built.load()
    assert "secret" not in repr(built) + built.label + str(caught.value)


# What can be read


@pytest.mark.parametrize(
    ("file", "pack"),
    [
        ("t.csv", lambda data, _: data),
        ("t.CSV", lambda data, _: data),
        ("t.txt", lambda data, _: data),
        ("t.csv.gz", lambda data, _: gzip.compress(data)),
        ("t.csv.bz2", lambda data, _: bz2.compress(data)),
        ("t.csv.xz", lambda data, _: lzma.compress(data)),
        ("t.csv.zip", zipped),
        ("t.csv.zst", lambda data, _: zst(data)),
        ("t.tsv", lambda data, _: data.replace(b",", b"\t")),
        ("t.tsv.gz", lambda data, _: gzip.compress(data.replace(b",", b"\t"))),
        ("t.parquet", lambda _, __: parquet(TABLE)),
        ("t.pq", lambda _, __: parquet(TABLE)),
        ("t.parquet.zst", lambda _, __: zst(parquet(TABLE))),
        ("t [1].csv", lambda data, _: data),
    ],
)
def test_every_kind_of_file_gives_the_same_table(
    file: str, pack: Callable[[bytes, Path], bytes], tmp_path: Path
) -> None:
    (tmp_path / file).write_bytes(pack(PLAIN, tmp_path))
    pd.testing.assert_frame_equal(table_at(tmp_path / file).load(), TABLE)


@pytest.mark.parametrize(
    ("data", "options"),
    [
        pytest.param(PLAIN.replace(b",", b";"), {"sep": ";"}, id="separator"),
        pytest.param(PLAIN.replace(b",", b"\t"), {"sep": "\\t"}, id="tab as typed in a shell"),
        pytest.param(PLAIN.replace(b",", b"::"), {"sep": "::"}, id="long separator"),
        pytest.param(PLAIN.decode().encode("utf-16"), {"encoding": "utf-16"}, id="utf-16"),
        pytest.param(b"\xef\xbb\xbf" + PLAIN, {}, id="byte order mark"),
        pytest.param(b"made by hand\n" + PLAIN, {"skiprows": 1}, id="skipped rows"),
        pytest.param(PLAIN.partition(b"\n")[2], {"names": ["a", "b", "y"]}, id="names given"),
        pytest.param(PLAIN.replace(b"\n", b"\r\n"), {}, id="line ends of Windows"),
        pytest.param(b",a,b,y\n0,1,x,0.5\n1,2,z,1.5\n", {"index_col": 0}, id="stored index"),
        pytest.param(PLAIN.replace(b"\n1,x,0.5\n2,z,1.5\n", b"\n1,x,0.5,\n2,z,1.5,\n"), {}, id="comma at the end"),
        pytest.param(PLAIN, {"engine": "pyarrow"}, id="engine of Arrow"),
        pytest.param(PLAIN, {"engine": "python"}, id="engine of Python"),
        pytest.param(PLAIN.replace(b".", b"!").replace(b",", b";"), {"sep": ";", "decimal": "!"}, id="decimal mark"),
    ],
)
def test_options_reach_pandas(data: bytes, options: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(data)
    pd.testing.assert_frame_equal(table_at(tmp_path / "t.csv", options=options).load(), TABLE)


def test_the_format_wins_over_the_suffix(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(parquet(TABLE))
    pd.testing.assert_frame_equal(table_at(tmp_path / "t.csv", format="parquet").load(), TABLE)


def test_a_glob_is_one_table_in_the_order_of_names(tmp_path: Path) -> None:
    for part in (2, 1, 3):
        (tmp_path / f"part{part}.csv").write_text(f"a,y\n{part},0.5\n{part},1.5\n")
    (tmp_path / "part9.csv").mkdir()
    table = table_at(tmp_path / "part?.csv").load()
    assert table["a"].tolist() == [1, 1, 2, 2, 3, 3]
    assert table.index.equals(pd.RangeIndex(6))
    assert table_at(tmp_path / "part?.csv", rows=3).load()["a"].tolist() == [1, 1, 2]


def test_a_url_is_read_as_a_file_is() -> None:
    with fsspec.open("memory://shop/t.csv", "wb") as file:
        file.write(PLAIN)
    pd.testing.assert_frame_equal(table_at("memory://shop/t.csv").load(), TABLE)
    pd.testing.assert_frame_equal(table_at("memory://shop/*.csv").load(), TABLE)


def test_an_index_that_parquet_kept_becomes_a_column_when_it_has_a_name() -> None:
    with fsspec.open("memory://index/named.parquet", "wb") as file:
        file.write(parquet(TABLE.set_index("a")))
    with fsspec.open("memory://index/bare.parquet", "wb") as file:
        file.write(parquet(TABLE.set_axis([7, 9])))
    pd.testing.assert_frame_equal(table_at("memory://index/named.parquet").load(), TABLE)
    pd.testing.assert_frame_equal(table_at("memory://index/bare.parquet").load(), TABLE)


def test_rows_are_the_first(database: str) -> None:
    assert len(option("olist", rows=7).load()) == 7
    built = option("sql", url=database, query="select * from orders order by id desc", target="price", rows=2)
    assert built.load()["id"].tolist() == [6, 5]
    assert len(option("wine", rows=3).load()) == 3


@pytest.mark.parametrize(
    ("dtype", "values"),
    [
        ("str", ["01", np.nan, "3"]),
        ("float64", [1.0, np.nan, 3.0]),
        ("Int64", [1, pd.NA, 3]),
        ("category", [1.0, np.nan, 3.0]),
    ],
)
def test_dtypes_are_given(dtype: str, values: list[Any], tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("k,y\n01,1\n,2\n3,3\n")
    column = table_at(tmp_path / "t.csv", dtypes={"k": dtype}).load()["k"]
    assert column.dtype == dtype
    assert [None if pd.isna(v) else v for v in column] == [None if pd.isna(v) else v for v in values]


def test_dates_are_parsed_when_asked(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("d,y\n2018-01-31 10:00:00,1\n,2\n")
    column = table_at(tmp_path / "t.csv", dtypes={"d": "datetime64[ns]"}).load()["d"]
    assert column.dtype == "datetime64[ns]"
    assert column.iloc[0] == pd.Timestamp("2018-01-31 10:00")


def test_a_query_returns_floats_gaps_and_colons_as_they_are(database: str) -> None:
    query = "select id, price, null as gap, 'at 12:30' as noon from orders order by id"
    table = option("sql", url=database, query=query, target="price").load()
    assert table["price"].dtype == "float64"
    assert table["gap"].isna().all()
    assert set(table["noon"]) == {"at 12:30"}


# What cannot

FILES = {
    "empty": ("t.csv", b"", {}, "is empty (0 bytes); name a file that has a header and rows."),
    "empty gz": ("t.csv.gz", b"", {}, "is empty (0 bytes); name a file that has a header and rows."),
    "empty Parquet": ("t.parquet", b"", {}, "is empty (0 bytes); name a file that has a header and rows."),
    "blank": ("t.csv", b"\n\n\n", {}, "is empty (blank lines only); name a file that has a header and rows."),
    "binary": (
        "t.csv", b"a,b\x00\x01\x02", {}, "is not CSV but binary data; name another file or set dataset.format.",
    ),
    "Parquet as CSV": (
        "t.csv", parquet(TABLE), {}, "is not CSV but Parquet; name another file or set dataset.format.",
    ),
    "web page": (
        "t.csv", b"\n<!DOCTYPE html><p>no", {}, "is not CSV but a web page; name another file or set dataset.format.",
    ),
    "gzip without its suffix": (
        "t.csv", gzip.compress(PLAIN), {}, "is not CSV but gzip; name another file or set dataset.format.",
    ),
    "workbook": (
        "t.csv", b"PK\x03\x04rest", {},
        "is not CSV but a zip archive or a workbook; name another file or set dataset.format.",
    ),
    "open quote further down": (
        "t.csv", b'a,y\n1,2\n"1,2\n', {},
        "is not CSV: a quotation mark is never closed; correct it or set ++dataset.options.sep.",
    ),
    "ragged": (
        "t.csv", b"a,b,y\n1,2,3\n1,2,3,4\n", {},
        "is not CSV: line 3 has 4 fields where 3 are expected; correct it or set ++dataset.options.sep.",
    ),
    "every row too long": (
        "t.csv", b"a,y\n1,2,3\n4,5,6\n", {},
        "is not CSV: its rows have more fields than its header; correct it or set ++dataset.options.sep.",
    ),
    "open quote": (
        "t.csv", b'a,y\n"1,2\n', {},
        "is not CSV: a quotation mark is never closed; correct it or set ++dataset.options.sep.",
    ),
    "semicolons": (
        "t.csv", PLAIN.replace(b",", b";"), {},
        "has one column only, but 3 when split at ';'; set \"++dataset.options.sep=';'\".",
    ),
    "semicolons and decimal commas": (
        "t.csv", b"a;y\n1,5;2,5\n", {},
        "has one column only, but 2 when split at ';'; set \"++dataset.options.sep=';'\".",
    ),
    "tabs": (
        "t.csv", PLAIN.replace(b",", b"\t"), {},
        "has one column only, but 3 when split at '\\t'; set \"++dataset.options.sep='\\t'\".",
    ),
    "bars": (
        "t.csv", PLAIN.replace(b",", b"|"), {},
        "has one column only, but 3 when split at '|'; set \"++dataset.options.sep='|'\".",
    ),
    "latin-1": (
        "t.csv", "a,y\ncafé,1\n".encode("latin-1"), {},
        "is not utf-8 text (byte 0xe9); set the right encoding, for example ++dataset.options.encoding=latin-1.",
    ),
    "utf-16": (
        "t.csv", "a,y\n1,2\n".encode("utf-16"), {},
        "is not utf-8 text but UTF-16; set ++dataset.options.encoding=utf-16.",
    ),
    "duplicate names": (
        "t.csv", b"a,b,a,y,y,y\n1,2,3,4,5,6\n", {},
        "has duplicate column names: a (2 times), y (3 times); rename them in the file.",
    ),
    "CSV as Parquet": (
        "t.parquet", PLAIN, {}, "is not Parquet but text, perhaps CSV; name another file or set dataset.format.",
    ),
    "torn gz": (
        "t.csv.gz", gzip.compress(PLAIN * 99)[:40], {},
        "cannot be read (Compressed file ended before the end-of-stream marker was reached); correct the file.",
    ),
    "not gz": ("t.csv.gz", PLAIN, {}, "cannot be read (Not a gzipped file (b'a,')); correct the file."),
}  # fmt: skip
OTHER = {
    "no format": (
        "t.xlsx", b"PK", {}, "dataset.path names '{path}', whose suffix is not that of a known format; set "
        "dataset.format to csv or parquet.",
    ),
    "unknown option": (
        "t.csv", PLAIN, {"options": {"encodin": "utf-8"}},
        "dataset.options.encodin is not an option of pandas.read_csv. Did you mean 'encoding'?",
    ),
    "unknown encoding": (
        "t.csv", PLAIN, {"options": {"encoding": "utf9"}},
        "dataset.options.encoding is not an encoding of Python (unknown encoding: utf9); try utf-8, latin-1 or utf-16.",
    ),
    "dtype of no column": (
        "t.csv", PLAIN, {"dtypes": {"aa": "str"}},
        "dataset.dtypes.aa: there is no such column; there are a, b, y. Did you mean 'a'?",
    ),
    "no dtype": (
        "t.csv", PLAIN, {"dtypes": {"a": "flot64"}},
        "dataset.dtypes.a is 'flot64', which is not a dtype; try str, category, bool, boolean, int64, Int64, float64, "
        "datetime64[ns]. Did you mean 'float64'?",
    ),
    "text as bool": (
        "t.csv", PLAIN, {"dtypes": {"b": "bool"}},
        "dataset.dtypes.b is bool, which its values do not fit (text or missing values, and any text would count as true); name "
        "another, such as str.",
    ),
}  # fmt: skip


def message_of(built: Dataset) -> str:
    with pytest.raises(MlrunnerError) as caught:
        built.load()
    return str(caught.value)


@pytest.mark.parametrize("case", FILES)
def test_a_bad_file_is_explained(case: str, tmp_path: Path) -> None:
    file, data, settings, expected = FILES[case]
    (tmp_path / file).write_bytes(data)
    assert (
        message_of(table_at(tmp_path / file, **settings)) == f"dataset.path names '{tmp_path / file}', which {expected}"
    )


@pytest.mark.parametrize("case", OTHER)
def test_a_bad_setting_is_explained(case: str, tmp_path: Path) -> None:
    file, data, settings, expected = OTHER[case]
    (tmp_path / file).write_bytes(data)
    assert message_of(table_at(tmp_path / file, **settings)) == expected.format(path=tmp_path / file)


def test_duplicate_names_in_parquet_are_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table([pa.array([1]), pa.array([2])], names=["a", "a"]), tmp_path / "t.parquet")
    assert message_of(table_at(tmp_path / "t.parquet")) == (
        f"dataset.path names '{tmp_path / 't.parquet'}', which has duplicate column names: a (2 times); "
        "rename them in the file."
    )


def test_a_thousand_duplicates_make_a_short_message(tmp_path: Path) -> None:
    names = [f"column_{n}" for n in range(1000)]
    (tmp_path / "t.csv").write_text(",".join(names * 2) + "\n" + ",".join(["1"] * 2000))
    assert "column_7 (2 times) and 992 more; " in message_of(table_at(tmp_path / "t.csv"))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param(
            "{here}/orderz.csv",
            "dataset.path names '{here}/orderz.csv', which does not exist or cannot be reached; name a file, a glob or "
            "a URL. Did you mean 'orders.csv'?",
            id="misspelt",
        ),
        pytest.param(
            "{here}/no/such.csv",
            "dataset.path names '{here}/no/such.csv', which does not exist or cannot be reached; name a file, a glob "
            "or a URL.",
            id="no folder",
        ),
        pytest.param(
            "{here}/*.parquet",
            "dataset.path is '{here}/*.parquet', which matches no file; change the pattern.",
            id="no match",
        ),
        pytest.param(
            "{here}",
            "dataset.path names '{here}', which is a folder; name the files in it, for example {here}/*.csv.",
            id="folder",
        ),
        pytest.param(
            "http://me:secret@127.0.0.1:1/t.csv?key=secret",
            "dataset.path names 'http://***@127.0.0.1:1/t.csv', which does not exist or cannot be reached; name a "
            "file, a glob or a URL.",
            id="no server",
        ),
        pytest.param(
            "nosuch://t.csv",
            "dataset.path names 'nosuch://t.csv', which cannot be read (Protocol not known: nosuch); correct the file.",
            id="no protocol",
        ),
    ],
)
@pytest.mark.parametrize("verb", ["load", "fingerprint"])
def test_a_bad_path_is_explained(path: str, expected: str, verb: str, tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_bytes(PLAIN)
    with pytest.raises(DataError) as caught:
        getattr(table_at(path.format(here=tmp_path), format="csv"), verb)()
    assert str(caught.value) == expected.format(here=tmp_path)


@pytest.mark.parametrize("verb", ["load", "fingerprint"])
def test_no_permission_is_explained(verb: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    (tmp_path / "t.csv").write_bytes(PLAIN)
    (tmp_path / "t.csv").chmod(0)
    request.getfixturevalue("nobody")
    with pytest.raises(DataError) as caught:
        getattr(table_at(tmp_path / "t.csv"), verb)()
    assert str(caught.value) == (
        f"dataset.path names '{tmp_path / 't.csv'}', which you have no permission to read; change that (chmod +r) or "
        "name another file."
    )


def test_a_missing_backend_is_named() -> None:
    if importlib.util.find_spec("s3fs") is not None:
        pytest.skip("s3fs is installed")
    assert message_of(table_at("s3://bucket/t.csv")) == (
        "dataset.path names 's3://bucket/t.csv', which needs a package that is not installed (Install s3fs to access "
        "S3); install it."
    )


def test_files_of_different_columns_are_not_stacked(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,y\n1,2\n")
    (tmp_path / "b.csv").write_text("b,y\n1,2\n")
    assert message_of(table_at(tmp_path / "*.csv")) == (
        f"dataset.path matches files of different columns: '{tmp_path / 'b.csv'}' lacks a and adds b, compared with "
        f"'{tmp_path / 'a.csv'}'; narrow the pattern."
    )


def test_a_bad_file_among_many_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(PLAIN)
    (tmp_path / "b.csv").write_bytes(b"")
    assert message_of(table_at(tmp_path / "*.csv")).startswith(
        f"dataset.path names '{tmp_path / 'b.csv'}', which is empty"
    )


SQL = {
    "no URL": (
        "shop.db", "select 1",
        "dataset.url is not a SQLAlchemy URL; write dialect://user:password@host/database or sqlite:///file.db.",
    ),
    "no dialect": (
        "nosuch://u:secret@h/d", "select 1",
        "dataset.url is 'nosuch://u:***@h/d', which cannot be opened: its driver is not installed (Can't load plugin: "
        "sqlalchemy.dialects:nosuch); install it or correct the URL.",
    ),
    "no file": (
        "sqlite:////nowhere/shop.db", "select 1",
        "dataset.url names the SQLite file '/nowhere/shop.db', which does not exist; name an existing file.",
    ),
    "no table": (
        None, "select * from order_",
        "dataset.query fails at '{url}': no such table: order_; correct the URL or the query.",
    ),
    "no SQL": (
        None, "selct 1", "dataset.query fails at '{url}': near \"selct\": syntax error; correct the URL or the query.",
    ),
    "no rows returned": (None, "delete from orders", "dataset.query returns no table; write a SELECT."),
    "same name twice": (
        None, "select id, price, id from orders",
        "dataset.query returns a table which has duplicate column names: id (2 times); give each its own name with AS.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SQL)
def test_bad_sql_is_explained(case: str, database: str) -> None:
    url, query, expected = SQL[case]
    built = SqlDataset(name="s", target="price", url=database if url is None else url, query=query)
    assert message_of(built) == expected.format(url=database)


def test_a_query_commits_nothing(database: str) -> None:
    message_of(SqlDataset(name="s", target="price", url=database, query="delete from orders"))
    assert len(SqlDataset(name="s", target="price", url=database, query="select * from orders").load()) == 6


def test_no_such_loader_is_refused() -> None:
    misspelt = message_of(BundledDataset(name="b", target="target", loader="sklearn.datasets.load_iriss"))
    assert misspelt.startswith(
        "dataset.loader is 'sklearn.datasets.load_iriss', which is not a loader of sklearn.datasets;"
    )
    assert misspelt.endswith(" more. Did you mean 'sklearn.datasets.load_iris'?")
    assert message_of(BundledDataset(name="b", target="target", loader="os.system")).startswith(
        "dataset.loader is 'os.system', which is not a loader of sklearn.datasets; there are "
    )
    assert message_of(BundledDataset(name="b", target="target", loader="sklearn.datasets.load_files")).startswith(
        "dataset.loader 'sklearn.datasets.load_files' returns no table ("
    )


# The fingerprint


def test_the_fingerprint_sees_content_behind_the_same_name_size_and_time(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_bytes(PLAIN)
    before, stamp = table_at(file).fingerprint(), file.stat()
    file.write_bytes(PLAIN.replace(b"x", b"w"))
    os.utime(file, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    after = file.stat()
    assert (after.st_size, after.st_mtime_ns) == (stamp.st_size, stamp.st_mtime_ns)
    assert table_at(file).fingerprint() != before


def test_the_fingerprint_ignores_name_and_time(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_bytes(PLAIN)
    os.utime(tmp_path / "b.csv", (0, 0))
    assert table_at(tmp_path / "a.csv").fingerprint() == table_at(tmp_path / "b.csv").fingerprint()


def test_the_fingerprint_of_a_glob_sees_every_file_and_where_each_ends(tmp_path: Path) -> None:
    digests = set()
    for first, second in ((b"a,y\n1,2\n", b"a,y\n"), (b"a,y\n", b"1,2\na,y\n"), (b"a,y\n1,3\n", b"a,y\n")):
        (tmp_path / "1.csv").write_bytes(first)
        (tmp_path / "2.csv").write_bytes(second)
        digests.add(table_at(tmp_path / "*.csv").fingerprint())
    assert len(digests) == 3


def test_the_fingerprint_of_a_query_sees_what_it_returns(database: str) -> None:
    def digest(query: str) -> str:
        return SqlDataset(name="s", target="price", url=database, query=query).fingerprint()

    rows = digest("select id, price from orders order by id")
    assert rows == digest("select * from (select id, price from orders) order by id")
    others = ["select id, price from orders order by id desc", "select id, price as p from orders order by id"]
    assert rows not in {digest(query) for query in others}


# The real tables


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
    built = table_at(f"../shared/data/{file}", **settings)
    table = built.load()
    assert table.shape == shape
    assert table_problems(table, built.roles) == target_problems(table, built.roles, "regression") == []


def test_olist_reads_the_real_file_with_the_same_roles() -> None:
    if not (REAL / "olist_customers_dataset.csv").exists():
        pytest.skip(f"{REAL} is not there")
    real = option("olist", path=str(REAL / "olist_customers_dataset.csv"))
    assert list(real.load()) == list(option("olist", rows=5).load())
    assert table_problems(real.load(), real.roles) == []


# The task, and what makes a table unfit

TASKS: dict[str, tuple[list[Any], str]] = {
    "text": (["a", "b"], "classification"),
    "text with gaps": (["a", None, "b"], "classification"),
    "booleans": ([True, False], "classification"),
    "fractions": ([0.5, 1.0, 1.0] * 100, "regression"),
    "few whole numbers that recur": ([1, 2, 3] * 10, "classification"),
    "the same with gaps": ([1, 2, 3] * 10 + [None], "classification"),
    "whole numbers that do not recur": ([1, 2, 3] * 9, "regression"),
    "twenty classes": (list(range(20)) * 10, "classification"),
    "many whole numbers": (list(range(21)) * 10, "regression"),
    "infinite": ([1.0, float("inf")] * 50, "regression"),
    "nothing": ([None, None], "classification"),
}


@pytest.mark.parametrize("case", TASKS)
def test_the_task_is_inferred(case: str) -> None:
    values, task = TASKS[case]
    assert infer_task(pd.Series(values)) == task


@pytest.mark.parametrize(("kind", "task"), [("category", "classification"), ("datetime64[ns]", "regression")])
def test_the_task_of_other_types(kind: str, task: str) -> None:
    assert infer_task(pd.Series([1, 2] * 50).astype(kind)) == task


WIDE = pd.DataFrame(np.zeros((2, 1000)), columns=[f"column_{n}" for n in range(1000)])
TARGETS: dict[str, tuple[pd.DataFrame, Any, str]] = {
    "absent": (
        TABLE.assign(review_score=1), "regression",
        "dataset.target names 'revew_score', which is not a column; there are a, b, y, review_score. Did you mean "
        "'review_score'?",
    ),
    "absent of many": (
        WIDE, "regression",
        "dataset.target names 'revew_score', which is not a column; there are column_0, column_1, column_2, column_3, "
        "column_4, column_5, column_6, column_7 and 992 more.",
    ),
    "all missing": (
        pd.DataFrame({"revew_score": [None] * 1200}), "regression",
        "dataset.target 'revew_score' is missing in each of the 1,200 rows; name another column.",
    ),
    "one class": (
        pd.DataFrame({"revew_score": ["good", None, "good"]}), "classification",
        "dataset.target 'revew_score' has the single value 'good', so there is nothing to learn; name another column.",
    ),
    "one number": (
        pd.DataFrame({"revew_score": [3, 3, 3]}), "regression",
        "dataset.target 'revew_score' has the single value 3, so there is nothing to learn; name another column.",
    ),
    "infinite": (
        pd.DataFrame({"revew_score": [1.5, np.inf, -np.inf, np.nan]}), "regression",
        "dataset.target 'revew_score' is infinite in 2 rows; correct or leave out those rows.",
    ),
    "continuous classes": (
        pd.DataFrame({"revew_score": [0.0, *np.arange(1500) / 4 + 0.25]}), "classification",
        "dataset.task is classification, but dataset.target 'revew_score' is continuous (1,501 different values, such "
        "as 0.25); set dataset.task=regression or name another column.",
    ),
    "ids as classes": (
        pd.DataFrame({"revew_score": [f"id{n}" for n in range(30)]}), "classification",
        "dataset.task is classification, but dataset.target 'revew_score' has 30 different values in 30 rows, too many "
        "for classes; name another column.",
    ),
    "counts as classes": (
        pd.DataFrame({"revew_score": range(30)}), "classification",
        "dataset.task is classification, but dataset.target 'revew_score' has 30 different values in 30 rows, too many "
        "for classes; set dataset.task=regression or name another column.",
    ),
    "text as numbers": (
        pd.DataFrame({"revew_score": [None, "good", "x" * 99]}), "regression",
        "dataset.task is regression, but dataset.target 'revew_score' holds text (such as 'good'); set "
        "dataset.task=classification or name a numeric column.",
    ),
    "long text as numbers": (
        pd.DataFrame({"revew_score": ["x" * 99, "y"]}), "regression",
        f"dataset.task is regression, but dataset.target 'revew_score' holds text (such as '{'x' * 35}...'); set "
        "dataset.task=classification or name a numeric column.",
    ),
    "dates as numbers": (
        pd.DataFrame({"revew_score": pd.to_datetime(["2018-01-31", "2018-02-01"])}), "regression",
        "dataset.task is regression, but dataset.target 'revew_score' holds dates (such as '2018-01-31 00:00:00'); set "
        "dataset.task=classification or name a numeric column.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", TARGETS)
def test_an_unfit_target_is_explained(case: str) -> None:
    table, task, expected = TARGETS[case]
    assert target_problems(table, Roles("revew_score"), task) == [expected]


@pytest.mark.parametrize(
    ("values", "task"),
    [
        ([1, 2, None], "classification"),
        (["a", "b"], "classification"),
        ([True, False], "regression"),
        ([1, 2, 3], "regression"),
        ([0.5, np.nan, 1.5], "regression"),
        (list(range(25)) * 2, "classification"),
        ([], "regression"),
    ],
)
def test_a_fit_target_has_no_problem(values: list[Any], task: Any) -> None:
    assert target_problems(pd.DataFrame({"y": values, "a": values}), Roles("y"), task) == []


@pytest.mark.parametrize("kind", ["Int64", "Float64", "boolean", "category", "int64[pyarrow]"])
def test_types_with_their_own_gaps_are_understood(kind: str) -> None:
    table = pd.DataFrame({"y": pd.Series([0, 1, 0, None], dtype="Int64").astype(kind), "a": [1, 2, 3, 4]})
    assert target_problems(table, Roles("y"), "classification") == []
    assert table_problems(table[["a", "y"]], Roles("a")) == []
    assert infer_task(table["y"]) == ("classification" if kind in ("boolean", "category") else "regression")


TABLES: dict[str, tuple[pd.DataFrame, Roles, list[str]]] = {
    "no rows": (TABLE.head(0), Roles("y"), ["dataset has a header but no rows; name another source."]),
    "only the target": (
        TABLE[["y"]], Roles("y"),
        ["dataset leaves no column to learn from: of y, each is ignored or the target, group or time."],
    ),
    "all ignored": (
        TABLE, Roles("y", ("a",), "b"),
        ["dataset leaves no column to learn from: of a, b, y, each is ignored or the target, group or time."],
    ),
    "infinite": (
        pd.DataFrame({"price": [np.inf, 1.0], "tax": [-np.inf, np.inf], "skip": [np.inf, 0], "y": [1, 2]}),
        Roles("y", ("skip",)),
        ["dataset has infinite values in price (1), tax (2) (rows); correct them or list the columns in dataset.ignore."],
    ),
    "group absent": (
        TABLE.assign(order_id=1), Roles("y", group="order_ib"),
        [
            "dataset.group names 'order_ib', which is not a column; there are a, b, y, order_id. Did you mean "
            "'order_id'?",
        ],
    ),
    "time absent": (
        TABLE, Roles("y", time="when"), ["dataset.time names 'when', which is not a column; there are a, b, y."],
    ),
    "ignore absent": (
        TABLE.assign(zip=1), Roles("y", ("zap", "q")),
        [
            "dataset.ignore names 'zap', which is not a column; there are a, b, y, zip. Did you mean 'zip'?",
            "dataset.ignore names 'q', which is not a column; there are a, b, y, zip.",
        ],
    ),
    "target as group and ignored": (
        TABLE, Roles("y", ("y",), group="y"),
        [
            "dataset.group names 'y', which is the target; name another column or null.",
            "dataset.ignore lists 'y', which is the target; take it out of the list.",
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", TABLES)
def test_an_unfit_table_is_explained(case: str) -> None:
    table, roles, expected = TABLES[case]
    assert table_problems(table, roles) == expected


def test_a_thousand_infinite_columns_make_a_short_message() -> None:
    (message,) = table_problems(WIDE.replace(0.0, np.inf).assign(y=[1, 2]), Roles("y"))
    assert message.startswith("dataset has infinite values in column_0 (2), column_1 (2), ")
    assert "column_7 (2) and 992 more (rows); " in message

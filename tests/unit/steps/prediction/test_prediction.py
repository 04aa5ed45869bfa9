"""Batch prediction: reading in pieces, the check of each row, the files, both sources of predictions."""

from __future__ import annotations

import datetime
import json
import sqlite3
import threading
import tracemalloc
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pandas.testing import assert_frame_equal
from sklearn.linear_model import LinearRegression

from mlrunner.cli.commands import predict as verb
from mlrunner.core.errors import ConfigError, DataError, DeployError, MlrunnerError, ProblemsError
from mlrunner.groups.dataset import BundledDataset, Dataset, SqlDataset, TableDataset
from mlrunner.groups.dataset import streaming as chunking
from mlrunner.groups.dataset.streaming import chunks
from mlrunner.groups.deployer.release import Server
from mlrunner.groups.deployer.state import Ledger, State
from mlrunner.serving.errors import RequestError
from mlrunner.serving.schema import Column, Kind, Schema
from mlrunner.steps import prediction
from mlrunner.steps.prediction import predictors, service
from mlrunner.steps.prediction.batches import Batch, Part, checked, refuse_absent
from mlrunner.steps.prediction.column_values import Marks, plain
from mlrunner.steps.prediction.files import refuse_unwritable
from mlrunner.steps.prediction.output import Results, aside_of
from mlrunner.steps.prediction.predictors import Chosen, ask, choose
from mlrunner.steps.prediction.protocol import Fault, TooMany, Unfit
from mlrunner.steps.prediction.row_errors import faults
from tests.support import released

TABLE = pd.DataFrame(
    {"id": [f"00{n}" for n in range(25)], "x": np.arange(25) / 3, "n": range(25), "t": ["a", "b", None, "d e", "1"] * 5}
)
SIZE, TOWN, ROOMS = (
    Column("size", "number", True),
    Column("town", "text", True, frozenset({"far", "near"})),
    Column("rooms", "number", True),
)
SCHEMA = Schema((SIZE, TOWN, ROOMS, Column("new", "boolean", False), Column("built", "moment", False)))


def csv_at(path: Path, **settings: Any) -> TableDataset:
    return TableDataset(name="t", path=str(path), **settings)


def write_csv(folder: Path) -> Dataset:
    TABLE.to_csv(folder / "t.csv", index=False)
    return csv_at(folder / "t.csv")


def write_packed(folder: Path) -> Dataset:
    TABLE.to_csv(folder / "t.csv.gz", index=False)
    return csv_at(folder / "t.csv.gz")


def write_zst(folder: Path) -> Dataset:
    with pa.OSFile(str(folder / "t.csv.zst"), "wb") as raw, pa.CompressedOutputStream(raw, "zstd") as stream:
        stream.write(TABLE.to_csv(index=False).encode())
    return csv_at(folder / "t.csv.zst")


def write_tsv(folder: Path) -> Dataset:
    TABLE.to_csv(folder / "t.tsv", index=False, sep="\t")
    return csv_at(folder / "t.tsv")


def write_several(folder: Path) -> Dataset:
    for number, (start, end) in enumerate(pairwise([0, 11, 12, 25])):
        TABLE.iloc[start:end].to_csv(folder / f"t{number}.csv", index=False)
    return csv_at(folder / "t*.csv")


def write_parquet(folder: Path) -> Dataset:
    pq.write_table(pa.Table.from_pandas(TABLE.set_index("id")), folder / "t.parquet", row_group_size=2)
    return csv_at(folder / "t.parquet")


def write_packed_parquet(folder: Path) -> Dataset:
    import gzip

    pq.write_table(pa.Table.from_pandas(TABLE), folder / "plain.parquet")
    (folder / "t.parquet.gz").write_bytes(gzip.compress((folder / "plain.parquet").read_bytes()))
    return csv_at(folder / "t.parquet.gz")


def write_sql(folder: Path) -> Dataset:
    with sqlite3.connect(folder / "t.db") as connection:
        TABLE.to_sql("t", connection, index=False)
    connection.close()
    return SqlDataset(name="s", url=f"sqlite:///{folder}/t.db", query="select * from t order by n")


SOURCES = (
    write_csv,
    write_packed,
    write_zst,
    write_tsv,
    write_several,
    write_parquet,
    write_packed_parquet,
    write_sql,
)


@pytest.mark.parametrize("write", SOURCES, ids=lambda write: write.__name__)
def test_a_table_is_read_in_pieces(write: Callable[[Path], Dataset], tmp_path: Path) -> None:
    source = write(tmp_path)
    pieces = list(chunks(source, 4, as_text={"id", "t"}))
    assert max(map(len, pieces)) == 4
    assert len(pieces) <= 8  # small row groups are put together
    whole = pd.concat([piece.astype(object) for piece in pieces], ignore_index=True)
    assert_frame_equal(
        whole.where(whole.notna(), None)[list(TABLE)],
        TABLE.astype(object).where(TABLE.notna(), None),
        check_dtype=False,
    )


def test_a_bundled_table_is_cut_up() -> None:
    source = BundledDataset(name="wine", loader="sklearn.datasets.load_wine")
    assert [len(piece) for piece in chunks(source, 100)] == [100, 78]


@pytest.mark.parametrize("write", SOURCES, ids=lambda write: write.__name__)
def test_only_the_first_rows_are_read_on_request(write: Callable[[Path], Any], tmp_path: Path) -> None:
    source = replace(write(tmp_path), rows=6)
    assert [len(piece) for piece in chunks(source, 4)] == [4, 2]


@pytest.mark.parametrize("write", [write_csv, write_parquet, write_sql], ids=lambda write: write.__name__)
def test_a_table_without_rows_still_tells_its_columns(write: Callable[[Path], Any], tmp_path: Path) -> None:
    source = write(tmp_path)
    if isinstance(source, SqlDataset):
        source = replace(source, query="select * from t where n < 0")
    elif str(source.path).endswith("csv"):
        Path(source.path).write_text("id,x,n,t\n")
    else:
        pq.write_table(pa.Table.from_pandas(TABLE.head(0)), source.path)
    (piece,) = chunks(source, 4)
    assert (len(piece), set(piece)) == (0, set(TABLE))


def test_types_that_are_named_hold_and_absent_columns_do_not_matter(tmp_path: Path) -> None:
    TABLE.to_csv(tmp_path / "t.csv", index=False)
    source = csv_at(tmp_path / "t.csv", dtypes={"n": "str", "id": "int64", "target": "float64"})
    first = next(chunks(source, 4, as_text={"id"}))
    assert first["n"].tolist() == ["0", "1", "2", "3"]
    assert first["id"].tolist() == [0, 1, 2, 3]


def test_parquet_keeps_whole_numbers_beside_gaps(tmp_path: Path) -> None:
    pq.write_table(pa.table({"n": pa.array([2**53 + 1, None], pa.int64())}), tmp_path / "t.parquet")
    (piece,) = chunks(csv_at(tmp_path / "t.parquet"), 4)
    assert piece["n"].tolist()[0] == 2**53 + 1


REFUSED = {
    "engine": ("t.csv", "a\n1\n", {"engine": "pyarrow"}, "dataset.options.engine=pyarrow reads whole files only"),
    "option": ("t.csv", "a\n1\n", {"sepp": ";"}, "dataset.options.sepp is not an option of pandas.read_csv"),
    "empty": ("t.csv", "", {}, "is empty (0 bytes)"),
    "ragged": ("t.csv", "a,b\n1,2\n1,2\n1,2\n1,2,3\n", {}, "line 5 has 3 fields where 2 are expected"),
    "longer": ("t.csv", "a,b\n1,2,3\n", {}, "its rows have more fields than its header"),
    "twice": ("t.csv", "a,a\n1,2\n", {}, "has duplicate column names: a (2 times)"),
    "binary": ("t.csv", "PAR1xxxx", {}, "is not CSV but Parquet"),
    "parquet": ("t.parquet", "a\n1\n", {}, "is not Parquet but text, perhaps CSV"),
    "filters": ("t.parquet", "PAR1", {"filters": []}, "dataset.options.filters needs the whole file"),
    "suffix": ("t.dat", "a\n1\n", {}, "whose suffix tells no format"),
}


@pytest.mark.parametrize(("name", "text", "options", "told"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_table_is_refused(name: str, text: str, options: dict[str, Any], told: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(MlrunnerError) as raised:
        list(chunks(csv_at(tmp_path / name, options=options), 2))
    assert told in str(raised.value)


def test_other_columns_further_on_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    (tmp_path / "b.csv").write_text("a,c\n1,2\n")
    with pytest.raises(DataError, match="lacks b and adds c"):
        list(chunks(csv_at(tmp_path / "*.csv"), 2))


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("select 1 as a, 2 as a", "has duplicate column names"),
        ("create table u (a int)", "returns no table"),
        ("select * from nowhere", "no such table: nowhere"),
    ],
)
def test_a_query_that_gives_no_table_is_refused(query: str, told: str, tmp_path: Path) -> None:
    source = write_sql(tmp_path)
    with pytest.raises(DataError, match=told):
        list(chunks(SqlDataset(name="s", url=source.url, query=query), 2))  # type: ignore[attr-defined]


def test_what_is_not_set_is_told_but_a_target_need_not_be() -> None:
    with pytest.raises(ConfigError, match=r"dataset\.path is not set"):
        next(chunks(TableDataset(name="t"), 2))
    with pytest.raises(ProblemsError) as raised:
        next(chunks(SqlDataset(name="s"), 2))
    assert len(raised.value.problems) == 2


def test_memory_does_not_grow_with_the_table(tmp_path: Path) -> None:
    rows = pd.DataFrame({name: np.arange(20_000) * 1.5 for name in "abcdefgh"}).to_csv(index=False, header=False)
    with (tmp_path / "t.csv").open("w") as file:
        file.write("a,b,c,d,e,f,g,h\n")
        for _ in range(10):
            file.write(rows)
    tracemalloc.start()
    try:
        assert sum(len(piece) for piece in chunks(csv_at(tmp_path / "t.csv"), 5_000)) == 200_000
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 200_000 * 8 * 8 / 2  # half of what the whole table takes


def test_parquet_is_not_read_ahead() -> None:
    read: list[int] = []

    def batches() -> Iterator[pa.RecordBatch]:
        for number in range(100):
            read.append(number)
            yield pa.RecordBatch.from_pydict({"a": [number]})

    gathered = chunking._gathered(batches(), 3, pa.schema({"a": pa.int64()}))
    assert next(gathered)["a"].to_pylist() == [0, 1, 2]
    assert len(read) == 3


NAT = pd.NaT
PLAIN: dict[str, tuple[Any, Kind, Marks | None, list[Any]]] = {
    "whole": ([1, 2], "number", None, [1.0, 2.0]),
    "gap": ([1.5, None], "number", None, [1.5, None]),
    "read": (pd.Series(["1", " 2e3 ", None], dtype="str"), "number", Marks(), [1.0, 2000.0, None]),
    "unread": (pd.Series(["1", "x", None], dtype="str"), "number", Marks(), [1.0, "x", None]),
    "marks": (pd.Series(["1.234,5", "x"], dtype="str"), "number", Marks(",", "."), [1234.5, "x"]),
    "not_read": (pd.Series(["1"], dtype=object), "number", None, ["1"]),
    "objects": (pd.Series([1, None, 2.5, Decimal("0.5")], dtype=object), "number", None, [1.0, None, 2.5, 0.5]),
    "huge": (pd.Series([10**400], dtype=object), "number", None, [float("inf")]),
    "arrow": (pd.Series([1, None], dtype="int64[pyarrow]"), "number", None, [1.0, None]),
    "arrow_text": (pd.Series(["1"], dtype=pd.ArrowDtype(pa.string())), "number", Marks(), ["1"]),
    "no_number": ([True, False], "number", None, [True, False]),
    "text": (["a", None, ""], "text", None, ["a", None, ""]),
    "text_numbers": ([1, 2], "text", None, [1, 2]),
    "text_dates": (pd.to_datetime(["2018-02-08", None]), "text", None, ["2018-02-08 00:00:00", None]),
    "text_ids": (pd.Series([uuid.UUID(int=1)], dtype=object), "text", None, [str(uuid.UUID(int=1))]),
    "truth": ([True, False], "boolean", None, [True, False]),
    "truth_gap": ([1.0, None, 0.0, 2.0], "boolean", None, [True, None, False, 2.0]),
    "truth_read": (pd.Series(["TRUE", "0", "x"], dtype="str"), "boolean", Marks(), [True, False, "x"]),
    "truth_words": (pd.Series(["true"], dtype=object), "boolean", None, ["true"]),
    "moment": (["2018-01-01", None], "moment", None, ["2018-01-01", None]),
    "moments": (pd.to_datetime(["2018-01-01 10:00", None]), "moment", None, ["2018-01-01T10:00:00", None]),
    "days": (pd.Series([datetime.date(2018, 1, 1)], dtype=object), "moment", None, ["2018-01-01"]),
    "zone": (pd.to_datetime(["2018-01-01 10:00+02:00"]), "moment", None, ["2018-01-01T10:00:00+02:00"]),
}


@pytest.mark.parametrize(("values", "kind", "marks", "expected"), PLAIN.values(), ids=PLAIN)
def test_columns_become_plain_values(values: Any, kind: Kind, marks: Marks | None, expected: list[Any]) -> None:
    found = list(plain(pd.Series(values), kind, marks))
    told = [None if isinstance(value, float) and np.isnan(value) else value for value in found]
    assert told == expected
    assert [type(value) for value in told if not isinstance(value, float)] == [
        type(value) for value in expected if not isinstance(value, float)
    ]


def test_numbers_of_csv_are_those_that_pandas_reads(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    texts = [repr(float(x)) for x in rng.normal(size=3000) * 10.0 ** rng.integers(-200, 200, 3000)]
    (tmp_path / "t.csv").write_text("x\n" + "\n".join(texts) + "\n")
    whole = pd.read_csv(tmp_path / "t.csv")["x"].to_numpy()
    assert (plain(pd.Series(texts, dtype="str"), "number", Marks()) == whole).all()


@pytest.mark.parametrize("column", SCHEMA.columns, ids=lambda column: column.name)
@pytest.mark.parametrize(
    "value",
    [None, 1.5, float("inf"), float("nan"), "far", "fat", "", "1", True, [1], {"a": 1}, "2018-01-01", "soon", b"x"],
    ids=repr,
)
def test_a_row_has_a_fault_where_the_service_would_refuse_it(column: Column, value: Any) -> None:
    other = {"number": 2.0, "text": "near", "boolean": False, "moment": "2017-05-05"}[column.kind]
    try:
        Schema((column,)).checked({column.name: [value]})
        refused = False
    except RequestError:
        refused = True
    assert set(faults(column, [other, None, value, other])) == ({2} if refused else set())


SENTENCES: dict[str, tuple[Column, Any, str]] = {
    "number": (SIZE, ["big"], "Column 'size' holds numbers, but has 'big'."),
    "beyond": (SIZE, np.array([np.inf]), "Column 'size' holds numbers, but has one beyond 1.8e308."),
    "long": (SIZE, ["b" * 99], f"Column 'size' holds numbers, but has '{'b' * 56}...."),
    "category": (TOWN, ["nea"], "Column 'town' has 'nea', which training did not see; it saw far, near. Did you mean "),
    "text": (TOWN, [3], "Column 'town' holds texts, but has 3."),
    "moment": (SCHEMA.columns[4], ["soon"], "Column 'built' holds dates, but has 'soon'."),
    "boolean": (SCHEMA.columns[3], [0.5], "Column 'new' holds true or false, but has 0.5."),
}


@pytest.mark.parametrize(("column", "values", "told"), SENTENCES.values(), ids=SENTENCES)
def test_a_fault_is_one_sentence(column: Column, values: Any, told: str) -> None:
    assert faults(column, values)[0].startswith(told)


def test_many_faults_are_found_fast() -> None:
    values = [f"no date {number}" for number in range(20_000)]
    began = datetime.datetime.now()
    assert len(faults(SCHEMA.columns[4], values)) == 20_000
    assert (datetime.datetime.now() - began).total_seconds() < 10


def piece(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame({"size": [1.0, 2.0, 3.0], "town": ["far"] * 3, "rooms": [1, 2, 3], **columns})


def test_rows_with_faults_are_put_aside_and_the_rest_goes_on() -> None:
    part = checked(piece(size=["1", "big", "3"], town=["far", "fat", None]), 100, SCHEMA, ["rooms"], Marks())
    assert part.places.tolist() == [0, 2]
    assert list(part.batch.columns["size"]) == [1.0, 3.0]
    assert part.batch.columns["town"] == ["far", None]
    assert part.faults[1].startswith("Column 'size' holds numbers, but has 'big'. Column 'town' has 'fat', which")
    assert part.kept["rooms"].to_pylist() == [1, 2, 3]
    assert json.loads(part.batch.body()) == {"inputs": {"size": [1.0, 3.0], "town": ["far", None], "rooms": [1.0, 3.0]}}


KEPT: dict[str, tuple[Any, pa.DataType]] = {
    "texts": (pd.Series(["a", None], dtype="str"), pa.large_string()),
    "whole": ([1, 2], pa.int64()),
    "objects": (pd.Series([1, None], dtype=object), pa.int64()),
    "gaps": (pd.Series([None, None], dtype=object), pa.string()),
    "decimals": (pd.Series([Decimal("1.50"), None], dtype=object), pa.string()),
    "ids": (pd.Series([uuid.UUID(int=1), None], dtype=object), pa.string()),
    "arrow": (pd.Series([1, None], dtype="int32[pyarrow]"), pa.int32()),
    "arrow_gaps": (pd.Series([None, None], dtype=pd.ArrowDtype(pa.null())), pa.string()),
}


@pytest.mark.parametrize(("values", "type_"), KEPT.values(), ids=KEPT)
def test_kept_columns_have_a_type_that_holds_for_every_piece(values: Any, type_: pa.DataType) -> None:
    part = checked(pd.DataFrame({"kept": values}), 0, Schema(()), ["kept"], None)
    assert part.kept.schema.field("kept").type == type_


@pytest.mark.parametrize("values", [[1, "a"], [10**40, 1]])
def test_kept_values_of_several_types_are_refused(values: list[Any]) -> None:
    with pytest.raises(DataError, match="--keep kept: a column holds values of several types"):
        checked(pd.DataFrame({"kept": pd.Series(values, dtype=object)}), 0, Schema(()), ["kept"], None)


def test_what_a_request_holds_is_what_the_release_is_given() -> None:
    batch = checked(piece(new=[True, None, False], built=["2018-01-01", None, None]), 0, SCHEMA, [], None).batch
    given = json.loads(batch.body())["inputs"]
    own, sent = batch.arrays(SCHEMA), SCHEMA.checked(given)
    assert own.keys() == sent.keys()
    for name in own:
        np.testing.assert_array_equal(own[name], sent[name])
    assert list(Batch({}, 2).arrays(Schema((TOWN,)))["town"]) == [None, None]


ABSENT: dict[str, tuple[list[str], list[str], str]] = {
    "one": (["Size", "town", "rooms"], [], "The table lacks the column size, which m needs. Did you mean 'Size'?"),
    "several": (["town"], [], "The table lacks the columns size, rooms, which m needs."),
    "kept": (
        ["size", "town", "rooms"],
        ["room"],
        "--keep names 'room', which is no column; there are size, town, rooms",
    ),
    "own": (["size", "town", "rooms", "row"], ["row"], "--keep names 'row', but the output has a column of that name"),
}


@pytest.mark.parametrize(("names", "keep", "told"), ABSENT.values(), ids=ABSENT)
def test_absent_columns_are_refused(names: list[str], keep: list[str], told: str) -> None:
    with pytest.raises(MlrunnerError) as raised:
        refuse_absent(names, SCHEMA, keep, "m")
    assert str(raised.value).startswith(told)
    refuse_absent(["size", "town", "rooms"], SCHEMA, ["town"], "m")


def test_a_table_without_any_of_the_columns_is_refused() -> None:
    with pytest.raises(DataError, match="lacks the column new"):
        refuse_absent(["a"], Schema((Column("new", "boolean", False),)), [], "m")


def part_of(start: int, kept: list[Any], faulty: dict[int, str]) -> Part:
    places = np.array([at for at in range(len(kept)) if at not in faulty], dtype=np.int64)
    return Part(start, len(kept), Batch({}, len(places)), places, faulty, pa.table({"id": kept}))


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_predictions_and_rejected_rows_are_two_files(suffix: str, tmp_path: Path) -> None:
    out = tmp_path / f"o{suffix}"
    with Results(out, "m", 7) as results:
        results.add(part_of(0, ["a", "b"], {0: "odd", 1: "odder"}), [])
        results.add(part_of(2, ["c", "d", "e"], {}), [0.1 + 0.2, None, Fault("refused")])
        results.add(part_of(5, ["f"], {}), [3.0])
    assert (results.rows, results.predicted, results.rejected) == (6, 3, 3)
    assert results.reasons == ["odd", "odder"]
    found = pd.read_csv(out) if suffix == ".csv" else pd.read_parquet(out)
    assert list(found) == ["row", "id", "prediction", "model", "version"]
    assert found["row"].tolist() == [2, 3, 5]
    assert found["id"].tolist() == ["c", "d", "f"]
    assert found["prediction"].iloc[[0, 2]].tolist() == [0.1 + 0.2, 3.0]
    assert found["prediction"].isna().tolist() == [False, True, False]
    assert set(found["model"]) == {"m"}
    assert set(found["version"]) == {7}
    aside = pd.read_csv(aside_of(out))
    assert aside.to_dict("list") == {"row": [0, 1, 4], "id": ["a", "b", "e"], "reason": ["odd", "odder", "refused"]}
    assert {file.name for file in tmp_path.iterdir()} == {out.name, f"{out.name}.rejected.csv"}


def test_labels_keep_their_type(tmp_path: Path) -> None:
    with Results(tmp_path / "o.parquet", "m", 1) as results:
        results.add(part_of(0, ["a"], {0: "odd"}), [])
        results.add(part_of(1, ["a"], {}), ["good"])
    assert pd.read_parquet(tmp_path / "o.parquet")["prediction"].tolist() == ["good"]


def test_no_row_at_all_still_gives_a_file(tmp_path: Path) -> None:
    with Results(tmp_path / "o.parquet", "m", 1) as results:
        results.add(part_of(0, [], {}), [])
    assert list(pd.read_parquet(tmp_path / "o.parquet")) == ["row", "id", "prediction", "model", "version"]
    assert not aside_of(tmp_path / "o.parquet").exists()


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_what_fails_leaves_what_was_there(suffix: str, error: type[BaseException], tmp_path: Path) -> None:
    out = tmp_path / f"o{suffix}"
    out.write_text("before")

    def fail() -> None:
        with Results(out, "m", 1) as results:
            results.add(part_of(0, ["a", "b"], {0: "odd"}), [1.0])
            raise error

    with pytest.raises(error):
        fail()
    assert out.read_text() == "before"
    assert [file.name for file in tmp_path.iterdir()] == [out.name]


def test_rejected_rows_of_before_do_not_stay(tmp_path: Path) -> None:
    aside_of(tmp_path / "o.csv").write_text("before")
    with Results(tmp_path / "o.csv", "m", 1) as results:
        results.add(part_of(0, ["a"], {}), [1.0])
    assert [file.name for file in tmp_path.iterdir()] == ["o.csv"]


def test_a_kept_column_has_one_type(tmp_path: Path) -> None:
    with Results(tmp_path / "o.csv", "m", 1) as results:
        results.add(part_of(0, [1], {}), [1.0])
        results.add(part_of(1, [2.0], {}), [1.0])  # a whole number after all
    assert (tmp_path / "o.csv").read_text().splitlines()[2] == "1,2,1.0,m,1"
    results = Results(tmp_path / "p.csv", "m", 1)
    results.add(part_of(0, [1], {}), [1.0])
    with pytest.raises(DataError, match="Column 'id' holds string where it held int64"), results:
        results.add(part_of(1, ["x"], {}), [1.0])


def test_an_output_that_cannot_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "there.csv").write_text("before")
    (tmp_path / "folder.csv").mkdir()
    aside_of(tmp_path / "aside.csv").write_text("before")
    told = {
        "o.txt": "its suffix tells no format; end it with .parquet or .csv",
        "none/o.csv": "there is no folder",
        "there.csv": "there.csv is there already; overwrite it with --force",
        "aside.csv": "aside.csv.rejected.csv is there already",
        "folder.csv": "is a folder",
    }
    for name, sentence in told.items():
        with pytest.raises(ConfigError, match=sentence):
            refuse_unwritable(tmp_path / name, aside_of(tmp_path / name), False)
    refuse_unwritable(tmp_path / "there.csv", aside_of(tmp_path / "there.csv"), True)


class Picky:
    """Refuses odd numbers, and more than four rows at once."""

    schema, model, version, through, in_flight = SCHEMA, "m", 1, "release", 2

    def __init__(self) -> None:
        self.asked: list[int] = []

    def predict(self, batch: Batch) -> list[Any]:
        self.asked.append(batch.rows)
        if batch.rows > 4:
            raise TooMany("too many")
        if any(value % 2 for value in batch.columns["x"]):
            raise Unfit("odd")
        return list(batch.columns["x"])

    def stop(self) -> None:
        self.asked.append(-1)


def test_rows_that_the_model_refuses_are_found_by_halving() -> None:
    picky = Picky()
    assert ask(picky, Batch({"x": [0, 2, 4, 5, 6, 8, 10, 12, 13]}, 9)) == [
        0,
        2,
        4,
        Fault("odd"),
        6,
        8,
        10,
        12,
        Fault("odd"),
    ]
    assert max(picky.asked[1:]) <= 5
    assert ask(picky, Batch({}, 0)) == []


def test_a_single_row_that_is_too_much_stops_all(monkeypatch: pytest.MonkeyPatch) -> None:
    picky = Picky()

    def refuse(batch: Batch) -> list[Any]:
        raise TooMany(f"{batch.rows} is too much")

    monkeypatch.setattr(picky, "predict", refuse)
    with pytest.raises(DataError, match="A single row is refused: 1 is too much"):
        ask(picky, Batch({"x": [1, 2]}, 2))


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a deployment that is stopped, and the model of its release."""
    folder = tmp_path_factory.mktemp("deployments") / "tests"
    folder.mkdir()
    ledger = Ledger(folder)
    released.release(folder / "releases", LinearRegression(), version=3)
    ledger.note("deployed", version=3)
    state = State("tests", "127.0.0.1", 1, 5.0, 64.0, {"unknown_categories": "refuse"}, line=[3])
    ledger.write(state)
    return folder.parent


def job(deployed: Path, out: Path, **changes: Any) -> prediction.Job:
    told = {"keep": [], "rows_per_chunk": 7, "force": False, **changes}
    return prediction.Job(folder=str(deployed), name="tests", version=3, offline=True, out=str(out), **told)


def group(path: Path) -> dict[str, Any]:
    return {"_target_": "mlrunner.groups.dataset.TableDataset", "name": "t", "path": str(path)}


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_table_is_predicted_as_the_model_itself_does(suffix: str, deployed: Path, tmp_path: Path) -> None:
    rows = released.rows(50).drop(columns="score")
    rows.loc[3, "size"] = np.nan
    source = tmp_path / f"t{suffix}"
    rows.to_csv(source, index=False) if suffix == ".csv" else rows.to_parquet(source)
    found = prediction.predict(group(source), job(deployed, tmp_path / "o.parquet"))
    assert (found["rows"], found["predicted"], found["rejected"], found["version"]) == (50, 50, 0, 3)
    expected = released.fitted(LinearRegression()).predict(rows)
    assert pd.read_parquet(tmp_path / "o.parquet")["prediction"].tolist() == pytest.approx(expected.tolist(), rel=1e-12)


def test_the_same_command_gives_the_same_file(deployed: Path, tmp_path: Path) -> None:
    released.rows(30).to_csv(tmp_path / "t.csv", index=False)
    for name in ("o", "p"):
        prediction.predict(
            group(tmp_path / "t.csv"), job(deployed, tmp_path / f"{name}.parquet", keep=["town", "score"])
        )
    assert (tmp_path / "o.parquet").read_bytes() == (tmp_path / "p.parquet").read_bytes()


def test_faulty_rows_go_beside_the_predictions(deployed: Path, tmp_path: Path) -> None:
    rows = released.rows(20).astype(object)
    rows.loc[9, "town"] = "fat"
    rows.loc[[11, 12], "size"] = "big"
    rows.to_csv(tmp_path / "t.csv", index=False)
    found = prediction.predict(group(tmp_path / "t.csv"), job(deployed, tmp_path / "o.csv", keep=["town"]))
    assert (found["rows"], found["predicted"], found["rejected"]) == (20, 17, 3)
    aside = pd.read_csv(found["rejected_output"])
    assert aside["row"].tolist() == [9, 11, 12]
    assert aside["town"].iloc[0] == "fat"
    assert found["reasons"] == aside["reason"].tolist()[:2]
    good = rows.drop(index=[9, 11, 12]).drop(columns="score").astype({"size": float, "rooms": float})
    expected = released.fitted(LinearRegression()).predict(good)
    assert pd.read_csv(tmp_path / "o.csv")["prediction"].tolist() == pytest.approx(expected.tolist(), rel=1e-12)


def test_what_is_wrong_is_told_before_anything_is_read(deployed: Path, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("size,town\n1,far\n")
    with pytest.raises(DataError, match="lacks the column rooms, which version 3 of tests needs"):
        prediction.check(group(tmp_path / "t.csv"), job(deployed, tmp_path / "o.csv"))
    with pytest.raises(ConfigError, match="--rows-per-chunk is 0"):
        prediction.check(group(tmp_path / "t.csv"), job(deployed, tmp_path / "o.csv", rows_per_chunk=0))
    with pytest.raises(DataError, match="does not exist"):
        prediction.check(group(tmp_path / "none.csv"), job(deployed, tmp_path / "o.csv"))
    assert [file.name for file in tmp_path.iterdir()] == ["t.csv"]


def test_a_failure_on_the_way_leaves_no_file(deployed: Path, tmp_path: Path) -> None:
    rows = released.rows(60).to_csv(index=False)
    (tmp_path / "t.csv").write_text(rows + "1,2,3,4,5,6\n")
    with pytest.raises(DataError, match="line 62 has 6 fields where 4 are expected"):
        prediction.predict(group(tmp_path / "t.csv"), job(deployed, tmp_path / "o.csv"))
    assert [file.name for file in tmp_path.iterdir()] == ["t.csv"]


def test_who_predicts_is_chosen_from_what_is_deployed(deployed: Path, tmp_path: Path) -> None:
    assert choose(deployed, None, None, True) == Chosen(str(deployed), "tests", 3, True)
    assert choose(deployed, "tests", 3, False) == Chosen(str(deployed), "tests", 3, True)
    with pytest.raises(ConfigError, match="is stopped; predict with --offline, or mlrunner deploy --restart tests"):
        choose(deployed, None, None, False)
    with pytest.raises(ConfigError, match=r"--version 4 is no version of tests; there are 3\."):
        choose(deployed, None, 4, True)
    with pytest.raises(ConfigError, match="'test' is no deployment; there are tests"):
        choose(deployed, "test", None, True)
    (tmp_path / "new").mkdir()
    Ledger(tmp_path / "new").note("failed")
    with pytest.raises(ConfigError, match="Nothing has served as new yet"):
        choose(tmp_path, None, None, True)


class Served:
    """An HTTP server that gives prepared answers, one after the other, the last one for ever."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, str, Any]] = []
        self.asked: list[str] = []
        served = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 5

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self.do_GET()

            def do_GET(self) -> None:
                served.asked.append(self.path)
                column = {"name": "x", "kind": "number", "required": True, "categories": None}
                schema = (200, "", {"columns": [column]})
                many = len(served.answers) > 1
                status, model, told = (
                    schema if self.path == "/schema" else served.answers.pop(0) if many else served.answers[0]
                )
                data = json.dumps(told).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.send_header("X-Model", model)
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *told: object) -> None:
                del told

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads, self.http.block_on_close = True, False
        self.port = self.http.server_address[1]
        self._thread = threading.Thread(target=self.http.serve_forever, args=(0.01,))
        self._thread.start()

    def stop(self) -> None:
        self.http.shutdown()
        self._thread.join()
        self.http.server_close()


@pytest.fixture
def served() -> Iterator[Served]:
    one = Served()
    yield one
    one.stop()


@pytest.fixture
def ledger(served: Served, tmp_path: Path) -> Ledger:
    """A deployment that serves version 2 there."""
    found = Ledger(tmp_path / "m")
    found.note("deployed")
    server = Server(2, f"http://127.0.0.1:{served.port}", "", "")
    found.write(State("m", "127.0.0.1", served.port, 5.0, 64.0, {}, line=[2], serves=server))
    return found


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "PAUSE", 0.01)
    monkeypatch.setattr(service, "PATIENCE", {503: 0.5, service.SILENT: 0.1})


ROW = Batch({"x": np.array([1.5, np.nan])}, 2)
GOOD = (200, "m/2", {"predictions": [0.5, None]})


@pytest.fixture
def asking(ledger: Ledger) -> Iterator[service.Service]:
    found = service.Service(ledger, 2)
    yield found
    found.stop()


def test_the_service_is_asked(asking: service.Service, served: Served) -> None:
    served.answers = [GOOD]
    assert asking.schema == Schema((Column("x", "number", True),))
    assert asking.predict(ROW) == [0.5, None]


def test_a_restart_is_waited_for(asking: service.Service, served: Served) -> None:
    served.answers = [(503, "", {"message": "restarting"})] * 3 + [GOOD]
    assert asking.predict(ROW) == [0.5, None]
    assert served.asked.count("/invocations") == 4


REPLIES = {
    "never_ready": (
        (503, "", {"message": "restarting"}),
        DeployError,
        r"answers 503 \(restarting\); nothing was written",
    ),
    "broken": ((500, "", {"message": "KeyError"}), DeployError, "answers 500 .KeyError.; nothing was written"),
    "unfit": ((422, "", {"message": "bad row"}), Unfit, "bad row"),
    "large": ((413, "", {"message": "large"}), TooMany, "large"),
    "late": ((504, "", {"message": "late"}), TooMany, "late"),
}


@pytest.mark.parametrize(("reply", "error", "told"), REPLIES.values(), ids=REPLIES)
def test_what_the_service_says_is_heard(
    reply: tuple[int, str, Any], error: type[Exception], told: str, asking: service.Service, served: Served
) -> None:
    served.answers = [reply]
    with pytest.raises(error, match=told):
        asking.predict(ROW)


def test_nobody_there_is_told(asking: service.Service, served: Served) -> None:
    served.stop()
    with pytest.raises(DeployError, match=r"does not answer .*predict with --offline"):
        asking.predict(ROW)
    served.__init__()  # type: ignore[misc] # for the fixture to stop


def test_the_version_that_began_goes_on(asking: service.Service, served: Served, ledger: Ledger) -> None:
    served.answers = [(200, "m/3", {"predictions": [9.0, 9.0]}), GOOD]
    old, new = Served(), Server(3, "http://127.0.0.1:9", "", "")
    try:
        old.answers = [GOOD]
        state = ledger.state()
        assert state is not None
        ready = Server(2, f"http://127.0.0.1:{old.port}", "", "")
        ledger.write(replace(state, serves=new, ready=ready, line=[2, 3]))
        assert asking.predict(ROW) == [0.5, None]
        assert asking.predict(ROW) == [0.5, None]
        assert old.asked == ["/invocations"] * 2
    finally:
        old.stop()
    asking._url = f"http://127.0.0.1:{served.port}"
    served.answers = [(200, "m/4", {"predictions": [9.0, 9.0]})]
    ledger.write(replace(state, serves=new, ready=None))
    with pytest.raises(DeployError, match="m/4 serves now, no longer version 2; nothing was written"):
        asking.predict(ROW)


@pytest.mark.parametrize("name", ["t.csv", "year=2024/t.csv"])
def test_a_file_is_told_from_overrides(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).parent.mkdir(exist_ok=True)
    Path(name).touch()
    assert verb.told([name, "dataset.rows=3", "++dataset.options.sep=;"]) == (
        name,
        ["dataset.rows=3", "++dataset.options.sep=;"],
    )
    assert verb.told(["dataset=sql", "stack=local"]) == (None, ["dataset=sql", "stack=local"])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "Name a FILE to predict"),
        (["dataset.rows=3"], "Name a FILE to predict"),
        (["a.csv", "b.csv"], "2 files are named, a.csv and b.csv first; name one, or a glob in quotes"),
        (["a.csv", "model=rf"], "'model=rf' has no part in a prediction"),
    ],
)
def test_words_that_mean_nothing_are_refused(words: list[str], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        verb.told(words)


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("data/orders.csv", "orders"),
        ("orders.csv.gz", "orders"),
        ("data/orders-*.parquet", "orders"),
        ("data/*.csv", "csv"),
        ("https://host/a/b.csv?key=secret", "b"),
        (None, "csv"),
    ],
)
def test_the_output_is_named_after_the_input(file: str | None, expected: str) -> None:
    assert verb.default_out(file, "csv") == Path(f"{expected}.predictions.parquet")


def test_the_suffix_chooses_the_data_set() -> None:
    assert verb.composed("a b.parquet", [])[0]["format"] == "parquet"
    dataset = verb.composed("s3://bucket/a.csv.gz", ["dataset.rows=3"])[0]
    assert (dataset["format"], dataset["path"], dataset["rows"]) == ("csv", "s3://bucket/a.csv.gz", 3)
    assert verb.composed("new.csv", ["dataset=olist"])[0]["path"] == "new.csv"


def test_the_model_is_opened_once(deployed: Path) -> None:
    chosen = choose(deployed, None, None, True)
    assert predictors.opened(chosen) is predictors.opened(chosen)


@pytest.mark.parametrize(("rows", "predicted", "code"), [(3, 2, 0), (3, 0, 1), (0, 0, 0)])
def test_the_exit_code_tells_whether_there_are_predictions(
    rows: int, predicted: int, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = {"rows": rows, "predicted": predicted}
    monkeypatch.setattr(verb, "_job", lambda *_: None)
    monkeypatch.setattr(verb, "run", lambda *_: found)
    assert verb.main(["t.csv", "--json"]) == code
    assert json.loads(capsys.readouterr().out) == found

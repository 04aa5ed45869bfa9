"""Tables and models between steps: nothing is lost, nothing is copied, nothing is read that was just written."""

from __future__ import annotations

import datetime
import decimal
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from zenml.artifact_stores.local_artifact_store import LocalArtifactStore, LocalArtifactStoreConfig
from zenml.enums import StackComponentType

from mlrunner.core.arrow import to_arrow
from mlrunner.core.errors import DataError, StoreError
from mlrunner.steps import materializers
from mlrunner.steps.materializers import FittedModel, Kept, ModelMaterializer, TableMaterializer

NAN = float("nan")
NOW = datetime.datetime(2026, 1, 31)
ZONE = "Europe/Berlin"
ROWS = 1_000_000


@pytest.fixture(autouse=True)
def kept(monkeypatch: pytest.MonkeyPatch) -> Kept:
    """A memory that no other test wrote to."""
    fresh = Kept(materializers.KEPT)
    monkeypatch.setattr(materializers, "KEEP", fresh)
    return fresh


@pytest.fixture
def store(tmp_path: Path) -> LocalArtifactStore:
    """ZenML's own store on disk, without a ZenML client."""
    return LocalArtifactStore(
        name="store",
        id=uuid.uuid4(),
        config=LocalArtifactStoreConfig(path=str(tmp_path)),
        flavor="local",
        type=StackComponentType.ARTIFACT_STORE,
        user=None,
        created=NOW,
        updated=NOW,
    )


def uri(store: LocalArtifactStore, name: str = "artifact") -> str:
    folder = Path(store.path) / name
    folder.mkdir(exist_ok=True)
    return str(folder)


def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Become another process, one that kept nothing."""
    monkeypatch.setattr(materializers, "KEEP", Kept(materializers.KEPT))


def round_trip(table: pd.DataFrame, store: LocalArtifactStore, monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    """Write a table and read it in what could be another process."""
    TableMaterializer(uri(store), artifact_store=store).save(table)
    forget(monkeypatch)
    return TableMaterializer(uri(store), artifact_store=store).load(pd.DataFrame)


MOMENTS = pd.to_datetime(["2020-01-01", None, "2021-06-30 10:00:00.123456"], format="mixed")
COLUMNS: dict[str, Any] = {
    "float64": [1.5, NAN, float("inf")],
    "float32": np.array([1.5, NAN, -0.0], np.float32),
    "float16": np.array([1.5, NAN, 2], np.float16),
    "int64": [1, -2, 2**62],
    "int8": np.array([1, -2, 127], np.int8),
    "uint64": np.array([1, 2, 2**64 - 1], np.uint64),
    "bool": [True, False, True],
    "text": pd.Series(["a", None, "c"], dtype="str"),
    "string": pd.Series(["a", None, "c"], dtype="string"),
    "object text": pd.Series(["a", "", "c"], dtype=object),
    "object whole": pd.Series([1, 2, 3], dtype=object),
    "object whole with a gap": pd.Series([1, None, 3], dtype=object),
    "object yes or no": pd.Series([True, None, False], dtype=object),
    "object fractions": pd.Series([1.5, 2.5, 3.5], dtype=object),
    "object empty": pd.Series([None, None, None], dtype=object),
    "decimals": pd.Series([decimal.Decimal("1.50"), None, decimal.Decimal("2.25")], dtype=object),
    "days": pd.Series([datetime.date(2020, 1, 1), None, datetime.date(2021, 1, 1)], dtype=object),
    "bytes": pd.Series([b"a", None, b""], dtype=object),
    "categories": pd.Categorical(["a", None, "b"], categories=["b", "a", "unused"]),
    "ordered categories": pd.Categorical(["low", "high", None], categories=["low", "high"], ordered=True),
    "whole categories": pd.Categorical([3, 1, None]),
    "yes-or-no categories": pd.Categorical([True, False, None]),
    "moments": MOMENTS,
    "moments of seconds": MOMENTS.astype("datetime64[s]"),
    "moments of nanoseconds": MOMENTS.astype("datetime64[ns]"),
    "moments with a zone": MOMENTS.tz_localize(ZONE),
    "durations": pd.to_timedelta([1, None, 3], unit="D"),
    "nullable whole": pd.array([1, None, 3], "Int64"),
    "nullable fraction": pd.array([1.5, None, 3], "Float64"),
    "nullable yes or no": pd.array([True, None, False], "boolean"),
    "periods": pd.period_range("2020-01", periods=3, freq="M"),
}


@pytest.mark.filterwarnings("ignore:Series.values returning")  # pyarrow 25 calls what pandas 3.1 deprecates
@pytest.mark.parametrize("rows", [3, 1, 0])
@pytest.mark.parametrize("kind", COLUMNS)
def test_every_kind_of_column_comes_back_as_it_was(
    kind: str, rows: int, store: LocalArtifactStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = pd.DataFrame({"x": COLUMNS[kind], "other": [1.0, 2.0, 3.0]}).set_axis([7, 3, 5]).head(rows)
    before = table.copy()
    pd.testing.assert_frame_equal(round_trip(table, store, monkeypatch), before)
    pd.testing.assert_frame_equal(table, before)


@pytest.mark.parametrize("dtype", [object, "str"])
@pytest.mark.parametrize("gap", [None, NAN], ids=["none", "nan"])
def test_a_gap_in_text_stays_a_gap(
    gap: Any, dtype: Any, store: LocalArtifactStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = pd.DataFrame({"x": pd.Series(["nan", gap, "None", ""], dtype=dtype)})
    read = round_trip(table, store, monkeypatch)["x"]
    assert read.isna().tolist() == [False, True, False, False]
    assert read.dropna().tolist() == ["nan", "None", ""]
    assert read.dtype == table["x"].dtype


NUMBERS = pd.DataFrame({"a": [1.5, 2.5], "b": [1, 2]})


@pytest.mark.parametrize(
    "index",
    [
        pd.RangeIndex(2),
        pd.RangeIndex(4, 8, 2),
        pd.Index([9, 3]),
        pd.Index([1, 1]),
        pd.Index(["x", "y"]),
        pd.Index([0.5, 1.5]),
        pd.Index([9, 3], name="a"),
        pd.Index([9, 3], name="k"),
        pd.RangeIndex(2, name="a"),
        pd.to_datetime(["2020-01-01", "2021-01-01"]),
        pd.MultiIndex.from_tuples([(1, "x"), (2, "y")], names=["a", None]),
    ],
    ids=[
        "range", "steps", "numbers", "repeated", "text", "fractions", "named as a column", "named", "named range",
        "moments", "levels",
    ],
)  # fmt: skip
def test_every_index_comes_back(index: pd.Index, store: LocalArtifactStore, monkeypatch: pytest.MonkeyPatch) -> None:
    table = NUMBERS.set_axis(index)
    pd.testing.assert_frame_equal(round_trip(table, store, monkeypatch), table, check_freq=False)


@pytest.mark.parametrize(
    "table",
    [
        pd.DataFrame(),
        pd.DataFrame(index=[4, 2]),
        pd.DataFrame({"fold": []}),
        NUMBERS.head(0),
        pd.DataFrame({0: [1.5, 2.5], 1: [3, 4]}),
        pd.DataFrame({"": [1.5], "é ü/\n": [2], "__index_level_0__": [3]}),
        pd.concat([NUMBERS, NUMBERS], ignore_index=True),
        NUMBERS[::-1],
        pd.DataFrame({f"c{place}": [float(place)] for place in range(300)}),
    ],
    ids=["nothing", "only-index", "no-folds", "no-rows", "numbered", "odd-names", "joined", "reversed", "wide"],
)
def test_every_shape_comes_back(
    table: pd.DataFrame, store: LocalArtifactStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    pd.testing.assert_frame_equal(round_trip(table, store, monkeypatch), table)


def test_a_repeated_name_is_refused() -> None:
    with pytest.raises(ValueError, match="Duplicate column names found"):
        to_arrow(pd.DataFrame([[1, 2.5]], columns=["a", "a"]))


@pytest.mark.parametrize(
    "values",
    [
        pd.Series([1, "a"], dtype=object),
        pd.Series(["a", 1.5], dtype=object),
        pd.Series([True, "a"], dtype=object),
        pd.Series([object(), object()], dtype=object),
        np.array([1j, 2]),
        pd.arrays.SparseArray([0.0, 1.0]),
    ],
    ids=["whole-and-text", "text-and-fraction", "yes-or-no-and-text", "objects", "complex", "sparse"],
)
def test_a_column_that_no_file_keeps_is_named(values: Any) -> None:
    with pytest.raises(DataError) as raised:
        to_arrow(pd.DataFrame({"good": ["a", "b"], "bad": values}))
    said = str(raised.value)
    assert said.startswith("Column 'bad' holds values of several types, or of a type that tables do not keep (")
    assert said.endswith("); give it one in dataset.dtypes, such as bad: str, or leave it out.")


def test_uuids_become_text(store: LocalArtifactStore, monkeypatch: pytest.MonkeyPatch) -> None:
    one = uuid.UUID(int=1)
    read = round_trip(pd.DataFrame({"id": pd.Series([one, None], dtype=object)}), store, monkeypatch)
    assert read["id"].tolist()[0] == str(one)
    assert read["id"].isna().tolist() == [False, True]


def mapped(file: Path) -> list[range]:
    """Where this process has mapped a file."""
    found = [line.split() for line in Path("/proc/self/maps").read_text().splitlines() if line.endswith(str(file))]
    return [range(*(int(end, 16) for end in fields[0].split("-"))) for fields in found]


@pytest.mark.parametrize("rows", [ROWS, 1], ids=["long", "short"])
def test_numbers_are_mapped_and_not_copied(
    rows: int, store: LocalArtifactStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not Path("/proc/self/maps").exists():
        pytest.skip("this system does not tell what is mapped")
    numbers = np.arange(rows, dtype=float)
    gaps = np.where(numbers % 3 == 0, NAN, numbers)
    table = pd.DataFrame({"a": numbers, "gaps": gaps, "whole": np.arange(rows), "small": gaps.astype(np.float32)})
    path = uri(store)
    TableMaterializer(path, artifact_store=store).save(table)
    forget(monkeypatch)
    before = pa.total_allocated_bytes()
    read = TableMaterializer(path, artifact_store=store).load(pd.DataFrame)
    assert pa.total_allocated_bytes() - before < 2**16
    places = mapped(Path(path) / "table.arrow")
    for name in table.columns:
        start = read[name].to_numpy().__array_interface__["data"][0]
        assert any(start in place for place in places), name
    pd.testing.assert_frame_equal(read, table)


def test_the_same_process_does_not_read_what_it_wrote(store: LocalArtifactStore) -> None:
    path = uri(store)
    TableMaterializer(path, artifact_store=store).save(NUMBERS)
    (Path(path) / "table.arrow").unlink()
    assert TableMaterializer(path, artifact_store=store).load(pd.DataFrame) is NUMBERS


def test_the_same_process_reads_once(store: LocalArtifactStore, monkeypatch: pytest.MonkeyPatch) -> None:
    first = round_trip(NUMBERS, store, monkeypatch)
    (Path(uri(store)) / "table.arrow").unlink()
    assert TableMaterializer(uri(store), artifact_store=store).load(pd.DataFrame) is first


def test_an_empty_table_is_kept_too(store: LocalArtifactStore) -> None:
    empty = NUMBERS.head(0)
    TableMaterializer(uri(store), artifact_store=store).save(empty)
    assert TableMaterializer(uri(store), artifact_store=store).load(pd.DataFrame) is empty


def test_artifacts_do_not_mix(store: LocalArtifactStore, monkeypatch: pytest.MonkeyPatch) -> None:
    other = NUMBERS * 2
    TableMaterializer(uri(store, "one"), artifact_store=store).save(NUMBERS)
    TableMaterializer(uri(store, "two"), artifact_store=store).save(other)
    forget(monkeypatch)
    pd.testing.assert_frame_equal(
        TableMaterializer(uri(store, "one"), artifact_store=store).load(pd.DataFrame), NUMBERS
    )
    pd.testing.assert_frame_equal(TableMaterializer(uri(store, "two"), artifact_store=store).load(pd.DataFrame), other)


def test_the_oldest_is_forgotten_first() -> None:
    memory = Kept(2)
    for number, name in enumerate("abc"):
        memory.put(name, number)
    assert [memory.get(name) for name in "abc"] == [None, 1, 2]
    memory.put("b", 9)
    assert [memory.get(name) for name in "abc"] == [None, 9, 2]


def test_the_same_process_does_not_load_the_model_it_fitted(store: LocalArtifactStore) -> None:
    model = FittedModel("a pipeline", "models:/m-1", 1.5)
    ModelMaterializer(uri(store), artifact_store=store).save(model)
    assert ModelMaterializer(uri(store), artifact_store=store).load(FittedModel) is model
    assert (Path(uri(store)) / "model.txt").read_text() == "models:/m-1"


def test_a_model_that_was_not_saved_is_refused_elsewhere(
    store: LocalArtifactStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    ModelMaterializer(uri(store), artifact_store=store).save(FittedModel("a pipeline", None))
    forget(monkeypatch)
    with pytest.raises(StoreError, match=r"did not save its model; run it again with tracking\.log_model=true\."):
        ModelMaterializer(uri(store), artifact_store=store).load(FittedModel)

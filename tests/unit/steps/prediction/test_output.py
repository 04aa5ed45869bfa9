"""The files of a batch prediction: complete at the end, or not written at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from mlrunner.core.errors import DataError
from mlrunner.steps.prediction.batches import Batch, CheckedRows
from mlrunner.steps.prediction.output import ResultWriter, rejected_path
from mlrunner.steps.prediction.protocol import RowError


def checked(start: int, ids: list[Any], errors: dict[int, str]) -> CheckedRows:
    positions = np.array([at for at in range(len(ids)) if at not in errors], dtype=np.int64)
    return CheckedRows(start, len(ids), Batch({}, len(positions)), positions, errors, pa.table({"id": ids}))


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_predictions_and_rejected_rows(suffix: str, tmp_path: Path) -> None:
    out = tmp_path / f"o{suffix}"
    with ResultWriter(out, "m", 7) as results:
        results.add(checked(0, ["a", "b"], {0: "odd", 1: "odder"}), [])
        results.add(checked(2, ["c", "d", "e"], {}), [0.1 + 0.2, None, RowError("refused")])
        results.add(checked(5, ["f"], {}), [3.0])
    assert (results.rows, results.predicted, results.rejected) == (6, 3, 3)
    assert results.reasons == ["odd", "odder"]
    table = pd.read_csv(out) if suffix == ".csv" else pd.read_parquet(out)
    assert list(table) == ["row", "id", "prediction", "model", "version"]
    assert table["row"].tolist() == [2, 3, 5]
    assert table["id"].tolist() == ["c", "d", "f"]
    assert table["prediction"].iloc[[0, 2]].tolist() == [0.1 + 0.2, 3.0]
    assert table["prediction"].isna().tolist() == [False, True, False]
    assert set(table["model"]) == {"m"}
    assert set(table["version"]) == {7}
    rejected = pd.read_csv(rejected_path(out))
    assert rejected.to_dict("list") == {"row": [0, 1, 4], "id": ["a", "b", "e"], "reason": ["odd", "odder", "refused"]}
    assert {file.name for file in tmp_path.iterdir()} == {out.name, f"{out.name}.rejected.csv"}


def test_probabilities_have_a_column_for_each_class(tmp_path: Path) -> None:
    with ResultWriter(tmp_path / "o.csv", "m", 7, ["no", True]) as results:
        results.add(checked(0, ["a", "b"], {}), [[0.75, 0.25], RowError("refused")])
    table = pd.read_csv(tmp_path / "o.csv")
    assert list(table) == ["row", "id", "probability_no", "probability_True", "model", "version"]
    assert table[["probability_no", "probability_True"]].values.tolist() == [[0.75, 0.25]]


def test_type_of_predictions_comes_from_the_first_prediction(tmp_path: Path) -> None:
    with ResultWriter(tmp_path / "o.parquet", "m", 1) as results:
        results.add(checked(0, ["a"], {0: "odd"}), [])
        results.add(checked(1, ["a"], {}), ["good"])
    assert pd.read_parquet(tmp_path / "o.parquet")["prediction"].tolist() == ["good"]


def test_empty_table_gives_a_file(tmp_path: Path) -> None:
    with ResultWriter(tmp_path / "o.parquet", "m", 1) as results:
        results.add(checked(0, [], {}), [])
    assert list(pd.read_parquet(tmp_path / "o.parquet")) == ["row", "id", "prediction", "model", "version"]
    assert not rejected_path(tmp_path / "o.parquet").exists()


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_error_leaves_existing_files(suffix: str, error: type[BaseException], tmp_path: Path) -> None:
    out = tmp_path / f"o{suffix}"
    out.write_text("before")

    def fail() -> None:
        with ResultWriter(out, "m", 1) as results:
            results.add(checked(0, ["a", "b"], {0: "odd"}), [1.0])
            raise error

    with pytest.raises(error):
        fail()
    assert out.read_text() == "before"
    assert [file.name for file in tmp_path.iterdir()] == [out.name]


def test_rejected_rows_of_an_earlier_prediction_are_removed(tmp_path: Path) -> None:
    rejected_path(tmp_path / "o.csv").write_text("before")
    with ResultWriter(tmp_path / "o.csv", "m", 1) as results:
        results.add(checked(0, ["a"], {}), [1.0])
    assert [file.name for file in tmp_path.iterdir()] == ["o.csv"]


def test_copied_column_has_one_type(tmp_path: Path) -> None:
    with ResultWriter(tmp_path / "o.csv", "m", 1) as results:
        results.add(checked(0, [1], {}), [1.0])
        results.add(checked(1, [2.0], {}), [1.0])  # is cast to a whole number
    assert (tmp_path / "o.csv").read_text().splitlines()[2] == "1,2,1.0,m,1"
    results = ResultWriter(tmp_path / "p.csv", "m", 1)
    results.add(checked(0, [1], {}), [1.0])
    message = r"string where it held int64 .*; give it one type, such as dataset\.dtypes\.id=str"
    with pytest.raises(DataError, match=message), results:
        results.add(checked(1, ["x"], {}), [1.0])

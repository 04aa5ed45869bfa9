"""Batch prediction of whole files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from mlrunner.core.errors import ConfigError, DataError
from mlrunner.steps import prediction
from tests.support import released


def job(deployed: Path, out: Path, **changes: Any) -> prediction.PredictionJob:
    settings = {"keep": [], "rows_per_chunk": 7, "force": False, **changes}
    return prediction.PredictionJob(
        folder=str(deployed), name="tests", version=3, offline=True, out=str(out), **settings
    )


def group(path: Path) -> dict[str, Any]:
    return {"_target_": "mlrunner.groups.dataset.TableDataset", "name": "t", "path": str(path)}


def test_the_step_uses_the_model_that_the_check_has_loaded(deployed: Path, tmp_path: Path) -> None:
    checked = job(deployed, tmp_path / "o.csv", keep=["town"])
    read_again = prediction.PredictionJob.model_validate_json(checked.model_dump_json())  # as ZenML hands it over
    assert prediction.open_predictor(read_again) is prediction.open_predictor(checked)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_predictions_are_those_of_the_model(suffix: str, deployed: Path, tmp_path: Path) -> None:
    rows = released.rows(50).drop(columns="score")
    rows.loc[3, "size"] = np.nan
    source = tmp_path / f"t{suffix}"
    rows.to_csv(source, index=False) if suffix == ".csv" else rows.to_parquet(source)
    summary = prediction.predict(group(source), job(deployed, tmp_path / "o.parquet"))
    assert (summary["rows"], summary["predicted"], summary["rejected"], summary["version"]) == (50, 50, 0, 3)
    expected = released.fitted(LinearRegression()).predict(rows)
    assert pd.read_parquet(tmp_path / "o.parquet")["prediction"].tolist() == pytest.approx(expected.tolist(), rel=1e-12)


def test_same_job_writes_the_same_file(deployed: Path, tmp_path: Path) -> None:
    released.rows(30).to_csv(tmp_path / "t.csv", index=False)
    for name in ("o", "p"):
        prediction.predict(
            group(tmp_path / "t.csv"), job(deployed, tmp_path / f"{name}.parquet", keep=["town", "score"])
        )
    assert (tmp_path / "o.parquet").read_bytes() == (tmp_path / "p.parquet").read_bytes()


def test_invalid_rows_are_written_beside_the_predictions(deployed: Path, tmp_path: Path) -> None:
    rows = released.rows(20).astype(object)
    rows.loc[9, "town"] = "fat"
    rows.loc[[11, 12], "size"] = "big"
    rows.to_csv(tmp_path / "t.csv", index=False)
    summary = prediction.predict(group(tmp_path / "t.csv"), job(deployed, tmp_path / "o.csv", keep=["town"]))
    assert (summary["rows"], summary["predicted"], summary["rejected"]) == (20, 17, 3)
    rejected = pd.read_csv(summary["rejected_output"])
    assert rejected["row"].tolist() == [9, 11, 12]
    assert rejected["town"].iloc[0] == "fat"
    assert summary["reasons"] == rejected["reason"].tolist()[:2]
    valid = rows.drop(index=[9, 11, 12]).drop(columns="score").astype({"size": float, "rooms": float})
    expected = released.fitted(LinearRegression()).predict(valid)
    assert pd.read_csv(tmp_path / "o.csv")["prediction"].tolist() == pytest.approx(expected.tolist(), rel=1e-12)


def test_check_finds_errors_before_anything_is_written(deployed: Path, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("size,town\n1,far\n")
    with pytest.raises(DataError, match="lacks the column rooms, which version 3 of tests needs"):
        prediction.check(group(tmp_path / "t.csv"), job(deployed, tmp_path / "o.csv"))
    with pytest.raises(ConfigError, match="--rows-per-chunk is 0"):
        prediction.check(group(tmp_path / "t.csv"), job(deployed, tmp_path / "o.csv", rows_per_chunk=0))
    with pytest.raises(DataError, match="does not exist"):
        prediction.check(group(tmp_path / "none.csv"), job(deployed, tmp_path / "o.csv"))
    assert [file.name for file in tmp_path.iterdir()] == ["t.csv"]


def test_error_leaves_no_file(deployed: Path, tmp_path: Path) -> None:
    rows = released.rows(60).to_csv(index=False)
    (tmp_path / "t.csv").write_text(rows + "1,2,3,4,5,6\n")
    with pytest.raises(DataError, match="line 62 has 6 fields where 4 are expected"):
        prediction.predict(group(tmp_path / "t.csv"), job(deployed, tmp_path / "o.csv"))
    assert [file.name for file in tmp_path.iterdir()] == ["t.csv"]

"""Table files that appear when they are complete."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from mlrunner.core.errors import ConfigError
from mlrunner.steps.prediction.files import TableFile, refuse_unwritable

TABLE = pa.table({"row": [0, 1], "prediction": [0.1 + 0.2, None], "text": ["a,b", None]})


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".pq"])
def test_file_appears_when_it_is_published(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"out{suffix}"
    table_file = TableFile(path)
    table_file.write(TABLE)
    assert not path.exists()
    table_file.publish()
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    table = pd.read_csv(path) if suffix == ".csv" else pd.read_parquet(path)
    assert table["prediction"].iloc[0] == 0.1 + 0.2
    assert table["text"][0] == "a,b"
    assert table.isna().to_numpy().tolist() == [[False] * 3, [False, True, True]]


def test_discarded_file_leaves_nothing(tmp_path: Path) -> None:
    file = TableFile(tmp_path / "out.csv")
    file.write(TABLE)
    file.discard()
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    others = {f".out.csv.{os.getppid()}", ".out.csv.backup", f".out2.csv.{ended.pid}"}
    for name in (f".out.csv.{ended.pid}", *others):
        (tmp_path / name).write_text("rows")
    file = TableFile(tmp_path / "out.csv")
    file.write(TABLE)
    file.publish()
    assert {path.name for path in tmp_path.iterdir()} == {"out.csv", *others}


def test_output_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "there.csv").write_text("before")
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "other.csv.rejected.csv").write_text("before")
    messages = {
        "o.txt": "its suffix selects no format; end it with .parquet or .csv",
        "none/o.csv": "there is no folder",
        "there.csv": "there.csv exists; overwrite it with --force",
        "other.csv": "other.csv.rejected.csv exists",
        "folder.csv": "is a folder; name another file with --out",
    }
    for name, message in messages.items():
        with pytest.raises(ConfigError, match=message):
            refuse_unwritable(tmp_path / name, tmp_path / f"{name}.rejected.csv", False)
    refuse_unwritable(tmp_path / "there.csv", tmp_path / "there.csv.rejected.csv", True)

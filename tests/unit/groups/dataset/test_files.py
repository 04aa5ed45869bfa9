"""Files, globs and URLs, their digests, and the message for each bad path."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import fsspec
import pandas as pd
import pytest

from mlrunner.core.errors import DataError
from tests.support.datasets import PLAIN, TABLE, file_dataset, load_error


def test_a_glob_is_one_table_in_the_order_of_names(tmp_path: Path) -> None:
    for part in (2, 1, 3):
        (tmp_path / f"part{part}.csv").write_text(f"a,y\n{part},0.5\n{part},1.5\n")
    (tmp_path / "part9.csv").mkdir()
    table = file_dataset(tmp_path / "part?.csv").load()
    assert table["a"].tolist() == [1, 1, 2, 2, 3, 3]
    assert table.index.equals(pd.RangeIndex(6))
    assert file_dataset(tmp_path / "part?.csv", rows=3).load()["a"].tolist() == [1, 1, 2]


def test_a_url_is_read_as_a_file_is() -> None:
    with fsspec.open("memory://shop/t.csv", "wb") as file:
        file.write(PLAIN)
    pd.testing.assert_frame_equal(file_dataset("memory://shop/t.csv").load(), TABLE)
    pd.testing.assert_frame_equal(file_dataset("memory://shop/*.csv").load(), TABLE)


ABSENT = "which does not exist or cannot be reached; name a file, a glob or a URL."


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("{here}/orderz.csv", f"names '{{here}}/orderz.csv', {ABSENT} Did you mean 'orders.csv'?"),
        ("{here}/no/such.csv", f"names '{{here}}/no/such.csv', {ABSENT}"),
        ("{here}/*.parquet", "is '{here}/*.parquet', which matches no file; change the pattern."),
        ("{here}", "names '{here}', which is a folder; name the files in it, for example {here}/*.csv."),
        ("http://me:secret@127.0.0.1:1/t.csv?key=secret", f"names 'http://***@127.0.0.1:1/t.csv', {ABSENT}"),
        (
            "nosuch://t.csv",
            "names 'nosuch://t.csv', which cannot be read (Protocol not known: nosuch); correct the file.",
        ),
    ],
    ids=["misspelt", "no folder", "no match", "folder", "no server", "no protocol"],
)
@pytest.mark.parametrize("verb", ["load", "fingerprint"])
def test_a_bad_path_is_explained(path: str, expected: str, verb: str, tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_bytes(PLAIN)
    with pytest.raises(DataError) as caught:
        getattr(file_dataset(path.format(here=tmp_path), format="csv"), verb)()
    assert str(caught.value) == f"dataset.path {expected.format(here=tmp_path)}"


@pytest.mark.parametrize("verb", ["load", "fingerprint"])
def test_no_permission_is_explained(verb: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    (tmp_path / "t.csv").write_bytes(PLAIN)
    (tmp_path / "t.csv").chmod(0)
    request.getfixturevalue("unprivileged")
    with pytest.raises(DataError) as caught:
        getattr(file_dataset(tmp_path / "t.csv"), verb)()
    assert str(caught.value) == (
        f"dataset.path names '{tmp_path / 't.csv'}', which you have no permission to read; change that (chmod +r) or "
        "name another file."
    )


def test_a_missing_backend_is_named() -> None:
    if importlib.util.find_spec("s3fs") is not None:
        pytest.skip("s3fs is installed")
    assert load_error(file_dataset("s3://bucket/t.csv")) == (
        "dataset.path names 's3://bucket/t.csv', which needs a package that is not installed (Install s3fs to access "
        "S3); install it."
    )


def test_files_of_different_columns_are_not_stacked(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,y\n1,2\n")
    (tmp_path / "b.csv").write_text("b,y\n1,2\n")
    assert load_error(file_dataset(tmp_path / "*.csv")) == (
        f"dataset.path matches files of different columns: '{tmp_path / 'b.csv'}' lacks a and adds b, compared with "
        f"'{tmp_path / 'a.csv'}'; narrow the pattern."
    )


def test_a_bad_file_among_many_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(PLAIN)
    (tmp_path / "b.csv").write_bytes(b"")
    assert load_error(file_dataset(tmp_path / "*.csv")).startswith(
        f"dataset.path names '{tmp_path / 'b.csv'}', which is empty"
    )


def test_the_fingerprint_sees_content_behind_the_same_name_size_and_time(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_bytes(PLAIN)
    before, stamp = file_dataset(file).fingerprint(), file.stat()
    file.write_bytes(PLAIN.replace(b"x", b"w"))
    os.utime(file, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    after = file.stat()
    assert (after.st_size, after.st_mtime_ns) == (stamp.st_size, stamp.st_mtime_ns)
    assert file_dataset(file).fingerprint() != before


def test_the_fingerprint_ignores_name_and_time(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_bytes(PLAIN)
    os.utime(tmp_path / "b.csv", (0, 0))
    assert file_dataset(tmp_path / "a.csv").fingerprint() == file_dataset(tmp_path / "b.csv").fingerprint()


def test_the_fingerprint_of_a_glob_sees_every_file_and_where_each_ends(tmp_path: Path) -> None:
    digests = set()
    for first, second in ((b"a,y\n1,2\n", b"a,y\n"), (b"a,y\n", b"1,2\na,y\n"), (b"a,y\n1,3\n", b"a,y\n")):
        (tmp_path / "1.csv").write_bytes(first)
        (tmp_path / "2.csv").write_bytes(second)
        digests.add(file_dataset(tmp_path / "*.csv").fingerprint())
    assert len(digests) == 3

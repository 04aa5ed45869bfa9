"""Locations with and without a scheme."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlrunner.core.uris import has_scheme, to_uri


@pytest.mark.parametrize(
    "uri",
    [
        "s3://bucket/a b",
        "gs://bucket/folder",
        "abfss://box@account.dfs.core.windows.net/folder",
        "file:///a%20b",
        "mlflow-artifacts:/",
        "dbfs:/folder",
        "S3://bucket",
    ],
)
def test_a_uri_stays_as_it_is(uri: str) -> None:
    assert has_scheme(uri)
    assert to_uri(uri) == uri


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("/a b/c", "file:///a%20b/c"),
        ("relative", f"{Path.cwd().as_uri()}/relative"),
        ("a:b/c", f"{Path.cwd().as_uri()}/a%3Ab/c"),
        ("/s3://bucket", "file:///s3%3A/bucket"),
        ("day/s3://bucket", f"{Path.cwd().as_uri()}/day/s3%3A/bucket"),
    ],
)
def test_a_path_becomes_a_uri(path: str, uri: str) -> None:
    assert not has_scheme(path)
    assert to_uri(path) == uri

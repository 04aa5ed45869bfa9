"""What a worker does before it runs a trial: describe its installation, and keep tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlrunner.core.worker_cache import cache_folder
from mlrunner.search.remote.dask_tasks import describe_worker, store
from tests.support.in_process_dask import open_cluster

pytestmark = pytest.mark.filterwarnings("ignore:::distributed")


def test_a_worker_names_its_threads() -> None:
    with open_cluster() as client:
        assert client.submit(describe_worker).result()["threads"] == 2


def test_a_worker_keeps_a_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with open_cluster() as client:
        client.submit(store, "0a", b"rows").result()
    assert (cache_folder("tables") / "0a.arrow").read_bytes() == b"rows"

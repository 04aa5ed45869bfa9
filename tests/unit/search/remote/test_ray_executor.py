"""What only a Ray cluster has: it is started on this machine, and its workers may not share the disk of the driver."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import pytest

from mlrunner.groups.executor.ray_engine import RayEngine
from tests.support.executors import check_that_all_travels
from tests.support.ray_cluster import NEEDS_RAY, RayCluster
from tests.support.trials import Data

pytestmark = [pytest.mark.slow, NEEDS_RAY]


@pytest.mark.skipif(os.getuid() != 0, reason="hiding a folder from a process needs root")
def test_tables_models_and_modules_travel_to_a_machine_without_the_disk(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlrunner.search.remote.ray_executor import RayExecutor

    data = Data(tmp_path_factory.mktemp("tables") / "files")
    with (
        closing(RayCluster(tmp_path_factory.mktemp("cluster"), hides=(data.folder, tmp_path))) as cluster,
        closing(RayExecutor(RayEngine(address=cluster.address), 1, print)) as executor,
    ):
        check_that_all_travels(executor, data, tmp_path, monkeypatch)

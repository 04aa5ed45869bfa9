"""A client whose scheduler was away connects again; one whose scheduler stays away says so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from mlrunner.groups.executor.dask_engine import DaskEngine
from mlrunner.search.remote.admission import EngineError
from mlrunner.search.remote.dask_connection import DaskConnection
from tests.support.dask_cluster import DaskCluster
from tests.support.http_client import wait_until
from tests.support.trials import TIMEOUT

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:::distributed")]


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[DaskCluster]:
    with closing(DaskCluster(tmp_path)) as cluster:
        yield cluster


def test_a_scheduler_that_is_back_is_connected_again(cluster: DaskCluster) -> None:
    sentences: list[str] = []
    with closing(DaskConnection(DaskEngine(address=cluster.address), 1, sentences.append)) as connection:
        assert not connection.is_lost
        cluster.restart_scheduler()
        wait_until(lambda: connection.is_lost, TIMEOUT)
        connection.renew()
        assert not connection.is_lost
        assert connection.client.scheduler_info()["workers"] == {}
    place = f"the Dask scheduler at {cluster.address}"
    assert sentences == [f"{place} is gone; connecting again for 60 s", f"{place} is back"]


def test_a_scheduler_that_stays_away_ends_the_search(cluster: DaskCluster) -> None:
    with closing(DaskConnection(DaskEngine(address=cluster.address), 1, print, patience=0.5)) as connection:
        cluster.scheduler.terminate()
        wait_until(lambda: connection.is_lost, TIMEOUT)
        with pytest.raises(EngineError, match=r"is gone; start it again, and resume the sweep\."):
            connection.renew()


def test_a_cluster_of_the_search_is_not_connected_again() -> None:
    engine = DaskEngine(options={"processes": False})
    with closing(DaskConnection(engine, 1, print)) as connection:
        assert not connection.is_lost
        connection._cluster.close()
        wait_until(lambda: connection.is_lost, TIMEOUT)
        with pytest.raises(EngineError, match="own Dask scheduler has ended; resume the sweep"):
            connection.renew()

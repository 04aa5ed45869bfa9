"""A process whose Ray head was away connects again; one whose head stays away says so."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from mlrunner.groups.executor.ray_engine import RayEngine
from mlrunner.search.remote.admission import EngineError
from tests.support.http_client import wait_until
from tests.support.ray_cluster import NEEDS_RAY, RayCluster
from tests.support.trials import TIMEOUT

pytestmark = [pytest.mark.slow, NEEDS_RAY]


@pytest.fixture
def _ray() -> Iterator[None]:
    import ray

    yield
    ray.shutdown()


@pytest.mark.usefixtures("_ray")
def test_a_head_that_is_back_is_connected_again_and_one_that_stays_away_ends_the_search(tmp_path: Path) -> None:
    import ray

    from mlrunner.search.remote.ray_connection import RayConnection

    sentences: list[str] = []
    with closing(RayCluster(tmp_path)) as cluster:
        connection = RayConnection(RayEngine(address=cluster.address), 1, sentences.append, patience=TIMEOUT)
        assert not connection.is_lost
        cluster.restart_head()
        assert connection.is_lost  # though there is a head again
        connection.renew()
        assert not connection.is_lost
        assert [node["Alive"] for node in ray.nodes()] == [True]
        assert [sentence.partition(" is ")[2] for sentence in sentences] == ["gone; connecting again for 60 s", "back"]
        cluster.close()
        wait_until(lambda: connection.is_lost, TIMEOUT)
        connection._patience = 0
        with pytest.raises(EngineError, match=r"is gone; start it again, and resume the sweep\."):
            connection.renew()
    assert not ray.is_initialized()


def test_what_is_away_is_named_even_when_it_is_back() -> None:
    from mlrunner.search.remote.ray_connection import CHECK_SECONDS, ClusterWatch

    with socket.create_server(("127.0.0.1", 0)) as head, socket.create_server(("127.0.0.1", 0)) as node:
        places = {name: f"127.0.0.1:{part.getsockname()[1]}" for name, part in (("head", head), ("node", node))}
        with closing(ClusterWatch(places)) as watch:
            time.sleep(3 * CHECK_SECONDS)
            assert watch.gone == ""
            node.close()
            wait_until(lambda: watch.gone == "node", TIMEOUT)
            with socket.create_server(("127.0.0.1", int(places["node"].rpartition(":")[2]))):
                assert watch.gone == "node"


@pytest.mark.usefixtures("_ray")
def test_a_cluster_of_the_search_is_not_connected_again() -> None:
    from mlrunner.search.remote.ray_connection import RayConnection

    connection = RayConnection(RayEngine(), 1, print)
    assert not connection.is_lost
    head = next(child for child in psutil.Process().children(recursive=True) if "gcs_server" in child.name())
    head.kill()
    wait_until(lambda: connection.is_lost, TIMEOUT)
    with pytest.raises(EngineError, match="own Ray head has ended; resume the sweep"):
        connection.renew()

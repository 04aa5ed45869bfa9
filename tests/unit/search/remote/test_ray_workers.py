"""The actors of a Ray cluster: those that fit can take a trial, lost ones are replaced, and others are refused."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from mlrunner.groups.executor.ray_engine import RayEngine
from mlrunner.search.remote.admission import EngineError
from tests.support.ray_cluster import NEEDS_RAY, RayCluster
from tests.support.trials import TIMEOUT

pytestmark = [pytest.mark.slow, NEEDS_RAY]


@pytest.fixture(scope="module")
def _cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    import ray

    with closing(RayCluster(tmp_path_factory.mktemp("cluster"))) as cluster:
        RayEngine(address=cluster.address).connect(2)
        yield
        ray.shutdown()


def wait_until(workers: Any, is_done: Callable[[], bool]) -> None:
    """Admit the actors that describe themselves, until something is so."""
    import ray

    deadline = time.monotonic() + TIMEOUT
    while not is_done() and time.monotonic() < deadline:
        workers.fill()
        for slot in list(workers.slots):
            if slot.pending is not None and ray.wait([slot.pending], timeout=0.1)[0]:
                workers.admit(slot)
    assert is_done()


@pytest.mark.usefixtures("_cluster")
def test_a_lost_actor_is_replaced() -> None:
    from mlrunner.search.remote.ray_workers import RayWorkers

    workers = RayWorkers(2, 1, print)
    wait_until(workers, lambda: len(workers.free) == 2)
    first, other = workers.free
    workers.remove(first)
    assert workers.free == [other]
    wait_until(workers, lambda: len(workers.free) == 2)
    assert len({slot.name for slot in (first, *workers.free)}) == 3


@pytest.mark.usefixtures("_cluster")
def test_an_actor_with_other_packages_is_refused() -> None:
    from mlrunner.search.remote.ray_workers import RayWorkers

    workers = RayWorkers(1, 1, print)
    packages = {**workers.admission.ours["packages"], "numpy": "0.1"}
    workers.admission.ours = {**workers.admission.ours, "packages": packages}
    with pytest.raises(EngineError, match=r"no worker fits\. Worker .* is refused: it has numpy .* instead of 0\.1"):
        wait_until(workers, lambda: False)

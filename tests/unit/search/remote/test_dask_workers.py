"""Workers of a Dask cluster that fit become slots; others are refused with a sentence."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import dask
import pytest

from mlrunner.search.remote.admission import EngineError
from mlrunner.search.remote.dask_workers import DaskWorkers
from tests.support.in_process_dask import open_cluster
from tests.support.trials import TIMEOUT

pytestmark = pytest.mark.filterwarnings("ignore:::distributed")


def follow(client: Any, sentences: list[str]) -> tuple[DaskWorkers, Callable[[], None]]:
    """Return the workers of a cluster, and a function that makes the calls that have come so far."""
    calls: list[tuple[Callable[..., None], tuple[Any, ...]]] = []
    put, lose = lambda call, *arguments: calls.append((call, arguments)), lambda *_: sentences.append("lost")
    workers = DaskWorkers(client, put, lose, sentences.append, look_seconds=0.0)

    def handle() -> None:
        workers.look()
        while calls:
            call, arguments = calls.pop(0)
            call(*arguments)

    return workers, handle


def wait_for_slot(workers: DaskWorkers, handle: Callable[[], None]) -> None:
    deadline = time.monotonic() + TIMEOUT
    while not workers.slots and time.monotonic() < deadline:
        handle()
        time.sleep(0.02)


def test_a_worker_that_fits_is_a_slot_until_it_is_gone() -> None:
    sentences: list[str] = []
    with open_cluster() as client:
        workers, handle = follow(client, sentences)
        wait_for_slot(workers, handle)
        (address, slot), *_ = workers.slots.items()
        assert (slot.threads, slot.task) == (2, None)
        workers._on_event({"action": "remove-worker", "worker": address})
        assert workers.slots == {}
    assert sentences == ["waiting for the workers of the cluster", "lost"]


def test_a_worker_that_is_there_is_not_lost_while_the_client_renews_its_own_list() -> None:
    """The client's list, which it renews at each interval, has no workers."""
    sentences: list[str] = []
    with dask.config.set({"distributed.client.scheduler-info-interval": "1ms"}), open_cluster() as client:
        workers, handle = follow(client, sentences)
        wait_for_slot(workers, handle)
        for _ in range(200):
            handle()
    assert sentences == ["waiting for the workers of the cluster"]


def test_a_worker_with_other_packages_is_refused() -> None:
    with open_cluster() as client:
        workers, handle = follow(client, [])
        packages = {**workers.admission.ours["packages"], "numpy": "0.1"}
        workers.admission.ours = {**workers.admission.ours, "packages": packages}
        with pytest.raises(EngineError, match=r"no worker fits\. Worker .* is refused: it has numpy .*instead"):
            wait_for_slot(workers, handle)

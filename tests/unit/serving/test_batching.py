"""Dynamic batching of requests."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlrunner.serving.batching import Batcher
from mlrunner.serving.columns import Arrays

SETTINGS = settings(max_examples=100, deadline=None)


class Model:
    """Predict `x` itself, record the batches, and block until `free` is set."""

    def __init__(self) -> None:
        self.batches: list[list[float]] = []
        self.busy, self.free = threading.Event(), threading.Event()
        self.free.set()

    def predict(self, arrays: Arrays) -> list[Any]:
        """Predict; a negative number raises, and a zero gets no prediction."""
        values = arrays["x"].tolist()
        self.batches.append(values)
        self.busy.set()
        self.free.wait(10)
        if min(values) < 0:
            raise ValueError(f"{min(values)} is negative")
        return [value for value in values if value]


def x(*values: float) -> Arrays:
    return {"x": np.array(values, dtype=float)}


async def predict_while_busy(model: Model, batcher: Batcher, *waiting: Arrays) -> list[Any]:
    """Request a first prediction, and others while the model is busy with it."""
    model.free.clear()
    tasks = [asyncio.create_task(batcher.predict(x(1)))]
    await asyncio.to_thread(model.busy.wait, 10)
    tasks += [asyncio.create_task(batcher.predict(arrays)) for arrays in waiting]
    await asyncio.sleep(0)
    model.free.set()
    return await asyncio.gather(*tasks, return_exceptions=True)


def predict_waiting(*waiting: Arrays, max_rows: int = 100) -> tuple[list[Any], list[list[float]], list[int]]:
    """Return results, batches and counted rows of requests that wait while the model is busy."""
    model, counted = Model(), list[int]()
    batcher = Batcher(model.predict, max_rows, counted.append)
    results = asyncio.run(predict_while_busy(model, batcher, *waiting))
    return results[1:], model.batches[1:], counted[1:]


def test_waiting_requests_form_a_batch_in_order() -> None:
    answers, batches, counted = predict_waiting(x(3, 2), x(5), x(4, 9, 7))
    assert answers == [[3, 2], [5], [4, 9, 7]]
    assert batches == [[3, 2, 5, 4, 9, 7]]
    assert counted == [6]


def test_a_batch_has_at_most_max_rows() -> None:
    answers, batches, _ = predict_waiting(x(1, 2), x(3), x(4, 5, 6, 7, 8, 9), x(1), x(2), max_rows=3)
    assert answers == [[1, 2], [3], [4, 5, 6, 7, 8, 9], [1], [2]]
    assert batches == [[1, 2, 3], [4, 5, 6, 7, 8, 9], [1, 2]]


def test_a_failing_request_is_isolated_by_halving_the_batch() -> None:
    answers, batches, counted = predict_waiting(x(1, 2), x(3, -4), x(5), x(6), x(7))
    assert answers[:1] + answers[2:] == [[1, 2], [5], [6], [7]]
    assert "-4.0 is negative" in str(answers[1])
    assert batches == [[1, 2, 3, -4, 5, 6, 7], [1, 2, 3, -4], [1, 2], [3, -4], [5, 6, 7]]
    assert counted == [2, 3]


def test_a_failing_request_among_many_takes_few_batches() -> None:
    answers, batches, _ = predict_waiting(*(x(number) for number in range(1, 60)), x(-1))
    assert answers[:-1] == [[number] for number in range(1, 60)]
    assert isinstance(answers[-1], ValueError)
    assert len(batches) < 20


@pytest.mark.parametrize("exception", [StopIteration, GeneratorExit, SystemExit, MemoryError, RecursionError])
@pytest.mark.timeout(20)
def test_the_batcher_continues_after_any_exception(exception: type[BaseException]) -> None:
    def predict(arrays: Arrays) -> list[Any]:
        if arrays["x"][0] < 0:
            raise exception
        return list(arrays["x"].tolist())

    async def run() -> list[Any]:
        batcher = Batcher(predict, 100, lambda _: None)
        with pytest.raises((exception, RuntimeError)):
            await batcher.predict(x(-1))
        return await batcher.predict(x(2))

    assert asyncio.run(run()) == [2]


def test_a_wrong_number_of_predictions_is_an_error() -> None:
    answers, _, _ = predict_waiting(x(1, 0), x(3))
    assert "1 predictions for 2 rows" in str(answers[0])
    assert answers[1] == [3]


def test_arrays_that_cannot_be_concatenated_fail_alone() -> None:
    answers, _, _ = predict_waiting(x(1), {"x": np.array([[2.0]])}, x(3))
    assert answers[0] == [1]
    assert answers[2] == [3]
    assert isinstance(answers[1], Exception)


def test_cancelled_requests_are_not_predicted() -> None:
    async def run() -> list[Any]:
        tasks = [asyncio.create_task(batcher.predict(x(1)))]
        await asyncio.to_thread(model.busy.wait, 10)
        tasks += [asyncio.create_task(batcher.predict(x(number))) for number in (2, 3, 4)]
        await asyncio.sleep(0)
        tasks[0].cancel()  # even while it is predicted
        tasks[2].cancel()
        model.free.set()
        await asyncio.wait(tasks)
        return [*(task.result() for task in tasks if not task.cancelled()), await batcher.predict(x(7))]

    model = Model()
    model.free.clear()
    batcher = Batcher(model.predict, 100, lambda _: None)
    assert asyncio.run(run()) == [[2], [4], [7]]
    assert model.batches == [[1], [2, 4], [7]]


@SETTINGS
@given(
    st.lists(st.lists(st.integers(1, 9) | st.just(-1), min_size=1, max_size=6), min_size=1, max_size=12),
    st.integers(1, 12),
)
def test_every_request_gets_its_own_result(requests: list[list[int]], max_rows: int) -> None:
    answers, batches, counted = predict_waiting(*(x(*values) for values in requests), max_rows=max_rows)
    for values, answer in zip(requests, answers, strict=True):
        assert isinstance(answer, ValueError) if -1 in values else answer == values
    assert counted == [len(batch) for batch in batches if -1 not in batch]
    assert all(len(batch) <= max_rows or batch in requests for batch in batches)


def test_a_single_request_does_not_wait_for_others() -> None:
    async def run() -> float:
        batcher = Batcher(Model().predict, 100, lambda _: None)
        await batcher.predict(x(1))
        start = time.perf_counter()
        for _ in range(50):
            await batcher.predict(x(1))
        return (time.perf_counter() - start) / 50

    assert asyncio.run(run()) < 0.02  # waiting for other requests would take longer than the overhead of a thread

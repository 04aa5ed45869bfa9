"""Dynamic batching: requests that wait for the model are predicted together."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlrunner.serving.columns import Arrays

Predict = Callable[[Arrays], list[Any]]


@dataclass
class PendingRequest:
    """Hold a request that waits for the model."""

    arrays: Arrays
    rows: int
    result: asyncio.Future[list[Any]]


class Batcher:
    """Predict in one thread, with a queue of requests.

    A request is predicted at once when the model is idle. Requests that arrive during a prediction form the next batch.

    Args:
        predict: Function of arrays by column that returns one value a row.
        max_rows: Maximum number of rows in a batch; a larger request is predicted alone.
        on_batch: Function that is called with the number of rows of each predicted batch.
    """

    def __init__(self, predict: Predict, max_rows: int, on_batch: Callable[[int], object]) -> None:
        self._predict, self._max_rows, self._on_batch = predict, max_rows, on_batch
        self._waiting: deque[PendingRequest] = deque()
        self._retries: list[list[PendingRequest]] = []  # halves of failed batches, to isolate the failing request
        self._thread = ThreadPoolExecutor(1, "predict")
        self._task: asyncio.Task[None] | None = None
        self._started: float | None = None  # when the model was called, while it predicts

    @property
    def busy_seconds(self) -> float:
        """Seconds since the model was called; 0 when it is idle."""
        return 0.0 if self._started is None else time.monotonic() - self._started

    async def predict(self, arrays: Arrays) -> list[Any]:
        """Predict rows, possibly in one batch with other requests."""
        rows = len(next(iter(arrays.values())))
        request = PendingRequest(arrays, rows, asyncio.get_running_loop().create_future())
        self._waiting.append(request)
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        return await request.result

    async def _run(self) -> None:
        while self._waiting or self._retries:
            batch = [request for request in self._next_batch() if not request.result.done()]  # some may have timed out
            if batch:
                await self._predict_batch(batch)
        self._task = None

    async def _predict_batch(self, batch: list[PendingRequest]) -> None:
        rows = sum(request.rows for request in batch)
        try:
            arrays = _concatenate([request.arrays for request in batch])
            values = await asyncio.get_running_loop().run_in_executor(self._thread, self._call_model, arrays)
            if len(values) != rows:
                raise RuntimeError(f"the model gave {len(values)} predictions for {rows} rows")
        except Exception as error:
            self._fail_or_split(batch, error)
        else:
            self._on_batch(rows)
            _set_results(batch, values)

    def _call_model(self, arrays: Arrays) -> list[Any]:
        self._started = time.monotonic()
        try:
            return self._predict(arrays)
        except (StopIteration, SystemExit, GeneratorExit, KeyboardInterrupt) as error:
            # asyncio would wait forever, or end the server
            raise RuntimeError(f"the model raised {type(error).__name__}") from error
        finally:
            self._started = None

    def _next_batch(self) -> list[PendingRequest]:
        if self._retries:
            return self._retries.pop()
        batch = [self._waiting.popleft()]
        rows = batch[0].rows
        while self._waiting:
            rows += self._waiting[0].rows
            if rows > self._max_rows:
                break
            batch.append(self._waiting.popleft())
        return batch

    def _fail_or_split(self, batch: list[PendingRequest], error: Exception) -> None:
        """Fail a single request; split a batch of several in halves and retry both."""
        middle = len(batch) // 2
        if middle:
            self._retries += [batch[middle:], batch[:middle]]
        elif not batch[0].result.done():
            batch[0].result.set_exception(error)


def _concatenate(requests: list[Arrays]) -> Arrays:
    if len(requests) == 1:
        return requests[0]
    return {name: np.concatenate([arrays[name] for arrays in requests]) for name in requests[0]}


def _set_results(batch: list[PendingRequest], values: list[Any]) -> None:
    start = 0
    for request in batch:
        if not request.result.done():  # the client may have disconnected
            request.result.set_result(values[start : start + request.rows])
        start += request.rows

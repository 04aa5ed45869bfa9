"""Requests that wait together go to the model together."""

from __future__ import annotations

import asyncio
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
    """A request that waits for the model."""

    arrays: Arrays
    rows: int
    answer: asyncio.Future[list[Any]]


class Batcher:
    """One model, one thread that predicts, and a queue before it.

    A request that finds the model idle goes to it at once; those that come meanwhile go together when it is free.

    Args:
        predict: Takes arrays by column, gives one value a row.
        most: Rows that go together; a request that is larger goes alone.
        seen: Told the rows of each batch that was predicted.
    """

    def __init__(self, predict: Predict, most: int, seen: Callable[[int], object]) -> None:
        self._predict, self._most, self._seen = predict, most, seen
        self._waiting: deque[PendingRequest] = deque()
        self._again: list[
            list[PendingRequest]
        ] = []  # parts of a batch that failed, so that one request spoils no other
        self._thread = ThreadPoolExecutor(1, "predict")
        self._running: asyncio.Task[None] | None = None

    async def predict(self, arrays: Arrays) -> list[Any]:
        """Predict rows, with those of others."""
        rows = len(next(iter(arrays.values())))
        waiting = PendingRequest(arrays, rows, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if self._running is None:
            self._running = asyncio.create_task(self._work())
        return await waiting.answer

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting or self._again:
            batch = [one for one in self._next() if not one.answer.done()]  # some may have timed out
            rows = sum(one.rows for one in batch)
            if not batch:
                continue
            try:
                together = _joined([one.arrays for one in batch])
                found = await loop.run_in_executor(self._thread, self._predicted, together)
                if len(found) != rows:
                    raise RuntimeError(f"the model gave {len(found)} predictions for {rows} rows")
            except Exception as error:
                self._failed(batch, error)
            else:
                self._seen(rows)
                _hand_out(batch, found)
        self._running = None

    def _predicted(self, together: Arrays) -> list[Any]:
        try:
            return self._predict(together)
        except (StopIteration, SystemExit, GeneratorExit, KeyboardInterrupt) as error:
            # asyncio would wait for ever, or end the server
            raise RuntimeError(f"the model raised {type(error).__name__}") from error

    def _next(self) -> list[PendingRequest]:
        if self._again:
            return self._again.pop()
        batch = [self._waiting.popleft()]
        rows = batch[0].rows
        while self._waiting:
            rows += self._waiting[0].rows
            if rows > self._most:
                break
            batch.append(self._waiting.popleft())
        return batch

    def _failed(self, batch: list[PendingRequest], error: Exception) -> None:
        """Blame the request that was alone; of several, ask each half again."""
        middle = len(batch) // 2
        if middle:
            self._again += [batch[middle:], batch[:middle]]
        elif not batch[0].answer.done():
            batch[0].answer.set_exception(error)


def _joined(parts: list[Arrays]) -> Arrays:
    if len(parts) == 1:
        return parts[0]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _hand_out(batch: list[PendingRequest], found: list[Any]) -> None:
    start = 0
    for one in batch:
        if not one.answer.done():  # the client may have gone
            one.answer.set_result(found[start : start + one.rows])
        start += one.rows

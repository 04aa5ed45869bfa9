"""Large requests: inflated, read, validated and predicted as a whole, in a child of the fork server."""

from __future__ import annotations

import asyncio
import pickle
import socket
from dataclasses import dataclass, field
from http import HTTPStatus

import orjson

from mlrunner.serving import limits, requests, responses
from mlrunner.serving.errors import RequestError, error_body
from mlrunner.serving.fork_server import ChildEndedError, ForkServer
from mlrunner.serving.limits import Limits
from mlrunner.serving.model import ServedModel

CONCURRENT = 2  # children at once: each may need many times the memory of its body


@dataclass(frozen=True)
class LargeRequest:
    """Hold a request.

    Args:
        body: Body as it was sent.
        content_type: Media type without parameters.
        encoding: Content-Encoding; None without one.
        probabilities: Value of the query's `probabilities`; None without one.
    """

    body: bytes
    content_type: str
    encoding: str | None
    probabilities: str | None


@dataclass(frozen=True)
class Answer:
    """Hold the answer to a request.

    Args:
        status: HTTP status.
        content: JSON body.
        rows: Number of predicted rows.
        unknown: Number of values that training did not see, by column.
    """

    status: int
    content: bytes
    rows: int = 0
    unknown: dict[str, int] = field(default_factory=dict)


def answer(model: ServedModel, bounds: Limits, request: LargeRequest) -> Answer:
    """Answer a request; every error becomes one sentence in JSON."""
    try:
        body = limits.inflate(request.body, request.encoding, bounds.body_limit)
        if request.content_type not in requests.CSV_TYPES:
            limits.refuse_brackets(body, bounds.row_limit)
        arrays = model.read(body, request.content_type)
        rows = len(next(iter(arrays.values())))
        limits.refuse_rows(rows, bounds.row_limit)
        has_proba = requests.wants_probabilities(body, request.content_type, request.probabilities)
        predictions = (model.predict_proba if has_proba else model.predict)(arrays)
        content = responses.predictions_body(predictions, model.classes if has_proba else None)
        return Answer(HTTPStatus.OK, content, rows, model.count_unknown(arrays))
    except Exception as error:
        status, message = responses.explain_error(error, bounds.timeout, bounds.body_limit)
        return Answer(status, orjson.dumps(error_body(status, message)))


class LargeRequests:
    """Answer large requests in processes of their own, a few at once.

    Create it while no other thread runs: it forks.

    Args:
        model: Model that answers.
        bounds: Limits of time and size.
        listening: Socket that only the server keeps open; None for none.
    """

    def __init__(self, model: ServedModel, bounds: Limits, *listening: socket.socket) -> None:
        self._timeout, self._slots = bounds.timeout, asyncio.Semaphore(CONCURRENT)
        self._fork_server = ForkServer(lambda request: _answer_pickled(model, bounds, request), *listening)

    async def answer(self, request: LargeRequest) -> Answer:
        """Answer a request.

        Raises:
            TimeoutError: If the time is up, the wait for a free process included; the process has ended then.
            RequestError: If the process was killed, as the kernel does when memory runs out.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._timeout
        async with asyncio.timeout_at(deadline):
            await self._slots.acquire()
        try:
            pickled = await self._fork_server.call(pickle.dumps(request), deadline - loop.time())
            answered: Answer = pickle.loads(pickled)
            return answered
        except ChildEndedError as error:
            message = "The process of this request was killed, probably for its memory; send fewer rows at a time."
            raise RequestError(message, HTTPStatus.SERVICE_UNAVAILABLE) from error
        finally:
            self._slots.release()

    def close(self) -> None:
        """End the processes."""
        self._fork_server.close()


def _answer_pickled(model: ServedModel, bounds: Limits, request: bytes) -> bytes:
    return pickle.dumps(answer(model, bounds, pickle.loads(request)))

"""A storage on a server that may restart: calls are repeated until it answers again, for a limited time."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from optuna.storages import BaseStorage
from sqlalchemy.exc import InterfaceError, OperationalError

from mlrunner.core.errors import StoreError, first_line
from mlrunner.core.redaction import redact
from mlrunner.tracking.storage_delegate import StorageDelegate

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 8.0  # seconds between two tries, doubled each time
REDIS_ERRORS = ("ConnectionError", "TimeoutError")


class PatientStorage(StorageDelegate):
    """Repeats what a server does not answer.

    Args:
        storage: Storage of a study.
        address: Address of the server without its password.
        patience: Seconds until a server that does not answer counts as gone.
    """

    def __init__(self, storage: BaseStorage, address: str, patience: float = 60.0) -> None:
        super().__init__(storage)
        self._address, self._patience = address, patience
        self._away_since: float | None = None
        self._is_gone = False

    def call(self, method: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
        """Call a method of the storage until the server answers.

        Raises:
            StoreError: When it does not answer in time.
        """
        pause = FIRST_PAUSE
        while True:
            try:
                result = method(*arguments, **keywords)
            except Exception as error:
                reason = find_outage(error)
                if reason is None:
                    raise
                self._wait(pause, reason, error)
                pause = min(2 * pause, LONGEST_PAUSE)
            else:
                self._note_return()
                return result

    def _wait(self, pause: float, reason: str, error: Exception) -> None:
        now = time.monotonic()
        if self._away_since is None:
            self._away_since = now
            self._print(f"does not answer ({reason}); waiting up to {self._patience:g} s for it")
        if self._is_gone or now - self._away_since >= self._patience:
            self._is_gone = True  # what is still to be written on the way out does not wait again
            raise StoreError(
                f"The study's storage {self._address} has not answered for {self._patience:g} s ({reason}). Finished "
                "trials are kept: start it again, and run mlrunner resume with the name or folder of the sweep."
            ) from error
        time.sleep(min(pause, self._patience))

    def _note_return(self) -> None:
        if self._away_since is not None:
            self._away_since = None
            self._print("answers again")

    def _print(self, what: str) -> None:
        print(f"mlrunner: the study's storage {self._address} {what}.", file=sys.stderr, flush=True)


def find_outage(error: BaseException) -> str | None:
    """Return the first line of the error that says that a server does not answer; None for any other error."""
    for cause in _list_causes(error):
        is_redis = type(cause).__module__.startswith("redis.") and type(cause).__name__ in REDIS_ERRORS
        if is_redis or isinstance(cause, OperationalError | InterfaceError):
            return redact(first_line(getattr(cause, "orig", None) or cause))
    return None


def _list_causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__

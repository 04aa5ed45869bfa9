"""Ask the deployed service over HTTP, as anybody else would."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlrunner.cli.playground import text

JSON, CSV = "application/json", "text/csv"
QUICK, SLOW = 5.0, 90.0  # seconds for facts, and for predictions, which have a limit of their own in the service
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a proxy cannot reach this machine's loopback


class AskError(Exception):
    """There is no answer; the message is the one sentence that tells why."""


class SilentError(AskError):
    """Nobody answered."""


class RefusedError(AskError):
    """What was asked cannot be answered."""


@dataclass(frozen=True)
class Answer:
    """Predictions.

    Args:
        predictions: A number or a label a row; None where the model gives none.
        version: Of the model that gave them.
    """

    predictions: list[Any]
    version: str


@dataclass(frozen=True)
class Service:
    """The stable address of a deployment.

    Args:
        name: Of the deployment.
        url: Without a slash at its end.
    """

    name: str
    url: str

    @property
    def invocations(self) -> str:
        """Where predictions are asked for."""
        return f"{self.url}/invocations"

    def facts(self) -> dict[str, Any]:
        """Tell what serves: name, version, target, metrics, gate."""
        return self._asked("/version")[0]

    def schema(self) -> dict[str, Any]:
        """Tell the columns and the input example."""
        return self._asked("/schema")[0]

    def predict(self, record: Mapping[str, Any]) -> Answer:
        """Predict one row."""
        return self._predicted(json.dumps({"dataframe_records": [record]}).encode(), JSON)

    def predict_csv(self, body: bytes) -> Answer:
        """Predict the rows of a CSV text with a header."""
        return self._predicted(body, CSV)

    def _predicted(self, body: bytes, content_type: str) -> Answer:
        told, headers = self._asked("/invocations", body, content_type)
        return Answer(list(told["predictions"]), str(headers.get("X-Model", "")).rpartition("/")[2])

    def _asked(
        self, path: str, body: bytes | None = None, content_type: str = JSON
    ) -> tuple[dict[str, Any], Mapping[str, str]]:
        """Ask.

        Raises:
            SilentError: When nobody answers, or somebody who is no service of ours.
            RefusedError: With the sentence of the service.
        """
        request = urllib.request.Request(self.url + path, body, {"Content-Type": content_type})
        try:
            with DIRECT.open(request, timeout=QUICK if body is None else SLOW) as found:
                return dict(json.loads(found.read())), found.headers
        except urllib.error.HTTPError as error:
            with error:
                raise RefusedError(_sentence(error.read(), error.code)) from error
        except (OSError, TypeError, ValueError, http.client.HTTPException) as error:
            raise SilentError(text.silent(self.name, self.url)) from error


def _sentence(body: bytes, status: int) -> str:
    try:
        return str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        return f"The service answered with status {status} and no reason."

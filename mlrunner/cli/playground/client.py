"""Requests of the page to the deployed service."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.message import Message
from typing import Any

from mlrunner.core import loopback
from mlrunner.core.errors import MlrunnerError
from mlrunner.groups.deployer.state import DeploymentStore

INFO_SECONDS, PREDICT_SECONDS = 5.0, 90.0  # the service has a time limit of its own for predictions
BAD_REQUEST = 400  # the first HTTP status of a refusal
Answer = tuple[list[Any], str]  # a prediction for each row, None without one; the model, such as `houses/2`
ROW = re.compile(r"\brow (\d+)(?= has )")  # how the service names a row of the request, counted from 0


class ServiceError(MlrunnerError):
    """Raised when the service gives no answer; the message is one sentence with the reason."""


@dataclass(frozen=True)
class Service:
    """A deployed service: the name of its deployment, and its address without a slash at the end."""

    name: str
    url: str

    def facts(self) -> dict[str, Any]:
        """Return the name, version, model and target of the deployment."""
        return self._request("/version")[0]

    def schema(self) -> dict[str, Any]:
        """Return the columns of the model and the input example."""
        return self._request("/schema")[0]

    def predict_row(self, row: Mapping[str, Any], probabilities: bool = False) -> Answer:
        """Predict the row of the form; with `probabilities` one for each class instead of a label."""
        body = json.dumps({"dataframe_records": [row]}).encode()
        return self._predict(body, "application/json", lambda _: "the form", probabilities)

    def predict_csv(self, body: bytes, probabilities: bool = False) -> Answer:
        """Predict the rows of a CSV file, whose header is row 1 in messages, as in a spreadsheet."""
        return self._predict(body, "text/csv", lambda row: f"row {row + 2} of the file", probabilities)

    def _predict(self, body: bytes, content_type: str, row_name: Callable[[int], str], probabilities: bool) -> Answer:
        path = f"/invocations{'?probabilities=true' if probabilities else ''}"
        try:
            answer, headers = self._request(path, body, content_type)
        except ServiceError as error:
            raise ServiceError(ROW.sub(lambda match: row_name(int(match[1])), str(error))) from error
        return list(answer["predictions"]), str(headers.get("X-Model", self.name))

    def _request(
        self, path: str, body: bytes | None = None, content_type: str = "application/json"
    ) -> tuple[dict[str, Any], Message[str, str]]:
        timeout = INFO_SECONDS if body is None else PREDICT_SECONDS
        try:
            response = loopback.request(self.url + path, body, content_type, timeout)
            if response.status < BAD_REQUEST:
                return dict(json.loads(response.body)), response.headers
        except (OSError, TypeError, ValueError) as error:
            raise ServiceError(
                f"{self.name} does not answer at {self.url}; see mlrunner status, or start it again with "
                f"mlrunner deploy --restart {self.name}."
            ) from error
        raise ServiceError(_message(response.body, response.status))


def _message(body: bytes, status: int) -> str:
    try:
        return str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        return f"The service answered with status {status} and no reason."


def find_service(store: DeploymentStore) -> Service:
    """Read the address of a deployment from its state.

    Raises:
        ServiceError: When the deployment does not serve.
    """
    state = store.read_state()
    if state is None:
        raise ServiceError(f"{store.name} has never served; deploy a run with deployer=local or deployer=docker.")
    if state.active is None:
        raise ServiceError(f"{store.name} is stopped; start it again with mlrunner deploy --restart {store.name}.")
    return Service(store.name, state.url)

"""Client errors as an HTTP status and one sentence."""

from __future__ import annotations

from http import HTTPStatus

ERROR_CODES = {
    HTTPStatus.BAD_REQUEST: "BAD_REQUEST",
    HTTPStatus.FORBIDDEN: "PERMISSION_DENIED",
    HTTPStatus.NOT_FOUND: "ENDPOINT_NOT_FOUND",
    HTTPStatus.METHOD_NOT_ALLOWED: "METHOD_NOT_ALLOWED",
    HTTPStatus.REQUEST_TIMEOUT: "REQUEST_TIMEOUT",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "REQUEST_TOO_LARGE",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "UNSUPPORTED_MEDIA_TYPE",
    HTTPStatus.UNPROCESSABLE_ENTITY: "INVALID_PARAMETER_VALUE",
    HTTPStatus.SERVICE_UNAVAILABLE: "TEMPORARILY_UNAVAILABLE",
    HTTPStatus.GATEWAY_TIMEOUT: "DEADLINE_EXCEEDED",
}
MAX_MESSAGE_LENGTH = 500  # a message may quote the request


class RequestError(Exception):
    """A request that cannot be answered with predictions.

    Args:
        message: One sentence: the value that was received, and the possible values.
        status: HTTP status: 400 for a body that violates the protocol, 422 for rows that do not fit the model.
    """

    def __init__(self, message: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(message)
        self.message, self.status = message, status


def error_body(status: int, message: str) -> dict[str, str]:
    """Return an error in the format of MLflow's scoring server."""
    text = message if len(message) <= MAX_MESSAGE_LENGTH else f"{message[: MAX_MESSAGE_LENGTH - 3]}..."
    valid = text.encode(errors="replace").decode()  # UTF-8 cannot encode half a surrogate pair
    return {"error_code": ERROR_CODES.get(HTTPStatus(status), "INTERNAL_ERROR"), "message": valid}

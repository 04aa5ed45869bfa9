"""What a client did wrong, as an HTTP status and one sentence."""

from __future__ import annotations

from http import HTTPStatus

ERROR_CODES = {
    HTTPStatus.BAD_REQUEST: "BAD_REQUEST",
    HTTPStatus.NOT_FOUND: "ENDPOINT_NOT_FOUND",
    HTTPStatus.METHOD_NOT_ALLOWED: "METHOD_NOT_ALLOWED",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "REQUEST_TOO_LARGE",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "UNSUPPORTED_MEDIA_TYPE",
    HTTPStatus.UNPROCESSABLE_ENTITY: "INVALID_PARAMETER_VALUE",
    HTTPStatus.SERVICE_UNAVAILABLE: "TEMPORARILY_UNAVAILABLE",
    HTTPStatus.GATEWAY_TIMEOUT: "DEADLINE_EXCEEDED",
}
MAX_MESSAGE_LENGTH = 500  # characters of a sentence: it may quote what came


class RequestError(Exception):
    """A request that is not answered with predictions.

    Args:
        message: One sentence: what was found, what is possible.
        status: Of HTTP; 400 for a body that is not of the protocol, 422 for rows that are not of the model.
    """

    def __init__(self, message: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(message)
        self.message, self.status = message, status


def error_body(status: int, message: str) -> dict[str, str]:
    """Tell an error in the form of MLflow's scoring server."""
    told = message if len(message) <= MAX_MESSAGE_LENGTH else f"{message[: MAX_MESSAGE_LENGTH - 3]}..."
    sound = told.encode(errors="replace").decode()  # half a surrogate pair cannot be sent
    return {"error_code": ERROR_CODES.get(HTTPStatus(status), "INTERNAL_ERROR"), "message": sound}

"""Large requests as a whole: right predictions, and each limit and error as one sentence in JSON."""

from __future__ import annotations

import gzip
import json

import pytest

from mlrunner.serving.large_requests import LargeRequest, answer
from mlrunner.serving.limits import Limits
from mlrunner.serving.model import ServedModel, load_release
from tests.support import serving_release as releases
from tests.support.serving_release import Saved

BOUNDS = Limits(body_limit=0.1, row_limit=50)


@pytest.fixture(scope="module")
def model(saved: Saved) -> ServedModel:
    return load_release(saved.release.folder)


def make_request(rows: list[releases.Row], encoding: str | None = None) -> LargeRequest:
    """Write rows as a request."""
    body = json.dumps({"dataframe_records": rows}).encode()
    return LargeRequest(gzip.compress(body) if encoding else body, "application/json", encoding, None)


@pytest.mark.parametrize("encoding", [None, "gzip"])
def test_rows_are_predicted(model: ServedModel, saved: Saved, encoding: str | None) -> None:
    rows = releases.make_rows(50)
    answered = answer(model, BOUNDS, make_request(rows, encoding))
    assert (answered.status, answered.rows, answered.unknown) == (200, 50, {})
    assert json.loads(answered.content) == {"predictions": pytest.approx(saved.predict(rows), rel=1e-9)}


def test_a_bad_date_is_found_in_any_row(model: ServedModel) -> None:
    rows = releases.make_rows(50)
    answered = answer(model, BOUNDS, make_request([*rows[:-1], {**rows[-1], "stamp": "bad"}]))
    assert (answered.status, answered.rows) == (422, 0)
    message = json.loads(answered.content)["message"]
    assert message == "Column 'stamp' holds dates, but row 49 has 'bad'."


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (make_request([{}] * 200), 413),
        (LargeRequest(b"size\n" + b"1\n" * 51, "text/csv", None, None), 422),
        (LargeRequest(gzip.compress(bytes(200_000)), "application/json", "gzip", None), 413),
        (LargeRequest(b"{", "application/json", None, None), 400),
        (LargeRequest(b"{}", "a/b", None, None), 415),
    ],
)
def test_errors_are_json(model: ServedModel, request_: LargeRequest, status: int) -> None:
    answered = answer(model, BOUNDS, request_)
    assert (answered.status, set(json.loads(answered.content))) == (status, {"error_code", "message"})

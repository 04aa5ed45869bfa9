"""The route that a state file names."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from mlrunner.serving.gateway_routes import Route, read_fingerprint, read_route, write_state

STATE = {
    "active": {"url": "http://127.0.0.1:1", "token": "t", "version": 3},
    "timeout": 5,
    "restart": ["mlrunner", "deploy"],
}


def test_a_route_is_read_from_the_state(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text(json.dumps(STATE))
    assert read_route(tmp_path / "state.json") == Route("http://127.0.0.1:1", "t", 3, 5.0, ("mlrunner", "deploy"))


def test_a_state_is_replaced_whole(tmp_path: Path) -> None:
    for state in (STATE, {"active": None}):
        write_state(tmp_path / "state.json", state)
        assert json.loads((tmp_path / "state.json").read_text()) == state
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]


INVALID: dict[str, tuple[type[Exception], str | None]] = {
    "absent": (OSError, None),
    "broken": (ValueError, "{"),
    "without a key": (LookupError, '{"timeout": 5, "restart": []}'),
    "stopped": (TypeError, json.dumps({**STATE, "active": None})),
}


@pytest.mark.parametrize(("error", "text"), INVALID.values(), ids=INVALID)
def test_an_invalid_state_raises(tmp_path: Path, error: type[Exception], text: str | None) -> None:
    if text is not None:
        (tmp_path / "state.json").write_text(text)
    with pytest.raises(error):
        read_route(tmp_path / "state.json")


def test_the_fingerprint_changes_with_the_file_at_the_same_time(tmp_path: Path) -> None:
    file, other = tmp_path / "state.json", tmp_path / "new.json"
    for path in (file, other):
        path.write_text("{}")
        os.utime(path, ns=(10**18, 10**18))
    before = read_fingerprint(file)
    assert read_fingerprint(file) == before
    other.replace(file)
    assert read_fingerprint(file) != before

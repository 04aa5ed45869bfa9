"""A real server in a child process: it answers, says why it does not, and leaves no process behind."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from mlrunner.core import loopback
from mlrunner.core.child_server import child_server
from mlrunner.core.errors import MlrunnerError

APP = """
async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"here"})
"""


def command(folder: Path, port: int, *more: str) -> list[str]:
    (folder / "answering.py").write_text(APP)
    return ["uvicorn", "answering:app", "--app-dir", str(folder), "--port", str(port), "--lifespan", "off", *more]


def test_it_answers_and_its_children_end_with_the_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    port, app = loopback.free_port(), tmp_path / "app"
    app.mkdir()
    (tmp_path / "random.py").write_text("raise SystemExit('the wrong module')")  # replaces no module
    monkeypatch.chdir(tmp_path)
    with child_server("The server", port, command(app, port, "--workers", "2")) as server:
        server.wait_until_ready("/")
        assert loopback.request(f"{server.url}/").body == b"here"
        leader = psutil.Process(server.process.pid)
        family = [leader, *leader.children(recursive=True)]
        assert len(family) >= 3
        assert "answering:app" not in " ".join(leader.cmdline())
    assert not psutil.wait_procs(family, timeout=10)[1]


def test_a_server_that_does_not_start_is_one_sentence(tmp_path: Path) -> None:
    port = loopback.free_port()
    (tmp_path / "answering.py").write_text("raise SystemExit('no app today')")
    with (
        child_server("The server", port, ["uvicorn", "answering:app", "--app-dir", str(tmp_path)]) as server,
        pytest.raises(MlrunnerError, match=r"^The server does not run: no app today\.$") as caught,
    ):
        server.wait_until_ready("/")
    assert caught.value.exit_code == 2


def test_a_server_that_ends_is_one_sentence(tmp_path: Path) -> None:
    port = loopback.free_port()
    with child_server("The server", port, command(tmp_path, port)) as server:
        server.wait_until_ready("/")
        server.process.terminate()
        with pytest.raises(MlrunnerError, match=r"^The server does not run: "):
            server.wait()

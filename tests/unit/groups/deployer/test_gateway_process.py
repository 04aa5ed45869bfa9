"""The gateway as a process of its own."""

from __future__ import annotations

import socket
from functools import partial
from pathlib import Path

import psutil
import pytest

from mlrunner.core import loopback, process_control
from mlrunner.core.errors import DeployError
from mlrunner.groups.deployer import gateway_process
from mlrunner.groups.deployer.release import Server
from mlrunner.groups.deployer.state import DeploymentStore, State
from tests.support.version_server import VersionServer


def make_store(folder: Path, port: int, server: Server) -> DeploymentStore:
    store = DeploymentStore(folder / "olist")
    store.log_event("deployed", version=1)
    store.write_state(State("olist", "127.0.0.1", port, 5.0, 1.0, {}, [], [1], server))
    return store


def test_gateway_starts_follows_and_stops(tmp_path: Path) -> None:
    port = loopback.free_port()
    with VersionServer("token") as url:
        server = Server(1, url, "handle", "token")
        store = make_store(tmp_path, port, server)
        assert gateway_process.find_pid(store) is None
        try:
            gateway_process.ensure_follows(store, f"http://127.0.0.1:{port}", server)
            pid = gateway_process.find_pid(store)
            assert pid is not None
            gateway_process.ensure_follows(store, f"http://127.0.0.1:{port}", server)
            assert gateway_process.find_pid(store) == pid
            other = Server(2, url, "handle", "other token")
            with pytest.raises(DeployError, match=f"The gateway does not answer on http://127.0.0.1:{port}"):
                gateway_process.ensure_follows(store, f"http://127.0.0.1:{port}", other, timeout=0.2)
        finally:
            gateway_process.stop(store)
    assert gateway_process.find_pid(store) is None
    socket.create_server(("127.0.0.1", port)).close()


def test_a_gateway_that_hangs_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway_process, "is_responsive", partial(gateway_process.is_responsive, timeout=0.3))
    port = loopback.free_port()
    with VersionServer("token") as url:
        server = Server(1, url, "handle", "token")
        store = make_store(tmp_path, port, server)
        try:
            gateway_process.ensure_follows(store, f"http://127.0.0.1:{port}", server)
            supervisor = psutil.Process(gateway_process.find_pid(store))
            hung = [*supervisor.children(), supervisor]
            for process in hung:
                process.suspend()
            gateway_process.ensure_follows(store, f"http://127.0.0.1:{port}", server)
            assert gateway_process.find_pid(store) not in (None, supervisor.pid)
            assert all(process_control.has_ended(process) for process in hung)
        finally:
            gateway_process.stop(store)


def test_a_gateway_whose_start_was_interrupted_is_stopped_without_its_file(tmp_path: Path) -> None:
    port = loopback.free_port()
    with VersionServer("token") as url:
        server = Server(1, url, "handle", "token")
        store = make_store(tmp_path, port, server)
        try:
            gateway_process.ensure_follows(store, f"http://127.0.0.1:{port}", server)
            pid = gateway_process.find_pid(store)
            assert pid is not None
            (store.folder / "gateway.pid").unlink()
            gateway_process.stop(DeploymentStore(tmp_path / "olis"))
            assert process_control.is_running(pid, str(store.folder))
        finally:
            gateway_process.stop(store)
    socket.create_server(("127.0.0.1", port)).close()


def test_gateway_that_cannot_listen_is_reported_with_its_log(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        store = make_store(tmp_path, port, Server(1, "http://127.0.0.1:1", "handle", "token"))
        with pytest.raises(DeployError, match=r"does not answer on .*: .*(in use|listen)"):
            gateway_process.ensure_follows(store, "http://127.0.0.1:1", Server(1, "", "", "token"))

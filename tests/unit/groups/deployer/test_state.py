"""The folder of a deployment: state, history, lock."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from mlrunner.core.errors import ConfigError, DeployError
from mlrunner.groups.deployer import state as module
from mlrunner.groups.deployer.release import Server
from mlrunner.groups.deployer.state import Ledger, State, find, ledgers, moved


def server(version: int, token: str = "") -> Server:
    return Server(version, f"http://127.0.0.1:{9000 + version}", f"handle-{version}", token or f"token-{version}")


def state(*line: int, serves: Server | None = None, ready: Server | None = None) -> State:
    return State(
        name="olist",
        host="127.0.0.1",
        port=8000,
        timeout=5.0,
        body_limit=1.0,
        settings={},
        line=list(line),
        serves=serves,
        ready=ready,
    )


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    found = Ledger(tmp_path / "olist")
    found.folder.mkdir()
    return found


@pytest.mark.parametrize("told", [state(), state(1, serves=server(1)), state(1, 2, serves=server(2), ready=server(1))])
def test_a_state_is_read_as_it_was_written(ledger: Ledger, told: State) -> None:
    ledger.write(told)
    assert ledger.state() == told
    assert [file.name for file in ledger.folder.iterdir()] == ["state.json"]


def test_there_is_no_state_before_the_first_deployment_nor_after_it_is_forgotten(ledger: Ledger) -> None:
    assert ledger.state() is None
    ledger.write(state())
    ledger.forget()
    assert ledger.state() is None
    ledger.forget()


def test_a_reader_never_sees_half_a_state(ledger: Ledger) -> None:
    ledger.write(state(*range(500)))
    done = threading.Event()

    def write() -> None:
        for number in range(200):
            ledger.write(state(*range(500 + number % 2)))
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    seen = set()
    while not done.is_set():
        found = ledger.state()
        assert found is not None
        seen.add(len(found.line))
    writer.join()
    assert seen <= {500, 501}


def test_the_history_keeps_the_order_and_every_word(ledger: Ledger) -> None:
    assert ledger.history() == []
    ledger.note("refused", run_id="a", reason="test/r2 0.1 is below 0.2\nand more")
    ledger.note("deployed", version=1)
    events = ledger.history()
    assert [line["event"] for line in events] == ["refused", "deployed"]
    assert events[0]["reason"].endswith("and more")
    assert events[0]["at"].endswith("+00:00")


@pytest.mark.parametrize(
    ("before", "to", "ready"),
    [
        (state(), server(1), None),
        (state(1, serves=server(1)), server(2), 1),
        (state(1, 2, serves=server(2), ready=server(1)), server(3), 2),
        (state(1, 2, serves=server(2), ready=server(1)), server(1), 2),
        (state(1, 2, serves=server(2), ready=server(1)), server(2, "restarted"), 1),
        (state(1, serves=None), server(1), None),
    ],
    ids=["first", "second", "third", "back", "restarted", "after a stop"],
)
def test_the_one_that_served_stays_ready(before: State, to: Server, ready: int | None) -> None:
    after = moved(before, to, [1])
    assert after.serves == to
    assert (None if after.ready is None else after.ready.version) == ready
    assert time.time() - after.since < 5


@pytest.mark.parametrize(
    ("host", "url"), [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::", "[::1]"), ("10.0.0.7", "10.0.0.7")]
)
def test_the_address_can_be_asked_from_here(host: str, url: str) -> None:
    assert replace(state(), host=host).url == f"http://{url}:8000"


def test_the_lock_is_one_at_a_time(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.2)
    failed: list[str] = []

    def other() -> None:
        try:
            with Ledger(ledger.folder).lock():
                pass
        except DeployError as error:
            failed.append(str(error))

    with ledger.lock():
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert failed == ["Another command has been changing deployment olist for 0 s; wait for it or end it."]
    with ledger.lock():
        pass


def deployments(folder: Path, **serving: bool) -> None:
    for name, serves in serving.items():
        one = Ledger(folder / name)
        one.note("deployed", version=1)
        one.write(replace(state(1, serves=server(1) if serves else None), name=name))


def test_a_deployment_is_found_by_name_or_because_there_is_no_other(tmp_path: Path) -> None:
    deployments(tmp_path, olist=False)
    assert find(tmp_path, None).name == "olist"
    deployments(tmp_path, wine=True)
    assert find(tmp_path, None).name == "wine"  # the only one that serves
    assert find(tmp_path, "olist").name == "olist"
    assert [one.name for one in ledgers(tmp_path)] == ["olist", "wine"]


@pytest.mark.parametrize(
    ("serving", "name", "told"),
    [
        ({}, None, "There is no deployment yet; deploy a run with mlrunner deploy RUN."),
        ({"olist": True, "wine": True}, None, "There are several deployments; name one of olist, wine."),
        ({"olist": True}, "olst", "'olst' is no deployment; there are olist. Did you mean 'olist'?"),
    ],
    ids=["none", "several", "misspelt"],
)
def test_what_cannot_be_found_is_said(tmp_path: Path, serving: dict[str, bool], name: str | None, told: str) -> None:
    deployments(tmp_path, **serving)
    with pytest.raises(ConfigError) as refused:
        find(tmp_path, name)
    assert str(refused.value) == told


def test_a_state_is_json_that_the_gateway_reads(ledger: Ledger) -> None:
    ledger.write(state(1, serves=server(1)))
    told = json.loads((ledger.folder / "state.json").read_text())
    assert {"serves", "timeout", "restart", "body_limit", "host", "port"} <= set(told)

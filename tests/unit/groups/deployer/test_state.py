"""The folder of a deployment: state, history, lock."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from mlrunner.core.errors import ConfigError, DeployError
from mlrunner.groups.deployer.release import Server
from mlrunner.groups.deployer.state import DeploymentStore, State, find_deployment, list_deployments, replace_server


def server(version: int, token: str = "") -> Server:
    return Server(version, f"http://127.0.0.1:{9000 + version}", f"handle-{version}", token or f"token-{version}")


def state(*versions: int, active: Server | None = None, ready: Server | None = None) -> State:
    return State(
        name="olist",
        host="127.0.0.1",
        port=8000,
        timeout=5.0,
        body_limit=1.0,
        settings={},
        versions=list(versions),
        active=active,
        ready=ready,
    )


@pytest.fixture
def store(tmp_path: Path) -> DeploymentStore:
    store = DeploymentStore(tmp_path / "olist")
    store.folder.mkdir()
    return store


@pytest.mark.parametrize(
    "written", [state(), state(1, active=server(1)), state(1, 2, active=server(2), ready=server(1))]
)
def test_a_state_is_read_as_it_was_written(store: DeploymentStore, written: State) -> None:
    store.write_state(written)
    assert store.read_state() == written
    assert [file.name for file in store.folder.iterdir()] == ["state.json"]


def test_there_is_no_state_before_the_first_deployment_nor_after_it_is_forgotten(store: DeploymentStore) -> None:
    assert store.read_state() is None
    store.write_state(state())
    store.write_state(None)
    assert store.read_state() is None
    store.write_state(None)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"name": "olist", "ready": null}', "'active'"),
        ('{"active": {"version": 1}, "ready": null}', "Server.__init__() missing 3 required"),
        ('{"active": null, "ready": null, "colour": "blue"}', "State.__init__() got an unexpected keyword"),
        ('{"name": "olist', "Unterminated string"),
    ],
)
def test_state_of_another_version_is_one_sentence(store: DeploymentStore, text: str, reason: str) -> None:
    file = store.folder / "state.json"
    file.write_text(text)
    with pytest.raises(DeployError) as raised:
        store.read_state()
    message = str(raised.value)
    assert message.startswith(f"{file} is not a state of this version of mlrunner ({reason}")
    assert message.endswith("delete the file and deploy again: mlrunner deploy RUN deployer.name=olist.")
    assert "\n" not in message


def test_a_reader_never_sees_half_a_state(store: DeploymentStore) -> None:
    store.write_state(state(*range(500)))
    done = threading.Event()

    def write() -> None:
        for number in range(200):
            store.write_state(state(*range(500 + number % 2)))
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    seen = set()
    while not done.is_set():
        current = store.read_state()
        assert current is not None
        seen.add(len(current.versions))
    writer.join()
    assert seen <= {500, 501}


def test_the_history_keeps_the_order_and_every_word(store: DeploymentStore) -> None:
    assert store.read_history() == []
    store.log_event("refused", run_id="a", reason="test/r2 0.1 is below 0.2\nand more")
    store.log_event("deployed", version=1)
    events = store.read_history()
    assert [line["event"] for line in events] == ["refused", "deployed"]
    assert events[0]["reason"].endswith("and more")
    assert events[0]["at"].endswith("+00:00")


@pytest.mark.parametrize(
    ("before", "to", "ready"),
    [
        (state(), server(1), None),
        (state(1, active=server(1)), server(2), 1),
        (state(1, 2, active=server(2), ready=server(1)), server(3), 2),
        (state(1, 2, active=server(2), ready=server(1)), server(1), 2),
        (state(1, 2, active=server(2), ready=server(1)), server(2, "restarted"), 1),
        (state(1, active=None), server(1), None),
    ],
    ids=["first", "second", "third", "back", "restarted", "after a stop"],
)
def test_the_one_that_served_stays_ready(before: State, to: Server, ready: int | None) -> None:
    after = replace_server(before, to, [1])
    assert after.active == to
    assert (None if after.ready is None else after.ready.version) == ready
    assert time.time() - after.since < 5


@pytest.mark.parametrize(
    ("host", "url"), [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::", "[::1]"), ("10.0.0.7", "10.0.0.7")]
)
def test_the_address_can_be_asked_from_here(host: str, url: str) -> None:
    assert replace(state(), host=host).url == f"http://{url}:8000"


def test_the_lock_is_one_at_a_time(store: DeploymentStore) -> None:
    failed: list[str] = []

    def other() -> None:
        try:
            with DeploymentStore(store.folder, lock_timeout=0.2).lock():
                pass
        except DeployError as error:
            failed.append(str(error))

    with store.lock():
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert failed == ["Another command has been changing deployment olist for 0 s; wait for it or end it."]
    with store.lock():
        pass


def deployments(folder: Path, **serving: bool) -> None:
    for name, serves in serving.items():
        store = DeploymentStore(folder / name)
        store.log_event("deployed", version=1)
        store.write_state(replace(state(1, active=server(1) if serves else None), name=name))


def test_a_deployment_is_found_by_name_or_because_there_is_no_other(tmp_path: Path) -> None:
    deployments(tmp_path, olist=False)
    assert find_deployment(tmp_path, None).name == "olist"
    deployments(tmp_path, wine=True)
    assert find_deployment(tmp_path, None).name == "wine"  # the only one that serves
    assert find_deployment(tmp_path, "olist").name == "olist"
    assert [store.name for store in list_deployments(tmp_path)] == ["olist", "wine"]


@pytest.mark.parametrize(
    ("serving", "name", "sentence"),
    [
        ({}, None, "There is no deployment yet; deploy a run with mlrunner deploy RUN."),
        ({"olist": True, "wine": True}, None, "There are several deployments; name one of olist, wine."),
        ({"olist": True}, "olst", "There is no deployment 'olst'; available: olist. Did you mean 'olist'?"),
    ],
    ids=["none", "several", "misspelt"],
)
def test_missing_or_ambiguous_deployment_is_refused(
    tmp_path: Path, serving: dict[str, bool], name: str | None, sentence: str
) -> None:
    deployments(tmp_path, **serving)
    with pytest.raises(ConfigError) as refused:
        find_deployment(tmp_path, name)
    assert str(refused.value) == sentence


def test_a_state_is_json_that_the_gateway_reads(store: DeploymentStore) -> None:
    store.write_state(state(1, active=server(1)))
    fields = json.loads((store.folder / "state.json").read_text())
    assert {"active", "timeout", "restart", "body_limit", "host", "port"} <= set(fields)

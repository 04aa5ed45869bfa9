"""Zero-downtime rollout: start the new server, test it, move the alias, switch the address, keep the old one ready.

A failure before the switch leaves the old server serving and untouched.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from mlrunner.core import loopback
from mlrunner.core.errors import DeployError
from mlrunner.groups.deployer import Deployment, daemons, gateway_process
from mlrunner.groups.deployer.release import Release, Server, ServerBackend
from mlrunner.groups.deployer.state import DeploymentStore, State, replace_server
from mlrunner.serving import identity
from mlrunner.tracking import model_registry

START_ATTEMPTS = 3  # another process may take the port between the search for a free one and the start


def roll_out(backend: ServerBackend, store: DeploymentStore, release: Release, versions: list[int]) -> Deployment:
    """Make a release the active one.

    Args:
        backend: Deployer that starts and stops the servers.
        store: Folder of the deployment, whose lock is held.
        release: Release to serve.
        versions: Versions that have then served, ending with this one.

    Raises:
        DeployError: When the rollout fails; the previous server still serves.
    """
    before = store.read_state()
    try:
        after = _start_and_switch(backend, store, before, release, versions)
    except BaseException:
        with suppress(Exception):  # what is not undone stays recorded, for the next command
            _undo(backend, store, before)
        raise
    for server in [] if before is None else before.servers:
        if server.token in after.unwanted:
            backend.stop(server)
    store.write_state(replace(after, unwanted=[]))
    return Deployment(store.name, release.version, after.url, f"at {after.url}/invocations")


def _start_and_switch(
    backend: ServerBackend, store: DeploymentStore, before: State | None, release: Release, versions: list[int]
) -> State:
    has_same_settings = before is not None and before.settings == backend.state_settings()["settings"]
    running = before.find_server(release.version) if before is not None and has_same_settings else None
    if running is not None and backend.is_alive(running) and _is_answering(running):
        smoke_test(running.url, release)
        return _switch_address(backend, store, before, running, versions)
    base = State(store.name, **backend.state_settings()) if before is None else before

    def announce(token: str) -> None:
        store.write_state(replace(base, unwanted=[token]))

    with running_server(backend, release, announce) as server:
        return _switch_address(backend, store, before, server, versions)


def _undo(backend: ServerBackend, store: DeploymentStore, before: State | None) -> None:
    """Restore the state once the announced servers are gone: the command that stops one may have been interrupted."""
    state = store.read_state()
    for token in [] if state is None else state.unwanted:
        backend.discard(token)
    store.write_state(before)


@contextmanager
def running_server(backend: ServerBackend, release: Release, announce: Callable[[str], object]) -> Iterator[Server]:
    """Start and test a server; stop it again when the test or the block fails.

    Args:
        backend: Deployer that starts and stops it.
        release: Release to serve.
        announce: Function that records the token of a server before it starts, so that one whose starter was killed
            is found.
    """
    server = _start_until_ready(backend, release, announce)
    try:
        smoke_test(server.url, release)
        yield server
    except BaseException:
        backend.stop(server)
        raise


def _start_until_ready(backend: ServerBackend, release: Release, announce: Callable[[str], object]) -> Server:
    for attempt in range(START_ATTEMPTS):
        token = identity.create_token()
        announce(token)
        server = backend.start(release, token)
        try:
            _wait_until_ready(backend, server, release)
            return server
        except BaseException as error:
            log = backend.log(server)
            backend.stop(server)
            if "cannot listen" not in log or attempt == START_ATTEMPTS - 1 or not isinstance(error, DeployError):
                raise
    raise AssertionError


def _wait_until_ready(backend: ServerBackend, server: Server, release: Release) -> None:
    deadline = time.monotonic() + backend.start_timeout
    while not _is_answering(server):
        if not backend.is_alive(server) and not _is_answering(server):
            last_line = daemons.get_last_line(backend.log(server))
            raise DeployError(f"Version {release.version} of {release.name} does not start: {last_line}")
        if time.monotonic() > deadline:
            raise DeployError(
                f"Version {release.version} did not answer within {backend.start_timeout:g} s; set "
                f"deployer.start_timeout higher. Its log ends: {daemons.get_last_line(backend.log(server))}"
            )
        time.sleep(0.05)


def _is_answering(server: Server) -> bool:
    """Check that this server, and no other process, answers on its port."""
    return identity.is_own(server.url, server.token)


def smoke_test(url: str, release: Release) -> None:
    """Request predictions for the model's input example, and compare them with those of the model in memory.

    Raises:
        DeployError: When the predictions differ or do not come.
    """
    status, answer = loopback.request_json(f"{url}/invocations", release.example, timeout=30.0)
    predictions = answer.get("predictions") if isinstance(answer, dict) else None
    if status != 200 or not isinstance(predictions, list):
        reason = answer.get("message") if isinstance(answer, dict) else answer
        raise DeployError(f"Version {release.version} does not answer its own input example: {status} {reason}")
    if not are_close(predictions, release.expected):
        raise DeployError(
            f"Version {release.version} predicts {predictions[:3]} for its input example, but the model in memory "
            f"predicts {release.expected[:3]}; are the same libraries installed where it serves?"
        )


def are_close(predictions: list[Any], expected: list[Any]) -> bool:
    """Check whether predictions are equal, numbers up to a relative difference of 1e-6."""
    return len(predictions) == len(expected) and all(map(_is_close, predictions, expected))


def _is_close(prediction: Any, expected: Any) -> bool:
    if not isinstance(prediction, float) and not isinstance(expected, float):
        return bool(prediction == expected)
    number = math.nan if prediction is None else prediction  # NaN is null in JSON
    return math.isclose(number, expected, rel_tol=1e-6, abs_tol=1e-9) or (math.isnan(number) and math.isnan(expected))


def _switch_address(
    backend: ServerBackend, store: DeploymentStore, before: State | None, server: Server, versions: list[int]
) -> State:
    """Move the alias, then the address; restore both when the gateway does not follow."""
    settings = {**backend.state_settings(), "restart": backend.restart_command(store.folder)}
    base = State(store.name, **settings) if before is None else replace(before, **settings)
    state = replace_server(base, server, versions)
    champion = model_registry.get_version(store.name)
    try:
        model_registry.set_alias(store.name, model_registry.CHAMPION, server.version)
        store.write_state(state)
        gateway_process.ensure_follows(store, state.url, server)
    except BaseException:
        _restore(store, before, base, server, None if champion is None else int(champion.version))
        raise
    return state


def _restore(store: DeploymentStore, before: State | None, base: State, server: Server, champion: int | None) -> None:
    with suppress(Exception):  # the first error is the one to report
        model_registry.set_alias(store.name, model_registry.CHAMPION, champion)
    state = before or base
    unwanted = [] if server in state.servers else [server.token]  # until it is stopped
    store.write_state(replace(state, unwanted=unwanted))
    if before is None or before.active is None:
        gateway_process.stop(store)

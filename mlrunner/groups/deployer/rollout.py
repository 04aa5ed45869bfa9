"""The zero-downtime switch: start new, wait, smoke-test, move the alias, point the address, keep the old one ready.

Whatever fails before the address is pointed elsewhere leaves the old server serving and untouched.
"""

from __future__ import annotations

import math
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any, Protocol

from mlrunner.core import loopback
from mlrunner.core.errors import DeployError
from mlrunner.groups.deployer import Deployment, daemons, gateway_process
from mlrunner.groups.deployer.release import Release, Server
from mlrunner.groups.deployer.state import Ledger, State, moved
from mlrunner.tracking import model_registry


class Serving(Protocol):
    """Start and stop servers: what a rollout needs of a deployer; see `base_serving.ServedDeployer`."""

    @property
    def start_timeout(self) -> float:
        """Seconds until a server must answer."""

    def start(self, release: Release, token: str) -> Server:
        """Start a server without waiting until it answers."""

    def is_alive(self, server: Server) -> bool:
        """Check whether the server's process or container exists."""

    def stop(self, server: Server) -> None:
        """Stop a server; one that has ended already is fine."""

    def log(self, server: Server) -> str:
        """Read the last lines that the server printed."""

    def stated(self) -> dict[str, Any]:
        """Return the settings that the deployment's state keeps."""

    def first_state(self) -> State:
        """Return the state of a deployment that has not served yet."""


ATTEMPTS = 3  # to start a server whose port somebody else took between the look and the start


def switch(deployer: Serving, ledger: Ledger, release: Release, line: list[int]) -> Deployment:
    """Let a release serve.

    Args:
        deployer: Starts and stops the servers.
        ledger: Of the deployment; its lock is held.
        release: To serve.
        line: The versions that have then served, ending with this one.

    Raises:
        DeployError: When it cannot; what served before still does.
    """
    before = ledger.state()
    same_settings = before is not None and before.settings == deployer.stated()["settings"]
    running = before.server_of(release.version) if before is not None and same_settings else None
    if running is not None and deployer.is_alive(running) and _is_its_own(running):
        smoke(running.url, release)
        after = _point(deployer, ledger, before, running, line)
    else:
        with started(deployer, release) as server:
            after = _point(deployer, ledger, before, server, line)
    stay = [server.token for server in after.servers]
    for left in [] if before is None else before.servers:
        if left.token not in stay:
            deployer.stop(left)
    return Deployment(ledger.name, release.version, after.url, f"at {after.url}/invocations")


@contextmanager
def started(deployer: Serving, release: Release) -> Iterator[Server]:
    """Start a server, wait until it answers as it should; stop it again when that or what follows fails."""
    server = _answering(deployer, release)
    try:
        smoke(server.url, release)
        yield server
    except BaseException:
        deployer.stop(server)
        raise


def _answering(deployer: Serving, release: Release) -> Server:
    for attempt in range(ATTEMPTS):
        server = deployer.start(release, uuid.uuid4().hex)
        try:
            until = time.monotonic() + deployer.start_timeout
            while not _is_its_own(server):
                _refuse_dead(deployer, server, release)
                if time.monotonic() > until:
                    raise DeployError(
                        f"Version {release.version} did not answer within {deployer.start_timeout:g} s; set "
                        f"deployer.start_timeout higher. Its log ends: {daemons.last(deployer.log(server))}"
                    )
                time.sleep(0.05)
            return server
        except BaseException as error:
            log = deployer.log(server)
            deployer.stop(server)
            if "cannot listen" not in log or attempt == ATTEMPTS - 1 or not isinstance(error, DeployError):
                raise
    raise AssertionError


def _refuse_dead(deployer: Serving, server: Server, release: Release) -> None:
    if deployer.is_alive(server) or _is_its_own(server):
        return
    raise DeployError(
        f"Version {release.version} of {release.name} does not start: {daemons.last(deployer.log(server))}"
    )


def _is_its_own(server: Server) -> bool:
    """Tell whether it is this server that answers on its port, and nobody else."""
    status, told = loopback.request_json(f"{server.url}/version", timeout=2.0)
    return status == 200 and isinstance(told, dict) and told.get("instance") == server.token


def smoke(url: str, release: Release) -> None:
    """Ask for predictions of the model's own input example.

    Raises:
        DeployError: When they are not what the model itself predicts.
    """
    status, told = loopback.request_json(f"{url}/invocations", release.example, timeout=30.0)
    found = told.get("predictions") if isinstance(told, dict) else None
    if status != 200 or not isinstance(found, list):
        reason = told.get("message") if isinstance(told, dict) else told
        raise DeployError(f"Version {release.version} does not answer its own input example: {status} {reason}")
    if not same(found, release.expected):
        raise DeployError(
            f"Version {release.version} answers its input example with {found[:3]}, but the model itself says "
            f"{release.expected[:3]}; are the same libraries installed where it serves?"
        )


def same(found: list[Any], expected: list[Any]) -> bool:
    """Tell whether predictions are the same, numbers up to their rounding."""
    return len(found) == len(expected) and all(map(_same, found, expected))


def _same(found: Any, expected: Any) -> bool:
    if isinstance(found, float) or isinstance(expected, float):
        number = found if found is not None else math.nan
        return math.isclose(number, expected, rel_tol=1e-6, abs_tol=1e-9) or (number != number and expected != expected)
    return bool(found == expected)


def _point(deployer: Serving, ledger: Ledger, before: State | None, server: Server, line: list[int]) -> State:
    """Move the alias, then the address; both back when the gateway does not follow."""
    base = before if before is not None else deployer.first_state()
    told = {**deployer.stated(), "restart": gateway_process.restart_command(ledger)}
    state = moved(replace(base, **told), server, line)
    champion = model_registry.get_version(ledger.name)
    try:
        model_registry.set_alias(ledger.name, model_registry.CHAMPION, server.version)
        ledger.write(state)
        gateway_process.follow(ledger, state.url, server)
    except BaseException:
        _back(ledger, before, None if champion is None else int(champion.version))
        raise
    return state


def _back(ledger: Ledger, before: State | None, champion: int | None) -> None:
    with suppress(Exception):  # what went wrong first matters more
        if champion is None:
            model_registry.delete_alias(ledger.name, model_registry.CHAMPION)
        else:
            model_registry.set_alias(ledger.name, model_registry.CHAMPION, champion)
    if before is not None:
        ledger.write(before)
    if before is None or before.serves is None:
        gateway_process.end(ledger)
    if before is None:
        ledger.forget()

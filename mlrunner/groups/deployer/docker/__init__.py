"""Config option `deployer=docker`: each model version in a container of its own."""

from __future__ import annotations

import logging
import math
import random
import socket
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from mlrunner.core import loopback
from mlrunner.core.build import dataclass
from mlrunner.core.containers import base_image, engine
from mlrunner.core.containers.base_image import Base
from mlrunner.core.containers.engine import docker_errors, open_client
from mlrunner.core.environment import TOKEN_VARIABLE
from mlrunner.core.errors import DeployError
from mlrunner.groups.deployer.base_serving import EndpointDeployer
from mlrunner.groups.deployer.docker import dockerfile, image
from mlrunner.groups.deployer.release import Release, Server
from mlrunner.serving import identity

log = logging.getLogger(__name__)

INSTANCE_LABEL = "mlrunner.instance"
PORTS = range(20_000, 32_000)  # below the ports of outgoing connections
PORT_ATTEMPTS = 5
PORT_ERRORS = ("already allocated", "already in use", "ports are not available")
CRASH_LIMIT = 3  # restarts after which a container that restarts counts as dead
LOG_LINES = 200
HARDENED = {
    "detach": True,
    "user": dockerfile.USER,
    "read_only": True,
    "tmpfs": {"/tmp": "rw,noexec,nosuid,nodev,size=64m,mode=1777"},
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges"],
}


def _read_restart(value: object) -> object:
    """Convert false, as which YAML reads `no`, back to the word."""
    return "no" if value is False else value


@dataclass
class DockerDeployer(EndpointDeployer):
    """Serves each version in a container without root, capabilities or a writable file system.

    Args:
        base: Base image, with the Python version that runs here; null takes `python:X.Y-slim`.
        image: Repository of the built images, whose tags are the versions.
        memory: Memory limit of a container such as `1g`; null sets no limit.
        cpus: Number of processors that a container may use; null sets no limit.
        restart: Restart policy of the engine.
    """

    base: str | None
    image: Annotated[str, Field(min_length=1)]
    memory: Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)?[bkmgBKMG]$")] | None
    cpus: Annotated[float, Field(gt=0)] | None
    restart: Annotated[Literal["unless-stopped", "on-failure", "no"], BeforeValidator(_read_restart)]

    @property
    def base_name(self) -> str:
        """Base image to build on."""
        return self.base or base_image.name_slim_image()

    def problems(self) -> list[str]:
        """See `Deployer.problems`."""
        problems = super().problems()
        try:
            with open_client() as client:
                return [*problems, *base_image.find_problems(client, Base(self.base_name)), *self._check_cpus(client)]
        except DeployError as error:
            return [*problems, str(error)]

    def _check_cpus(self, client: Any) -> list[str]:
        available = client.info()["NCPU"]
        if self.cpus is None or self.cpus <= available:
            return []
        return [f"deployer.cpus={self.cpus:g} is more than the {available} processors that Docker's engine has."]

    def start(self, release: Release, token: str) -> Server:
        """See `EndpointDeployer.start`."""
        with open_client() as client:
            tag = image.ensure_image(client, release, self.base_name, self.image)
            container, port = self._run(client, tag, release, token)
            return Server(release.version, f"http://{loopback.HOST}:{port}", container.id, token)

    def _run(self, client: Any, tag: str, release: Release, token: str) -> tuple[Any, int]:
        """Start a container on a fixed port, which it keeps when the engine restarts it."""
        for attempt in range(1, PORT_ATTEMPTS + 1):
            port = find_free_port()
            container = client.containers.create(tag, **self._container_settings(release, token, port))
            try:
                container.start()
            except BaseException as error:
                container.remove(force=True)  # it would stay in the state `Created`
                if not isinstance(error, docker_errors().APIError) or not any(
                    words in str(error) for words in PORT_ERRORS
                ):
                    raise
                log.info("port %d is in use (attempt %d)", port, attempt)
            else:
                return container, port
        raise DeployError(
            f"No port of {PORTS.start} to {PORTS.stop - 1} was free in {PORT_ATTEMPTS} attempts; try again."
        )

    def _container_settings(self, release: Release, token: str, port: int) -> dict[str, Any]:
        """Build the arguments of `containers.create`."""
        return {
            "name": f"mlrunner-{self.name}-{release.version}-{token[:8]}",
            "command": ["--host", "0.0.0.0", "--port", str(dockerfile.PORT), *self.arguments()],
            "environment": {TOKEN_VARIABLE: token, **self._threads()},
            "ports": {f"{dockerfile.PORT}/tcp": (loopback.HOST, port)},
            "labels": {
                "mlrunner.deployment": self.name,
                "mlrunner.version": str(release.version),
                INSTANCE_LABEL: identity.instance_name(token),
                "mlrunner.home": self.folder,
            },
            "restart_policy": {"Name": self.restart},
            "log_config": {"type": "json-file", "config": {"max-size": "10m", "max-file": "3"}},
            **self._limits(),
            **HARDENED,
        }

    def _limits(self) -> dict[str, Any]:
        memory = {} if self.memory is None else {"mem_limit": self.memory, "memswap_limit": self.memory}
        return memory if self.cpus is None else {**memory, "nano_cpus": int(self.cpus * 1e9)}

    def _threads(self) -> dict[str, str]:
        """Limit the threads of numerical libraries, which start one for each processor of the machine."""
        return {} if self.cpus is None else {"OMP_NUM_THREADS": str(max(1, math.ceil(self.cpus)))}

    def is_alive(self, server: Server) -> bool:
        """See `EndpointDeployer.is_alive`; a restarting container is alive unless it crashes in a loop."""
        try:
            with open_client() as client:
                container = _find_container(client, server)
        except DeployError:  # no engine, no container
            return False
        if container is None:
            return False
        state, restarts = container.attrs["State"], container.attrs["RestartCount"]
        return bool(restarts < CRASH_LIMIT if state["Restarting"] else state["Running"])

    def stop(self, server: Server) -> None:
        """See `EndpointDeployer.stop`."""
        with open_client() as client:
            container = _find_container(client, server)
            if container is not None:
                engine.remove(container)

    def discard(self, token: str) -> None:
        """See `EndpointDeployer.discard`."""
        label = f"{INSTANCE_LABEL}={identity.instance_name(token)}"
        with open_client() as client:
            for container in client.containers.list(all=True, filters={"label": label}):
                engine.remove(container)

    def log(self, server: Server) -> str:
        """See `EndpointDeployer.log`."""
        try:
            with open_client() as client:
                container = _find_container(client, server)
                return "" if container is None else container.logs(tail=LOG_LINES).decode(errors="replace")
        except DeployError as error:
            return str(error)


def _find_container(client: Any, server: Server) -> Any | None:
    try:
        return client.containers.get(server.handle)
    except docker_errors().NotFound:
        return None


def find_free_port() -> int:
    """Find a free port of the loopback address in `PORTS`.

    Raises:
        DeployError: When all are in use.
    """
    for port in random.SystemRandom().sample(PORTS, len(PORTS)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((loopback.HOST, port))
            except OSError:
                continue
            return port
    raise DeployError(f"All ports from {PORTS.start} to {PORTS.stop - 1} are in use.")

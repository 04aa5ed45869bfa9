"""Config option `deployer=docker`: each version of a model in a container of its own, behind the stable address."""

from __future__ import annotations

import logging
import math
import random
import socket
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from mlrunner.core.build import dataclass
from mlrunner.core.errors import DeployError
from mlrunner.groups.deployer.base_serving import ServedDeployer
from mlrunner.groups.deployer.docker import base_image as bases
from mlrunner.groups.deployer.docker import dockerfile, image
from mlrunner.groups.deployer.docker.engine import engine, faults
from mlrunner.groups.deployer.docker.requirements import here
from mlrunner.groups.deployer.release import Release, Server

log = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"
PORTS = range(20_000, 32_000)  # below those that systems give to outgoing connections
ATTEMPTS = 5
TAKEN = ("already allocated", "already in use", "ports are not available")
CRASHES = 3  # restarts after which a container that is down counts as gone
LINES = 200
SECONDS_TO_STOP = 10
HARDENED = {
    "detach": True,
    "user": dockerfile.USER,
    "read_only": True,
    "tmpfs": {"/tmp": "rw,noexec,nosuid,nodev,size=64m,mode=1777"},
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges"],
}


def _unquoted(value: object) -> object:
    """YAML reads `no` as false."""
    return "no" if value is False else value


@dataclass
class DockerDeployer(ServedDeployer):
    """Serves each version in a container: not root, nothing writable, no capabilities, limited.

    Args:
        base: The image to build on, with the Python that runs here; null takes `python:X.Y-slim`.
        image: The repository of the built images; their tags are the versions.
        memory: What a container may use, like 1g; null sets no limit.
        cpus: How many processors it may use; null sets no limit.
        restart: When the engine starts it again by itself.
    """

    base: str | None
    image: Annotated[str, Field(min_length=1)]
    memory: Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)?[bkmgBKMG]$")] | None
    cpus: Annotated[float, Field(gt=0)] | None
    restart: Annotated[Literal["unless-stopped", "on-failure", "no"], BeforeValidator(_unquoted)]

    @property
    def base_image(self) -> str:
        """The image to build on."""
        return self.base or f"python:{here().minor}-slim"

    def problems(self) -> list[str]:
        """See `Deployer.problems`."""
        found = super().problems()
        try:
            with engine() as client:
                return [*found, *bases.problems(client, self.base_image), *self._too_much(client)]
        except DeployError as error:
            return [*found, str(error)]

    def _too_much(self, client: Any) -> list[str]:
        there = client.info()["NCPU"]
        if self.cpus is None or self.cpus <= there:
            return []
        return [f"deployer.cpus={self.cpus:g} is more than the {there} processors that Docker's engine has."]

    def start(self, release: Release, token: str) -> Server:
        """See `ServedDeployer.start`."""
        with engine() as client:
            tag = image.ensure(client, release, self.base_image, self.image)
            container, port = self._run(client, tag, release, token)
            return Server(release.version, f"http://{LOOPBACK}:{port}", container.id, token)

    def _run(self, client: Any, tag: str, release: Release, token: str) -> tuple[Any, int]:
        """Start a container on a port that stays its own when the engine starts it again."""
        for attempt in range(1, ATTEMPTS + 1):
            port = free_port()
            container = client.containers.create(tag, **self._settings(release, token, port))
            try:
                container.start()
            except BaseException as error:
                container.remove(force=True)  # it would stay as `Created`
                if not isinstance(error, faults().APIError) or not any(words in str(error) for words in TAKEN):
                    raise
                log.info("port %d was taken in the meantime (attempt %d)", port, attempt)
            else:
                return container, port
        raise DeployError(
            f"No port of {PORTS.start} to {PORTS.stop - 1} could be had in {ATTEMPTS} attempts; try again."
        )

    def _settings(self, release: Release, token: str, port: int) -> dict[str, Any]:
        """Say how a container runs."""
        return {
            "name": f"mlrunner-{self.name}-{release.version}-{token[:8]}",
            "command": ["--host", "0.0.0.0", "--port", str(dockerfile.PORT), *self.arguments()],
            "environment": {"MLRUNNER_TOKEN": token, **self._threads()},
            "ports": {f"{dockerfile.PORT}/tcp": (LOOPBACK, port)},
            "labels": {
                "mlrunner.deployment": self.name,
                "mlrunner.version": str(release.version),
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
        """Keep libraries from starting a thread for each processor of the machine and then waiting for each other."""
        return {} if self.cpus is None else {"OMP_NUM_THREADS": str(max(1, math.ceil(self.cpus)))}

    def is_alive(self, server: Server) -> bool:
        """See `ServedDeployer.is_alive`; one about to be started again is alive, unless it crashes in a loop."""
        try:
            with engine() as client:
                container = _container(client, server)
        except DeployError:  # without an engine nothing runs
            return False
        if container is None:
            return False
        state, restarts = container.attrs["State"], container.attrs["RestartCount"]
        return bool(restarts < CRASHES if state["Restarting"] else state["Running"])

    def stop(self, server: Server) -> None:
        """See `ServedDeployer.stop`."""
        with engine() as client:
            container = _container(client, server)
            if container is None:
                return
            try:
                container.stop(timeout=SECONDS_TO_STOP)
                container.remove(v=True, force=True)
            except faults().NotFound:
                return
            except faults().APIError as error:
                if "already in progress" not in str(error):
                    raise

    def log(self, server: Server) -> str:
        """See `ServedDeployer.log`."""
        try:
            with engine() as client:
                container = _container(client, server)
                return "" if container is None else container.logs(tail=LINES).decode(errors="replace")
        except DeployError as error:
            return str(error)


def _container(client: Any, server: Server) -> Any | None:
    try:
        return client.containers.get(server.handle)
    except faults().NotFound:
        return None


def free_port() -> int:
    """Find a port of the loopback address that nobody listens on."""
    for port in random.SystemRandom().sample(PORTS, len(PORTS)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            return port
    raise DeployError(f"Every port of {PORTS.start} to {PORTS.stop - 1} is taken.")

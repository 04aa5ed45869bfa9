"""What `local` and `docker` have in common: one stable address, servers that come and go behind it."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from mlrunner.core import loopback
from mlrunner.core.build import dataclass
from mlrunner.groups.deployer import Candidate, Deployment
from mlrunner.groups.deployer.base_registered import ServingDeployer
from mlrunner.groups.deployer.release import Release, Server
from mlrunner.groups.deployer.state import State, ledgers
from mlrunner.groups.gate import Decision


@dataclass
class ServedDeployer(ServingDeployer):
    """Serves one version of a model at a stable address, keeping the one before ready.

    Args:
        host: The address to listen on.
        port: The stable port.
    """

    host: str
    port: Annotated[int, Field(ge=1, le=65535)]

    @abstractmethod
    def start(self, release: Release, token: str) -> Server:
        """Start a server on a release, and return without waiting until it answers.

        Args:
            release: What it serves.
            token: What its `/version` must tell as `instance`.

        Raises:
            DeployError: When it cannot be started.
        """

    @abstractmethod
    def is_alive(self, server: Server) -> bool:
        """Tell whether the server's process or container is there."""

    @abstractmethod
    def stop(self, server: Server) -> None:
        """Stop a server and free what it held; one that is gone already is fine."""

    @abstractmethod
    def log(self, server: Server) -> str:
        """Read what the server printed last."""

    def problems(self) -> list[str]:
        """Refuse an address that somebody else has, or that the deployment cannot move to."""
        state = self.ledger.state()
        if state is not None and state.serves is not None:
            if (state.host, state.port) == (self.host, self.port):
                return []
            return [
                f"deployer.port={self.port}, but deployment {self.name} answers on {state.host}:{state.port}; leave "
                f"deployer.host and deployer.port as they were, or mlrunner stop {self.name} first."
            ]
        why = loopback.bind_error(self.host, self.port)
        return [] if why is None else [f"deployer.port={self.port} cannot be listened on: {self._holder(why)}"]

    def _holder(self, why: str) -> str:
        for other in ledgers(Path(self.folder)):
            state = other.state()
            if state is not None and state.serves is not None and state.port == self.port:
                return f"deployment {other.name} answers there; choose another port, or mlrunner stop {other.name}."
        return f"{why}; choose another port."

    def put(self, candidate: Candidate, decision: Decision) -> Deployment:
        """See `RegisteredDeployer.put`: register, start new, check it, switch, keep the old one."""
        from mlrunner.groups.deployer import packaging, rollout

        ledger = self.ledger
        release = packaging.release(ledger, candidate, decision)
        state = ledger.state()
        line = [number for number in ([] if state is None else state.line) if number != release.version]
        return rollout.switch(self, ledger, release, [*line, release.version])

    def stated(self) -> dict[str, Any]:
        """The settings that the state keeps."""
        settings = {"_target_": f"{type(self).__module__}.{type(self).__name__}", **asdict(self)}
        return {
            "host": self.host,
            "port": self.port,
            "timeout": self.request_timeout,
            "body_limit": self.body_limit,
            "settings": settings,
        }

    def first_state(self) -> State:
        """The state of a deployment that has not served yet."""
        return State(name=self.name, **self.stated())

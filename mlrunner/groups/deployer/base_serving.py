"""Base class of deployers that serve at a stable address on this machine."""

from __future__ import annotations

import dataclasses
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from mlrunner.core import loopback
from mlrunner.core.build import dataclass
from mlrunner.groups.deployer import Candidate, Deployment
from mlrunner.groups.deployer.base_registered import ModelServerDeployer
from mlrunner.groups.deployer.release import ServerBackend
from mlrunner.groups.deployer.state import list_deployments
from mlrunner.groups.gate import Decision


@dataclass
class EndpointDeployer(ModelServerDeployer, ServerBackend):
    """Serves one model version at a stable address and keeps the previous one ready.

    Args:
        host: Address to listen on.
        port: Stable port.
        allowed_hosts: Names by which clients may reach it, besides the address and the names of this machine.
    """

    host: str
    port: Annotated[int, Field(ge=1, le=65535)]
    allowed_hosts: list[str] = dataclasses.field(default_factory=list, kw_only=True)

    def problems(self) -> list[str]:
        """Refuse an address that is in use or that the running deployment cannot move to."""
        state = self.store.read_state()
        if state is not None and state.active is not None:
            if (state.host, state.port) == (self.host, self.port):
                return []
            return [
                f"deployer.port={self.port}, but deployment {self.name} answers on {state.host}:{state.port}; leave "
                f"deployer.host and deployer.port as they were, or mlrunner stop {self.name} first."
            ]
        error = loopback.bind_error(self.host, self.port)
        return [] if error is None else [f"deployer.port={self.port} cannot be listened on: {self._explain(error)}"]

    def _explain(self, error: str) -> str:
        for other in list_deployments(Path(self.folder)):
            state = other.read_state()
            if state is not None and state.active is not None and state.port == self.port:
                return f"deployment {other.name} answers there; choose another port, or mlrunner stop {other.name}."
        return f"{error}; choose another port."

    def deploy_locked(self, candidate: Candidate, decision: Decision) -> Deployment:
        """See `RegisteredDeployer.deploy_locked`."""
        from mlrunner.groups.deployer import packaging, recovery, rollout

        store = self.store
        recovery.recover(store)
        release = packaging.create_release(store, candidate, decision)
        state = store.read_state()
        earlier = [version for version in ([] if state is None else state.versions) if version != release.version]
        return rollout.roll_out(self, store, release, [*earlier, release.version])

    def restart_command(self, folder: Path) -> list[str]:
        """See `ServerBackend.restart_command`."""
        return [sys.executable, "-m", "mlrunner", "deploy", "--restart", folder.name]

    def state_settings(self) -> dict[str, Any]:
        """See `ServerBackend.state_settings`."""
        settings = {"_target_": f"{type(self).__module__}.{type(self).__name__}", **asdict(self), "replace": False}
        return {
            "host": self.host,
            "port": self.port,
            "timeout": self.request_timeout,
            "body_limit": self.body_limit,
            "settings": settings,
        }

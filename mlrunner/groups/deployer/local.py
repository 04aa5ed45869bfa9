"""Servers as processes of this machine, under ZenML's `MLFlowModelDeployer` of the active stack."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from mlrunner.core import loopback, process_control
from mlrunner.core.build import dataclass
from mlrunner.core.errors import DeployError
from mlrunner.groups.deployer import daemons
from mlrunner.groups.deployer.base_serving import ServedDeployer
from mlrunner.groups.deployer.release import Release, Server

if TYPE_CHECKING:
    from zenml.integrations.mlflow.model_deployers import MLFlowModelDeployer

LOOPBACK = "127.0.0.1"


@dataclass
class LocalDeployer(ServedDeployer):
    """Each server is a service of ZenML's MLflow deployer: `zenml model-deployer models list` shows it."""

    def start(self, release: Release, token: str) -> Server:
        """See `ServedDeployer.start`."""
        from mlrunner.groups.deployer import zenml_service

        port = loopback.free_port()
        command = (
            *(sys.executable, "-m", "mlrunner.serving", str(release.folder), "--host", LOOPBACK),
            *("--port", str(port), "--token", token, *self.arguments()),
        )
        try:
            service = zenml_service.start(_stack_deployer(), release, port, command)
        except BaseException:  # Ctrl-C as well: nobody knows of the process yet
            process_control.terminate_all(token)
            raise
        pid = daemons.read_pid(Path(str(service.status.pid_file)))  # ZenML sees no process that has no command yet
        return Server(release.version, f"http://{LOOPBACK}:{port}", str(service.uuid), token, pid)

    def is_alive(self, server: Server) -> bool:
        """See `ServedDeployer.is_alive`."""
        return process_control.is_running(server.pid, server.token)

    def stop(self, server: Server) -> None:
        """See `ServedDeployer.stop`; the process goes first, for ZenML would poll it by the second."""
        from mlrunner.groups.deployer import zenml_service

        process_control.terminate(server.pid, server.token)
        zenml_service.delete(_stack_deployer(), UUID(server.handle))

    def log(self, server: Server) -> str:
        """See `ServedDeployer.log`."""
        from mlrunner.groups.deployer import zenml_service

        return daemons.tail(zenml_service.log_file(_stack_deployer(), UUID(server.handle)))


def _stack_deployer() -> MLFlowModelDeployer:
    from zenml.client import Client
    from zenml.integrations.mlflow.model_deployers import MLFlowModelDeployer

    stack: Any = Client().active_stack
    if not isinstance(stack.model_deployer, MLFlowModelDeployer):
        raise DeployError(
            f"deployer=local needs ZenML's MLflow model deployer, which stack {stack.name} does not have; register one "
            "and add it to the stack, or choose stack=local."
        )
    return stack.model_deployer

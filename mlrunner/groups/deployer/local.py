"""Config option `deployer=local`: servers as processes of this machine, managed by ZenML's MLflow model deployer."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from mlrunner.core import loopback, process_control
from mlrunner.core.build import dataclass
from mlrunner.core.errors import DeployError
from mlrunner.groups.deployer import daemons
from mlrunner.groups.deployer.base_serving import EndpointDeployer
from mlrunner.groups.deployer.release import Release, Server

if TYPE_CHECKING:
    from zenml.integrations.mlflow.model_deployers import MLFlowModelDeployer


@dataclass
class LocalDeployer(EndpointDeployer):
    """Runs each server as a service of ZenML's MLflow deployer; `zenml model-deployer models list` shows it."""

    def start(self, release: Release, token: str) -> Server:
        """See `EndpointDeployer.start`."""
        from mlrunner.groups.deployer import zenml_service

        port = loopback.free_port()
        command = (
            *(sys.executable, "-m", "mlrunner.serving", str(release.folder), "--host", loopback.HOST),
            *("--port", str(port), "--token", token, *self.arguments()),
        )
        try:
            service = zenml_service.start(_stack_deployer(), release, port, command)
        except BaseException:  # also on Ctrl-C: no record of the process exists yet
            process_control.terminate_all(token)
            raise
        pid = daemons.read_pid(Path(str(service.status.pid_file)))  # ZenML's `status.pid` is None at first
        return Server(release.version, f"http://{loopback.HOST}:{port}", str(service.uuid), token, pid)

    def is_alive(self, server: Server) -> bool:
        """See `EndpointDeployer.is_alive`."""
        return process_control.is_running(server.pid, server.token)

    def stop(self, server: Server) -> None:
        """See `EndpointDeployer.stop`; ends the process first, because ZenML would poll it once a second."""
        from mlrunner.groups.deployer import zenml_service

        process_control.terminate(server.pid, server.token)
        zenml_service.delete(_stack_deployer(), UUID(server.handle))

    def log(self, server: Server) -> str:
        """See `EndpointDeployer.log`."""
        from mlrunner.groups.deployer import zenml_service

        return daemons.read_last_lines(zenml_service.get_log_file(_stack_deployer(), UUID(server.handle)))


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

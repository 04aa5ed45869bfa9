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
from mlrunner.serving import identity

if TYPE_CHECKING:
    from zenml.integrations.mlflow.model_deployers import MLFlowModelDeployer

MODULE = (sys.executable, "-m", "mlrunner.serving")


@dataclass
class LocalDeployer(EndpointDeployer):
    """Runs each server as a service of ZenML's MLflow deployer; `zenml model-deployer models list` shows it."""

    def start(self, release: Release, token: str) -> Server:
        """See `EndpointDeployer.start`."""
        from mlrunner.groups.deployer import zenml_service

        port = loopback.free_port()
        instance = identity.instance_name(token)
        command = (*MODULE, str(release.folder), "--host", loopback.HOST, *self.arguments())
        options = ("--port", str(port), "--instance", instance)
        try:
            service = zenml_service.start(_stack_deployer(), release, port, (*command, *options), token)
            pid_file, log_file = Path(str(service.status.pid_file)), Path(str(service.status.log_file))
            pid = daemons.read_pid(pid_file)  # ZenML's `status.pid` is None at first
        except BaseException:  # also on Ctrl-C: no record of the process exists yet
            process_control.terminate_all(instance)
            raise
        launch = daemons.build_command(pid_file, log_file, *command)
        url = f"http://{loopback.HOST}:{port}"
        return Server(release.version, url, str(service.uuid), token, pid, str(pid_file), launch)

    def is_alive(self, server: Server) -> bool:
        """See `EndpointDeployer.is_alive`."""
        return process_control.is_running(server.pid, server.instance)

    def stop(self, server: Server) -> None:
        """See `EndpointDeployer.stop`; ends the process first, because ZenML would poll it once a second."""
        from mlrunner.groups.deployer import zenml_service

        process_control.terminate_all(server.instance)
        zenml_service.delete(_stack_deployer(), UUID(server.handle))

    def discard(self, token: str) -> None:
        """See `EndpointDeployer.discard`."""
        from mlrunner.groups.deployer import zenml_service

        instance = identity.instance_name(token)
        process_control.terminate_all(instance)
        zenml_service.delete_instance(instance)

    def restart_command(self, folder: Path) -> list[str]:
        """See `EndpointDeployer.restart_command`; without ZenML and MLflow, which take seconds to import."""
        return [sys.executable, "-m", "mlrunner.serving.restart", str(folder)]

    def log(self, server: Server) -> str:
        """See `EndpointDeployer.log`."""
        from mlrunner.groups.deployer import zenml_service

        return daemons.read_last_lines(zenml_service.get_log_file(_stack_deployer(), UUID(server.handle)))


def _stack_deployer() -> MLFlowModelDeployer:
    from zenml.client import Client

    return _require_deployer(Client().active_stack)


def _require_deployer(stack: Any) -> MLFlowModelDeployer:
    from zenml.integrations.mlflow.model_deployers import MLFlowModelDeployer

    if not isinstance(stack.model_deployer, MLFlowModelDeployer):
        raise DeployError(
            f"deployer=local needs ZenML's MLflow model deployer, which stack {stack.name} does not have; register one "
            "and add it to the stack, or choose stack=local."
        )
    model_deployer: MLFlowModelDeployer = stack.model_deployer
    return model_deployer

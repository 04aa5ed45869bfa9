"""A service of ZenML's `MLFlowModelDeployer` that runs our model server.

ZenML's own service starts three interpreters in a row, each of which imports the same libraries, and chooses any free
port. This one starts the server alone, on a given port.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pydantic import Field, PrivateAttr
from zenml.client import Client
from zenml.integrations.mlflow.services.mlflow_deployment import (
    MLFlowDeploymentConfig,
    MLFlowDeploymentEndpoint,
    MLFlowDeploymentEndpointConfig,
    MLFlowDeploymentService,
)
from zenml.services import (
    HTTPEndpointHealthMonitor,
    HTTPEndpointHealthMonitorConfig,
    LocalDaemonServiceStatus,
    ServiceEndpointProtocol,
)
from zenml.utils.daemon import get_daemon_pid_if_running
from zenml.utils.pagination_utils import depaginate

from mlrunner.core.environment import TOKEN_VARIABLE
from mlrunner.groups.deployer import daemons
from mlrunner.groups.deployer.release import Release

if TYPE_CHECKING:
    from zenml.integrations.mlflow.model_deployers import MLFlowModelDeployer


class ModelServiceConfig(MLFlowDeploymentConfig):
    """Settings of an MLflow service of ZenML, with the command line of the server."""

    command: list[str]


class ModelServiceStatus(LocalDaemonServiceStatus):
    """Status of a model server, which is not ZenML's own entry point: ZenML warns of any other process."""

    @property
    def pid(self) -> int | None:
        """Process ID of the running server; None while none runs."""
        return get_daemon_pid_if_running(self.pid_file) if self.pid_file else None


class ModelService(MLFlowDeploymentService):
    """Model server that ZenML starts, lists and stops."""

    config: ModelServiceConfig
    status: ModelServiceStatus = Field(default_factory=ModelServiceStatus)
    _token: str = PrivateAttr("")  # ZenML does not store it

    def __init__(self, config: ModelServiceConfig | dict[str, Any], **attributes: Any) -> None:
        """Validate the settings as `ModelServiceConfig`; ZenML's constructor would validate them as its own class."""
        super().__init__(config=ModelServiceConfig.model_validate(config), **attributes)

    def _get_daemon_cmd(self) -> tuple[list[str], dict[str, str]]:
        """Return the command and the environment of the daemon.

        Private in ZenML (read in 0.98.0); `test_zenml_service.py` checks that `start` uses it.
        """
        command, _ = super()._get_daemon_cmd()  # creates the folder and the service's file
        del command
        pid_file, log_file = Path(str(self.status.pid_file)), Path(str(self.status.log_file))
        return daemons.build_command(pid_file, log_file, *self.config.command), {
            **daemons.build_environment(),
            TOKEN_VARIABLE: self._token,
        }

    def start_with_token(self, token: str) -> None:
        """Start the server with its secret, without waiting until it answers."""
        self._token = token
        self.start(timeout=0)


def start(
    deployer: MLFlowModelDeployer, release: Release, port: int, command: tuple[str, ...], token: str
) -> ModelService:
    """Register a service and start it, without waiting until it answers.

    Args:
        deployer: Model deployer of the active stack.
        release: Release to serve.
        port: Port to listen on.
        command: Command line of the server.
        token: Secret of the server.
    """
    config = ModelServiceConfig(
        name=f"{release.name}-{release.version}",
        model_uri=str(release.facts["model_uri"]),
        model_name=release.name,
        registry_model_name=release.name,
        registry_model_version=str(release.version),
        command=list(command),
        root_runtime_path=deployer.local_path,
    )
    client = Client()
    registered = client.create_service(config=config, service_type=ModelService.SERVICE_TYPE)
    try:
        service = ModelService(uuid=registered.id, config=config, endpoint=_build_endpoint(port))
        service.start_with_token(token)
        _store_service(client, service)
    except BaseException:
        client.delete_service(registered.id)
        raise
    return service


def _store_service(client: Client, service: ModelService) -> None:
    """Store the state of a started service in ZenML, so that other processes can find and stop it."""
    client.update_service(
        id=service.uuid,
        name=service.config.service_name,
        service_source=service.model_dump().get("type"),
        admin_state=service.admin_state,
        status=service.status.model_dump(),
        endpoint=service.endpoint.model_dump(),
        prediction_url=service.get_prediction_url(),
        health_check_url=service.get_healthcheck_url(),
    )


def _build_endpoint(port: int) -> MLFlowDeploymentEndpoint:
    return MLFlowDeploymentEndpoint(
        config=MLFlowDeploymentEndpointConfig(
            protocol=ServiceEndpointProtocol.HTTP, port=port, allocate_port=False, prediction_url_path="invocations"
        ),
        monitor=HTTPEndpointHealthMonitor(
            config=HTTPEndpointHealthMonitorConfig(healthcheck_uri_path="ping", use_head_request=False)
        ),
    )


def delete(deployer: MLFlowModelDeployer, service: UUID) -> None:
    """Stop and delete a service; one that ZenML does not know is fine."""
    if deployer.find_model_server(service_uuid=service):
        deployer.delete_model_server(service, timeout=0)  # its process has ended already


def delete_instance(instance: str) -> None:
    """Delete the service whose command line names an instance, if ZenML knows one."""
    for service in depaginate(Client().list_services, hydrate=True):
        if instance in service.config.get("command", ()):
            Client().delete_service(service.id)


def get_log_file(deployer: MLFlowModelDeployer, service: UUID) -> Path:
    """Return the log file of a service."""
    return Path(deployer.local_path) / str(service) / "service.log"

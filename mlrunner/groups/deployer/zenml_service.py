"""A service of ZenML's `MLFlowModelDeployer` that runs our model server.

ZenML's own would start three interpreters, one after the other, which import the same libraries; and it would find
any service when it is asked for one, and take any port. So services are registered one by one, on a given port.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from zenml.client import Client
from zenml.integrations.mlflow.services.mlflow_deployment import (
    MLFlowDeploymentConfig,
    MLFlowDeploymentEndpoint,
    MLFlowDeploymentEndpointConfig,
    MLFlowDeploymentService,
)
from zenml.services import HTTPEndpointHealthMonitor, HTTPEndpointHealthMonitorConfig, ServiceEndpointProtocol

from mlrunner.groups.deployer import daemons
from mlrunner.groups.deployer.release import Release

if TYPE_CHECKING:
    from zenml.integrations.mlflow.model_deployers import MLFlowModelDeployer


class ModelServiceConfig(MLFlowDeploymentConfig):
    """ZenML's settings of an MLflow service, and the command that serves."""

    command: list[str]


class ModelService(MLFlowDeploymentService):
    """Our model server as a service of ZenML: ZenML starts it, lists it, reads its log and stops it."""

    config: ModelServiceConfig

    def __init__(self, config: ModelServiceConfig | dict[str, Any], **attributes: Any) -> None:
        """Read our settings, which ZenML's constructor would read as its own."""
        super().__init__(config=ModelServiceConfig.model_validate(config), **attributes)

    def _get_daemon_cmd(self) -> tuple[list[str], dict[str, str]]:
        """Start the server itself, which needs nothing of ZenML."""
        command, _ = super()._get_daemon_cmd()  # makes the folder, writes the service's file
        del command
        pid_file, log_file = Path(str(self.status.pid_file)), Path(str(self.status.log_file))
        return daemons.detached(pid_file, log_file, *self.config.command), daemons.environment()


def start(deployer: MLFlowModelDeployer, release: Release, port: int, command: tuple[str, ...]) -> ModelService:
    """Register a service and start it, without waiting until it answers."""
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
    found = client.create_service(config=config, service_type=ModelService.SERVICE_TYPE)
    try:
        service = ModelService(uuid=found.id, config=config, endpoint=_endpoint(port))
        service.start(timeout=0)
        _told(client, service)
    except BaseException:
        client.delete_service(found.id)
        raise
    return service


def _told(client: Client, service: ModelService) -> None:
    """Write down how a service was started, for whoever finds it later."""
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


def _endpoint(port: int) -> MLFlowDeploymentEndpoint:
    return MLFlowDeploymentEndpoint(
        config=MLFlowDeploymentEndpointConfig(
            protocol=ServiceEndpointProtocol.HTTP, port=port, allocate_port=False, prediction_url_path="invocations"
        ),
        monitor=HTTPEndpointHealthMonitor(
            config=HTTPEndpointHealthMonitorConfig(healthcheck_uri_path="ping", use_head_request=False)
        ),
    )


def delete(deployer: MLFlowModelDeployer, service: UUID) -> None:
    """Stop a service if it runs, and forget it; one that ZenML does not know is fine."""
    if deployer.find_model_server(service_uuid=service):
        deployer.delete_model_server(service, timeout=0)  # its process has ended: nothing to wait for


def log_file(deployer: MLFlowModelDeployer, service: UUID) -> Path:
    """Where a service's output goes."""
    return Path(deployer.local_path) / str(service) / "service.log"

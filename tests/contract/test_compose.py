"""deploy/compose.yaml: every service says when it is healthy, what it keeps, and gets its secrets from outside."""

from __future__ import annotations

import importlib.metadata
import re
from typing import Any

import yaml

from tests.support.front_door import PROJECT

FILE = PROJECT / "deploy" / "compose.yaml"
SERVICES: dict[str, Any] = yaml.safe_load(FILE.read_text())["services"]


def test_every_service_says_when_it_is_healthy_and_waits_for_what_it_needs() -> None:
    assert all("healthcheck" in service and service["restart"] for service in SERVICES.values())
    needed = {name: set(service.get("depends_on", {})) for name, service in SERVICES.items()}
    assert needed["mlflow"] == {"postgres", "s3"}
    assert needed["zenml"] == {"mariadb"}
    waits = [wait for service in SERVICES.values() for wait in service.get("depends_on", {}).values()]
    assert {wait["condition"] for wait in waits} == {"service_healthy"}


def test_what_is_stored_is_on_volumes() -> None:
    assert {name for name, service in SERVICES.items() if service.get("volumes")} == {"postgres", "mariadb", "s3"}


def test_secrets_come_from_outside_and_ports_are_those_of_this_machine() -> None:
    secrets = re.findall(r"(\w*(?:PASSWORD|SECRET_ACCESS_KEY)): (.+)", FILE.read_text())
    assert len(secrets) >= 5
    assert all(value.startswith("${") for name, value in secrets if name != "MARIADB_RANDOM_ROOT_PASSWORD")
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert all(port.startswith("${BIND:-127.0.0.1}:") for port in ports)


def test_the_server_of_zenml_has_the_version_of_the_client() -> None:
    assert SERVICES["zenml"]["image"].endswith(f":{importlib.metadata.version('zenml')}")

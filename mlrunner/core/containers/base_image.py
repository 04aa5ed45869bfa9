"""The base image: check that it exists, and inspect its Python."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from mlrunner.core.containers.engine import docker_errors, explain, find_image
from mlrunner.core.containers.pins import Target, get_local_target
from mlrunner.core.errors import DeployError

PROBE = (
    "import json, platform; libc, glibc = platform.libc_ver(); print(json.dumps({'version': platform.python_version(),"
    " 'machine': platform.machine(), 'glibc': [int(n) for n in glibc.split('.')[:2]] if libc == 'glibc' else []}))"
)


@dataclass(frozen=True)
class Base:
    """A base image.

    Args:
        name: Name of the image.
        key: Configuration key that names it, for messages.
    """

    name: str
    key: str = "deployer.base"

    def __str__(self) -> str:
        return f"{self.key}={self.name}"


def name_slim_image() -> str:
    """Return the name of Python's official image for the Python that runs here."""
    return f"python:{get_local_target().minor}-slim"


def find_problems(client: Any, base: Base) -> list[str]:
    """List why an image cannot be built on a base; empty when it is on this machine or its registry has it."""
    try:
        if find_image(client, base.name) is None:
            client.images.get_registry_data(base.name)
    except docker_errors().APIError as error:
        return [_explain_missing(base, error)]
    return []


def _explain_missing(base: Base, error: Exception) -> str:
    """Explain why a base image is not available."""
    reason = explain(error).removeprefix("Docker's engine says: ")
    return (
        f"{base} is not on this machine and cannot be pulled ({reason.rstrip('.')}); "
        "name one that `docker images` lists, or a registry that can be reached."
    )


def find_or_pull(client: Any, base: Base) -> Any:
    """Find a base image on this machine, or pull it.

    Raises:
        DeployError: When the registry does not have it or cannot be reached.
    """
    try:
        return find_image(client, base.name) or client.images.pull(base.name)
    except docker_errors().APIError as error:
        raise DeployError(_explain_missing(base, error)) from error


def inspect_python(client: Any, image_id: str, base: Base) -> Target:
    """Inspect the Python of a base image.

    Raises:
        DeployError: When it has no Python, another Python version than this one, or no glibc.
    """
    try:
        answer = json.loads(_run_probe(client, image_id))
    except (docker_errors().APIError, ValueError) as error:
        if isinstance(error, docker_errors().APIError) and "executable file" not in str(error):
            raise
        raise DeployError(f"{base} has no python3 that runs; {_suggest_base()}") from error
    if len(answer["glibc"]) != 2:  # Alpine's musl
        raise DeployError(f"{base} has no glibc, which the wheels need; {_suggest_base()}")
    target = Target(answer["version"], answer["machine"], tuple(answer["glibc"]))
    needed = get_local_target().minor
    if target.minor != needed:
        raise DeployError(f"{base} has Python {target.minor}, and not {needed}; {_suggest_base()}")
    return target


def _run_probe(client: Any, image_id: str) -> bytes:
    """Run the probe in a container, and remove the container in any case."""
    how = {"entrypoint": ["python3", "-I", "-c", PROBE], "network_disabled": True}
    container = client.containers.create(image_id, **how)
    try:
        container.start()
        container.wait(timeout=60)
        answer: bytes = container.logs(stderr=False)
    finally:
        container.remove(force=True)
    return answer


def _suggest_base() -> str:
    return f"choose one like {name_slim_image()}."

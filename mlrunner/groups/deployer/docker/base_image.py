"""The base of an image: whether it can be had, and what its Python can load."""

from __future__ import annotations

import json
from typing import Any

from mlrunner.core.errors import DeployError
from mlrunner.groups.deployer.docker.engine import explain, faults, find
from mlrunner.groups.deployer.docker.requirements import Target, here

ASKED = (
    "import json, platform; libc, glibc = platform.libc_ver(); print(json.dumps({'version': platform.python_version(),"
    " 'machine': platform.machine(), 'glibc': [int(n) for n in glibc.split('.')[:2]] if libc == 'glibc' else []}))"
)


def problems(client: Any, base: str) -> list[str]:
    """Say what would keep an image from being built on a base."""
    try:
        if find(client, base) is None:
            client.images.get_registry_data(base)
    except faults().APIError as error:
        return [absent(base, error)]
    return []


def absent(base: str, error: Exception) -> str:
    """Say that a base image cannot be had."""
    reason = explain(error).removeprefix("Docker's engine says: ")
    return (
        f"deployer.base={base} is not on this machine and cannot be pulled ({reason.rstrip('.')}); "
        "name one that `docker images` lists, or a registry that can be reached."
    )


def pull(client: Any, base: str) -> Any:
    """Get a base image that is not on this machine.

    Raises:
        DeployError: When it cannot be had.
    """
    try:
        return client.images.pull(base)
    except faults().APIError as error:
        raise DeployError(absent(base, error)) from error


def ask(client: Any, image_id: str, base: str) -> Target:
    """Ask a base image's Python what it can load.

    Raises:
        DeployError: When it has no Python, another than the one that runs here, or no glibc.
    """
    try:
        answer = json.loads(_said(client, image_id))
    except (faults().APIError, ValueError) as error:
        if isinstance(error, faults().APIError) and "executable file" not in str(error):
            raise
        raise DeployError(f"deployer.base={base} has no python3 that runs; {_fitting()}") from error
    if len(answer["glibc"]) != 2:  # Alpine's musl
        raise DeployError(f"deployer.base={base} has no glibc, which the wheels need; {_fitting()}")
    target = Target(answer["version"], answer["machine"], tuple(answer["glibc"]))
    if target.minor != here().minor:
        raise DeployError(f"deployer.base={base} has Python {target.minor}, the model {here().minor}; {_fitting()}")
    return target


def _said(client: Any, image_id: str) -> bytes:
    """Run the question in a container, which goes also when it did not start."""
    how = {"entrypoint": ["python3", "-I", "-c", ASKED], "network_disabled": True}
    container = client.containers.create(image_id, **how)
    try:
        container.start()
        container.wait(timeout=60)
        answer: bytes = container.logs(stderr=False)
    finally:
        container.remove(force=True)
    return answer


def _fitting() -> str:
    return f"choose one like python:{here().minor}-slim."

"""Access to Docker's engine, with each error as one sentence."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from mlrunner.core.environment import variable, variables
from mlrunner.core.errors import DeployError

CALL_TIMEOUT = 600  # limit for one call, such as pushing an image
DEFAULT_HOST = "unix:///var/run/docker.sock"
STOP_TIMEOUT = 10  # seconds between SIGTERM and SIGKILL
DISK_FULL = "no space left on device"


@contextmanager
def open_client() -> Iterator[Any]:
    """Open a client of the engine that the command `docker` would use; close it after the block.

    Returns:
        A `docker.DockerClient`.

    Raises:
        DeployError: When the engine cannot be reached, refuses something or runs out of disk.
    """
    import requests

    client = None
    try:
        client = _client()
        yield client
    except (docker_errors().DockerException, requests.exceptions.RequestException) as error:
        raise DeployError(explain(error) if client is not None else _explain_unreachable(error)) from error
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise DeployError(f"The disk is full ({error.filename or 'temporary folder'}); free some space.") from error
    finally:
        if client is not None:
            client.close()


def _client() -> Any:
    docker = import_module("docker")
    environment = variables()
    if not environment.get("DOCKER_HOST"):
        # Docker's Python library knows only DOCKER_HOST; desktop and rootless engines are found by `docker context`.
        context = docker.ContextAPI.get_current_context()
        environment["DOCKER_HOST"] = context.Host if context is not None and context.Host else DEFAULT_HOST
    _check_socket(environment["DOCKER_HOST"])
    return docker.from_env(environment=environment, timeout=CALL_TIMEOUT)


def _check_socket(host: str) -> None:
    """Check that a server listens; without one, Docker's library would leak its socket."""
    if "unix://" not in host:
        return
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(host.partition("unix://")[2])
        except OSError as error:
            raise DeployError(_explain_unreachable(error)) from error


def docker_errors() -> Any:
    """Import the exceptions of Docker's library, which is imported only when it is used."""
    return import_module("docker.errors")


def _explain_unreachable(error: Exception) -> str:
    host = variable("DOCKER_HOST")
    address = f"DOCKER_HOST={host}" if host else "the default socket"
    if "permission denied" in str(error).lower():
        return f"This user may not talk to Docker's engine at {address}; become a member of the group `docker`."
    return f"Docker's engine does not answer at {address}; start it (check with `docker version`) or install Docker."


def explain(error: Exception, text: str = "") -> str:
    """Explain an error of the engine in one sentence.

    Args:
        error: Exception of Docker's library.
        text: Text to use instead of the exception's own; empty uses that.
    """
    text = text or str(getattr(error, "explanation", None) or getattr(error, "msg", None) or error)
    words = " ".join(text.split())
    if DISK_FULL in words.lower():
        return "The disk of Docker's engine is full; free some space, for example with `docker system prune`."
    return f"Docker's engine says: {words[:400].rstrip('.')}."


def find_image(client: Any, image: str) -> Any | None:
    """Find an image of the engine; None when it does not have it."""
    try:
        return client.images.get(image)
    except docker_errors().ImageNotFound:
        return None


def push_image(client: Any, tag: str) -> str:
    """Push an image to the registry in its name.

    Args:
        client: Client of Docker's engine.
        tag: Repository and tag.

    Returns:
        The tag with the digest, which identifies the image for good.

    Raises:
        DeployError: When the registry refuses it.
    """
    digest = ""
    repository, _, version = tag.rpartition(":")
    for line in client.images.push(repository, tag=version, stream=True, decode=True):
        if "error" in line:
            raise DeployError(f"{tag} cannot be pushed ({line['error'].rstrip('.')}); is `docker login` needed?")
        digest = line.get("aux", {}).get("Digest", digest)
    return f"{tag}@{digest}" if digest else tag


def remove(container: Any) -> None:
    """Stop and remove a container; one that is gone, or being removed, is fine."""
    try:
        container.stop(timeout=STOP_TIMEOUT)
        container.remove(v=True, force=True)
    except docker_errors().NotFound:
        return
    except docker_errors().APIError as error:
        if "already in progress" not in str(error):
            raise

"""Docker's engine: one client at a time, and every mishap told as one sentence."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from mlrunner.core.errors import DeployError

SECONDS = 600  # that one call may take; importing or pushing an image is one
DEFAULT = "unix:///var/run/docker.sock"
FULL = "no space left on device"


@contextmanager
def engine() -> Iterator[Any]:
    """Open a client of the engine that `docker` itself would talk to.

    Returns:
        A `docker.DockerClient`, closed at the end.

    Raises:
        DeployError: When the engine cannot be reached, refuses something or runs out of disk.
    """
    import requests

    client = None
    try:
        client = _client()
        yield client
    except (faults().DockerException, requests.exceptions.RequestException) as error:
        raise DeployError(explain(error) if client is not None else _unreachable(error)) from error
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise DeployError(f"The disk is full ({error.filename or 'temporary folder'}); free some space.") from error
    finally:
        if client is not None:
            client.close()


def _client() -> Any:
    docker = import_module("docker")
    environment = dict(os.environ)
    if not environment.get("DOCKER_HOST"):
        # Docker's Python library knows only DOCKER_HOST; desktop and rootless engines are found by `docker context`.
        found = docker.ContextAPI.get_current_context()
        environment["DOCKER_HOST"] = found.Host if found is not None and found.Host else DEFAULT
    _knock(environment["DOCKER_HOST"])
    return docker.from_env(environment=environment, timeout=SECONDS)


def _knock(host: str) -> None:
    """Look whether somebody listens; Docker's library would leave its own socket open where nobody does."""
    if "unix://" not in host:
        return
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(host.partition("unix://")[2])
        except OSError as error:
            raise DeployError(_unreachable(error)) from error


def faults() -> Any:
    """The exceptions of Docker's library, which is imported only when it is used."""
    return import_module("docker.errors")


def _unreachable(error: Exception) -> str:
    where = os.environ.get("DOCKER_HOST")
    named = f"DOCKER_HOST={where}" if where else "the default socket"
    if "permission denied" in str(error).lower():
        return f"This user may not talk to Docker's engine at {named}; become a member of the group `docker`."
    return (
        f"Docker's engine does not answer at {named}; start it (`docker version` tells when it runs) or install Docker."
    )


def explain(error: Exception, text: str = "") -> str:
    """Say in one sentence what the engine refused; `text` takes the place of the exception's own."""
    text = text or str(getattr(error, "explanation", None) or getattr(error, "msg", None) or error)
    words = " ".join(text.split())
    if FULL in words.lower():
        return "The disk of Docker's engine is full; free some space, for example with `docker system prune`."
    return f"Docker's engine says: {words[:400].rstrip('.')}."


def find(client: Any, image: str) -> Any | None:
    """Get an image that the engine has, or None."""
    try:
        return client.images.get(image)
    except faults().ImageNotFound:
        return None


def push(client: Any, tag: str) -> str:
    """Push an image to the registry that its name tells.

    Returns:
        The name with the digest, which is the same image for ever.

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

"""Docker's engine: one client at a time, and every mishap told as one sentence."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mlrunner.errors import DeployError

SECONDS = 600  # that one call may take; importing or pushing an image is one
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
    from docker.errors import DockerException  # type: ignore[import-untyped]

    client = None
    try:
        client = _client()
        yield client
    except (DockerException, requests.exceptions.RequestException) as error:
        raise DeployError(told(error) if client is not None else _unreachable(error)) from error
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise DeployError(f"The disk is full ({error.filename or 'temporary folder'}); free some space.") from error
    finally:
        if client is not None:
            client.close()


def _client() -> Any:
    import docker  # type: ignore[import-untyped]

    environment = dict(os.environ)
    if not environment.get("DOCKER_HOST"):
        # Docker's Python library knows only DOCKER_HOST; desktop and rootless engines are found by `docker context`.
        found = docker.ContextAPI.get_current_context()
        environment |= {"DOCKER_HOST": found.Host} if found is not None and found.Host else {}
    return docker.from_env(environment=environment, timeout=SECONDS)


def _unreachable(error: Exception) -> str:
    where = os.environ.get("DOCKER_HOST")
    named = f"DOCKER_HOST={where}" if where else "the default socket"
    if "permission denied" in str(error).lower():
        return f"This user may not talk to Docker's engine at {named}; become a member of the group `docker`."
    return f"Docker's engine does not answer at {named}; start it (`docker version` tells when it runs) or install Docker."


def told(error: Exception) -> str:
    """Say in one sentence what the engine refused."""
    text = str(getattr(error, "explanation", None) or getattr(error, "msg", None) or error)
    words = " ".join(text.split())
    if FULL in words.lower():
        return "The disk of Docker's engine is full; free some space, for example with `docker system prune`."
    return f"Docker's engine says: {words[:400].rstrip('.')}."


def find(client: Any, image: str) -> Any | None:
    """Get an image that the engine has, or None."""
    from docker.errors import ImageNotFound

    try:
        return client.images.get(image)
    except ImageNotFound:
        return None

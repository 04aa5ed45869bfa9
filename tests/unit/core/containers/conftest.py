"""The engine of the tests of images."""

from __future__ import annotations

from tests.support.docker_engine import client, repository

__all__ = ["client", "repository"]

"""Local deployers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mlrunner.groups.deployer.local import LocalDeployer


def make_local_deployer(folder: Path, **changed: Any) -> LocalDeployer:
    """Make the deployer of deployment `olist` with some settings changed."""
    settings: dict[str, Any] = {
        "name": "olist",
        "folder": str(folder),
        "workers": 1,
        "start_timeout": 60,
        "request_timeout": 30,
        "body_limit": 4,
        "row_limit": 1000,
        "batch_rows": 100,
        "unknown_categories": "refuse",
        "host": "127.0.0.1",
        "port": 8000,
    }
    return LocalDeployer(**{**settings, **changed})

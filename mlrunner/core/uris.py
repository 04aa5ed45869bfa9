"""Tell addresses with a scheme, such as `s3://bucket/folder`, from paths of this machine."""

from __future__ import annotations

import re
from pathlib import Path

SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")  # MLflow's `dbfs:/` and `mlflow-artifacts:/` have one slash


def has_scheme(location: str) -> bool:
    """Check whether a location is a URI; anything else is a path."""
    return SCHEME.match(location) is not None


def to_uri(location: str) -> str:
    """Return a URI as it is, and a path as a `file://` URI.

    Args:
        location: URI, or path of a file or folder; a relative one starts at the working folder.
    """
    return location if has_scheme(location) else Path(location).absolute().as_uri()

"""Convert names of deployments to names that Docker and Kubernetes accept."""

from __future__ import annotations

import re

LABEL_LIMIT = 63  # maximum length of a name or a label in Kubernetes


def format_repository(name: str) -> str:
    """Format the repository of an image for Docker: lower case, single separators.

    Args:
        name: Repository such as `mlrunner-Olist` or `localhost:5000/team/olist`.
    """
    first, *rest = name.split("/")
    is_host = bool(rest) and (":" in first or "." in first or first == "localhost")
    parts = [first.lower()] if is_host else [_component(first)]
    return "/".join([*parts, *map(_component, rest)])


def _component(part: str) -> str:
    return re.sub(r"[^a-z0-9]*([._-])[^a-z0-9]*", r"\1", part.lower()).strip("._-") or "model"


def format_label(name: str) -> str:
    """Format a name for Kubernetes: lower case letters, digits and dashes, with a letter first."""
    text = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    label = text if text[:1].isalpha() else f"m-{text}".rstrip("-")
    return label[:LABEL_LIMIT].rstrip("-")

"""Names that Docker and Kubernetes accept, made from those that people choose."""

from __future__ import annotations

import re

LABEL = 63  # the most that Kubernetes takes for a name or a label


def repository(named: str) -> str:
    """Write the repository of an image as Docker wants it: in small letters, with single separators.

    Args:
        named: Like `mlrunner-Olist` or `localhost:5000/team/olist`.
    """
    first, *rest = named.split("/")
    is_host = bool(rest) and (":" in first or "." in first or first == "localhost")
    parts = [first.lower()] if is_host else [_component(first)]
    return "/".join([*parts, *map(_component, rest)])


def _component(part: str) -> str:
    return re.sub(r"[^a-z0-9]*([._-])[^a-z0-9]*", r"\1", part.lower()).strip("._-") or "model"


def label(named: str, limit: int = LABEL) -> str:
    """Write a name as Kubernetes wants it: small letters, digits and dashes, beginning with a letter."""
    plain = re.sub(r"[^a-z0-9]+", "-", named.lower()).strip("-")
    begun = plain if plain[:1].isalpha() else f"m-{plain}".rstrip("-")
    return begun[:limit].rstrip("-")

"""Check where a store says that the files of a run or a model lie: anyone who can write to the store sets it."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlparse

from mlrunner.core import environment
from mlrunner.core.errors import StoreError

ASKING = ("http", "https", "mlflow-artifacts")  # MLflow logs in there with the login of the tracking server
RUN, MODEL = re.compile(r"[0-9a-f]{32}"), re.compile(r"m-[0-9a-f]{32}")


def refuse_foreign_host(location: str, tracking_uri: str) -> None:
    """Refuse a server that is not the tracking server: MLflow would send it the login of that one.

    Raises:
        StoreError: If the files lie on another server.
    """
    address = urlparse(location)
    if address.scheme not in ASKING or not address.hostname or address.hostname == urlparse(tracking_uri).hostname:
        return
    if f"host:{address.hostname}" not in environment.trusted_names():
        raise StoreError(
            f"{location} lies on a server that is not your tracking server; if you trust it with your login, set "
            f"{environment.TRUSTED_VARIABLE}=host:{address.hostname} in the environment."
        )


def refuse_foreign_folder(name: str, location: str, root: str) -> None:
    """Refuse to delete files that do not lie where MLflow puts those of a run or a model.

    Args:
        name: Id of a run or of a model.
        location: Location of its files, from the store.
        root: Location of the files of its experiment.

    Raises:
        StoreError: If they lie elsewhere, or a link leads there.
    """
    folder = f"models/{name}" if MODEL.fullmatch(name) else name
    is_named = bool(MODEL.fullmatch(name) or RUN.fullmatch(name))
    expected, local = f"{root.rstrip('/')}/{folder}/artifacts", local_path(location)
    is_there = _normalize(location) == _normalize(expected)
    if local is not None and is_there:
        path = local_path(root)
        is_there = path is not None and local.resolve() == path.resolve() / folder / "artifacts"
    if not is_named or not is_there:
        raise StoreError(f"its files lie in {location}, and not in {expected}; remove them yourself")


def local_path(location: str) -> Path | None:
    """Return the path of a folder on this machine; None for another kind of address."""
    address = urlparse(location)
    return Path(unquote(address.path) if address.scheme else location) if address.scheme in ("", "file") else None


def _normalize(location: str) -> str:
    path = local_path(location)
    return location if path is None else str(path)

"""The resolver `deployment_name` of `conf/deployer/*.yaml`: a deployment is named after its table."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from omegaconf import OmegaConf

RESOLVER = "deployment_name"
MAX_LENGTH = 60  # of a deployment's name
COMPRESSIONS = (".gz", ".bz2", ".xz", ".zip", ".zst")
GLOB = re.compile(r"[*?\[]")
TABLE = re.compile(r"""\bfrom\s+((?:["`\[]?[\w$]+["`\]]?\.)*["`\[]?(?P<table>[\w$]+))""", re.IGNORECASE)


def register_resolver() -> None:
    """Make `${deployment_name:}` known to OmegaConf."""
    OmegaConf.register_new_resolver(RESOLVER, _resolve, replace=True)


def _resolve(*, _root_: Any) -> str:
    return derive_deployment_name(_root_.get("dataset") or {})


def derive_deployment_name(dataset: Mapping[str, Any]) -> str:
    """Derive the default name of a deployment from the config group `dataset`.

    Returns:
        `dataset.name`; while that is the name of the format, the file's name without suffixes, the folder of a glob, or
        the first table of a query. At most 60 letters, digits, `_`, `.` and `-`.
    """
    name = str(dataset.get("name") or "model")
    if dataset.get("query") and name == "sql":
        table = TABLE.search(str(dataset["query"]))
        return _shorten(table["table"] if table is not None else "") or name
    if dataset.get("path") and name == dataset.get("format"):
        return _name_file(str(dataset["path"])) or name
    return name


def _name_file(path: str) -> str:
    """Return the first name that is left of the path's parts, from the last one."""
    url = urlsplit(path)
    parts = PurePosixPath(url.path if url.scheme and url.netloc else path).parts
    for part in reversed(parts):
        stem = PurePosixPath(part)
        while stem.suffix.lower() in COMPRESSIONS:
            stem = stem.with_suffix("")
        name = _shorten(GLOB.split(stem.stem)[0])
        if name and "=" not in part:  # year=2020 names a partition
            return name
    return ""


def _shorten(text: str) -> str:
    """Keep the characters that a folder, a registered model and a container may have in their names."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", plain).strip("-_.")[:MAX_LENGTH].rstrip("-_.")

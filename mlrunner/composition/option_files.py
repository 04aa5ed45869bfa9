"""Which file each option of a composition came from: of the project, of mlrunner, or of a folder named by `-cd`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mlrunner.core.environment import project
from mlrunner.core.project import CONF, CONF_URL, OWN, PRIMARY
from mlrunner.core.safe_yaml import read_yaml


def read_option_files(folder: Path) -> dict[str, str]:
    """Return the file of each option of a run; empty where Hydra wrote no `hydra.yaml`.

    Returns:
        File by `group/option`: relative to the project, absolute elsewhere, and `pkg://mlrunner.conf/…` of a wheel.
    """
    file = folder / ".hydra" / "hydra.yaml"
    return list_option_files(read_yaml(file.read_text())["hydra"]) if file.is_file() else {}


def list_option_files(hydra: Mapping[str, Any]) -> dict[str, str]:
    """Return the file of each option."""
    runtime = hydra["runtime"]
    choices = {group.partition("@")[0]: option for group, option in runtime["choices"].items() if option is not None}
    names = [f"{group}/{option}" for group, option in choices.items() if not group.startswith("hydra/")]
    sources = list(_list_sources(runtime["config_sources"]))
    files = {name: _find(name, sources) for name in [hydra["job"].get("config_name") or PRIMARY, OWN, *names]}
    return {name: file for name, file in files.items() if file is not None}


def _list_sources(sources: list[dict[str, Any]]) -> Iterator[tuple[str, Path]]:
    """List the folders of the search path, each with the name to record for it."""
    for source in sources:
        path, url = str(source["path"]), f"{source['schema']}://{source['path']}"
        if url == CONF_URL and not url.startswith("file://"):
            yield url, CONF
        elif source["schema"] == "file":
            is_inside = Path(path).is_relative_to(project())
            yield str(Path(path).relative_to(project())) if is_inside else path, Path(path)


def _find(name: str, sources: list[tuple[str, Path]]) -> str | None:
    return next((f"{label}/{name}.yaml" for label, folder in sources if (folder / f"{name}.yaml").is_file()), None)

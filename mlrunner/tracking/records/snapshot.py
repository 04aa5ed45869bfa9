"""Read what was saved when a run was launched: its composition, code, data and environment."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from mlrunner.core.safe_yaml import read_yaml
from mlrunner.tracking.records import Record, Store
from mlrunner.tracking.records.record import BRANCH_TAG, COMMIT_TAG, DATA_TAG, PARENT_TAG

PIN = re.compile(r"([\w.-]+)==(\S+)")
INSTALLERS = ("mlrunner", "pip", "setuptools", "wheel", "uv")  # do not affect results; the commit identifies our code
PYTHON = re.compile(r"# Python (\S+)")


@dataclass(frozen=True)
class Snapshot:
    """A composition as it was when the run was launched.

    Args:
        config: Resolved configuration.
        raw: Configuration with its interpolations unresolved; None where it was not saved.
        choices: Group to option, `features@model.features` among them; options that are null are left out.
        overrides: Overrides as they were typed.
        sources: Configuration folders beside the project's own, as given by `-cd`.
        cwd: Working directory of the launch; None where it was not saved.
    """

    config: dict[str, Any]
    raw: dict[str, Any] | None = None
    choices: dict[str, str] = field(default_factory=dict)
    overrides: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    cwd: str | None = None


def read_snapshot(record: Record) -> Snapshot:
    """Read the composition that a run logged.

    Raises:
        ConfigError: If it logged none.
    """
    texts = [record.read_text(f".hydra/{name}.yaml") for name in ("config", "hydra", "overrides")]
    raw, hydra, overrides = (None if text is None else read_yaml(text) for text in texts)
    return make_snapshot(record.read_config(), raw, hydra, overrides)


def make_snapshot(config: dict[str, Any], raw: Any, hydra: Any, overrides: Any) -> Snapshot:
    """Build a snapshot from the resolved configuration and the parsed files of `.hydra/`; None for a missing file."""
    runtime = (hydra or {}).get("hydra", {}).get("runtime", {})
    choices = {
        str(group): str(option)
        for group, option in runtime.get("choices", {}).items()
        if option is not None and not str(group).startswith("hydra/")
    }
    folders = tuple(
        str(source["path"])
        for source in runtime.get("config_sources", [])
        if source.get("provider") == "command-line" and source.get("schema") == "file"
    )
    return Snapshot(config, raw, choices, tuple(map(str, overrides or ())), folders, runtime.get("cwd"))


@dataclass(frozen=True)
class Provenance:
    """Data, code and environment of a run.

    Args:
        data: `fingerprint`, `rows`, `target` and `columns` by name; empty where it was not saved.
        sources: Digest by module.
        options: File of each option, by `group/option`.
        commit: Commit of the project; None outside of git.
        branch: Branch of the project; None outside of git.
        dirty: Difference from the commit, as a diff.
        untracked: Files that git does not track.
        python: Version of Python.
        packages: Version by package.
    """

    data: dict[str, Any] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    options: dict[str, str] = field(default_factory=dict)
    commit: str | None = None
    branch: str | None = None
    dirty: str = ""
    untracked: tuple[str, ...] = ()
    python: str | None = None
    packages: dict[str, str] = field(default_factory=dict)


def read_provenance(record: Record, store: Store) -> Provenance:
    """Read data, code and environment of a run; those of a search's trial are in its parent's files."""
    parent_id = record.tags.get(PARENT_TAG)
    parent = store.find_first(f"attributes.run_id = '{parent_id}'") if parent_id else None
    records = [record] if parent is None else [record, parent]

    def read(path: str) -> str:
        return next((text for source in records if (text := source.read_text(path)) is not None), "")

    git = json.loads(read("environment/git.json") or "{}")
    data = json.loads(read("data.json") or "{}")
    is_same_data = data.get("fingerprint") == record.tags.get(DATA_TAG)
    pins = read("environment/requirements.txt")
    python = PYTHON.search(pins)
    return Provenance(
        data=data if is_same_data else {},
        sources=json.loads(read("environment/code.json") or "{}"),
        options=json.loads(read("environment/options.json") or "{}"),
        commit=record.tags.get(COMMIT_TAG) or git.get("commit"),
        branch=record.tags.get(BRANCH_TAG) or git.get("branch"),
        dirty=read("environment/dirty.diff"),
        untracked=tuple(line[3:] for line in git.get("status", "").splitlines() if line.startswith("??")),
        python=None if python is None else python[1],
        packages=dict(PIN.findall(pins)),
    )

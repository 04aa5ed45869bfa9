"""What was frozen when a run was launched: its composition as Hydra made it, its code, data and environment."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from mlrunner.tracking.records import Record, Store, read_yaml

PIN = re.compile(r"([\w.-]+)==(\S+)")
INSTALLERS = ("mlrunner", "pip", "setuptools", "wheel", "uv")  # decide no result; our own code is known by its commit
PYTHON = re.compile(r"# Python (\S+)")


@dataclass(frozen=True)
class Frozen:
    """A composition as it was.

    Args:
        config: Resolved.
        raw: As Hydra composed it, its interpolations unresolved; None where that was not kept.
        choices: Group to option, `features@model.features` among them; options that are null are left out.
        overrides: As they were typed.
        sources: The folders of configuration beside the project's own, like that of `-cd`.
        cwd: Where it was launched; None where that is not known.
    """

    config: dict[str, Any]
    raw: dict[str, Any] | None = None
    choices: dict[str, str] = field(default_factory=dict)
    overrides: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    cwd: str | None = None


def of_record(record: Record) -> Frozen:
    """Read the composition that a run logged.

    Raises:
        ConfigError: When it logged none.
    """
    texts = {name: record.text(f".hydra/{name}.yaml") for name in ("config", "hydra", "overrides")}
    raw, hydra, overrides = (None if text is None else read_yaml(text) for text in texts.values())
    return frozen(record.config(), raw, hydra, overrides)


def frozen(config: dict[str, Any], raw: Any, hydra: Any, overrides: Any) -> Frozen:
    """Put together what Hydra wrote into `.hydra/`, as far as it is there."""
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
    return Frozen(config, raw, choices, tuple(map(str, overrides or ())), folders, runtime.get("cwd"))


@dataclass(frozen=True)
class Surroundings:
    """What a run stood on.

    Args:
        data: `fingerprint`, `rows`, `target` and `columns` by name; empty where it was not kept.
        sources: Module to digest.
        commit: Of git; None outside of git.
        branch: The same.
        dirty: What differed from the commit, as a diff.
        untracked: Files that were not in git.
        python: The version.
        packages: Name to version.
    """

    data: dict[str, Any] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    commit: str | None = None
    branch: str | None = None
    dirty: str = ""
    untracked: tuple[str, ...] = ()
    python: str | None = None
    packages: dict[str, str] = field(default_factory=dict)


def surroundings(record: Record, store: Store) -> Surroundings:
    """Read what a run stood on; a trial of a search left that to its sweep."""
    parent = record.tags.get("mlflow.parentRunId")
    above = store.one(f"attributes.run_id = '{parent}'") if parent else None
    holders = [one for one in (record, above) if one is not None]

    def text(path: str) -> str:
        return next((found for one in holders if (found := one.text(path)) is not None), "")

    git = json.loads(text("environment/git.json") or "{}")
    data = json.loads(text("data.json") or "{}")
    is_its_own = data.get("fingerprint") == record.tags.get("mlrunner.data_hash")
    pins = text("environment/requirements.txt")
    python = PYTHON.search(pins)
    return Surroundings(
        data=data if is_its_own else {},
        sources=json.loads(text("environment/code.json") or "{}"),
        commit=record.tags.get("mlflow.source.git.commit") or git.get("commit"),
        branch=record.tags.get("mlflow.source.git.branch") or git.get("branch"),
        dirty=text("environment/dirty.diff"),
        untracked=tuple(line[3:] for line in git.get("status", "").splitlines() if line.startswith("??")),
        python=None if python is None else python[1],
        packages=dict(PIN.findall(pins)),
    )

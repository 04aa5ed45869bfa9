"""Where the data of a new project come from: files, a database or the embedded table."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from mlrunner.composition.compose import open_composer
from mlrunner.composition.override_syntax import write_value
from mlrunner.core.build import Group
from mlrunner.core.errors import ConfigError
from mlrunner.core.redaction import redact
from mlrunner.core.uris import has_scheme
from mlrunner.groups.dataset.formats import Format, detect_format

SAMPLE = "olist"  # the option of the embedded table
DATABASE = re.compile(r"(sqlite|postgresql|mysql|mariadb|oracle|mssql)(\+\w+)?:")
SQLITE_FILE = re.compile(r"(sqlite(?:\+\w+)?:///)(?!/|:|file:)(.+)")
ROLES = ("target", "task", "ignore", "group", "time")  # the look at the data starts with them
SAID_BY_FLAGS = ("path", "url", "query", "target", "name")


@dataclass(frozen=True)
class Source:
    """A source of data, as an option of `conf/dataset/` says it.

    Args:
        option: Option of mlrunner that reads it, such as `csv`.
        settings: Keys that differ from that option, with unresolved variables.
        group: The resolved config group.
    """

    option: str
    settings: dict[str, Any]
    group: Group

    @property
    def is_outside(self) -> bool:
        """Whether the data are files of this machine, which a checkout on another one lacks."""
        place = str(self.settings.get("path") or self.settings.get("url") or "")
        return place.startswith("sqlite") or ("path" in self.settings and not has_scheme(place))


def read_source(data: str | None, query: str | None, overrides: Sequence[str] = ()) -> Source:
    """Read where the data come from.

    Args:
        data: File, glob, URL of a file or URL of a database; None for the embedded table.
        query: SELECT statement of a database.
        overrides: Further keys of the data set, such as `dataset.options.sep=';'`.

    Raises:
        ConfigError: When the arguments contradict each other, or hold a password.
    """
    _refuse_overrides(overrides)
    if data is not None and redact(data) != data:
        raise ConfigError(
            "--data holds a password, which would be written into conf/dataset/; export it as a variable, like "
            "DATABASE_URL, and give --data '${oc.env:DATABASE_URL}'."
        )
    option, settings = _choose_option(data, query, overrides)
    words = [f"dataset.{key}={write_value(value)}" for key, value in settings.items()]
    with open_composer() as hydra:
        before = (hydra.compose([f"dataset={option}"]).raw or {})["dataset"]
        snapshot = hydra.compose([f"dataset={option}", *words, *overrides])
    raw = (snapshot.raw or {})["dataset"]
    changed = {key: value for key, value in raw.items() if key not in ROLES and value != before.get(key)}
    return Source(option, changed, dict(snapshot.config["dataset"]))


def _refuse_overrides(overrides: Sequence[str]) -> None:
    for text in overrides:
        key = text.partition("=")[0]
        if not key.startswith("dataset.") or key.removeprefix("dataset.") in SAID_BY_FLAGS:
            raise ConfigError(
                f"'{text}' is not possible here: --data, --query and --target say what is read, and overrides such as "
                "\"dataset.options.sep=';'\" say how."
            )


def _choose_option(data: str | None, query: str | None, overrides: Sequence[str]) -> tuple[str, dict[str, Any]]:
    """Return the option that reads the data, and its settings."""
    if data is None:
        if query is not None:
            raise ConfigError("--query needs the database; give its URL as --data, like --data sqlite:///shop.db.")
        return SAMPLE, {}
    if query is not None or DATABASE.match(data):
        if query is None:
            raise ConfigError('--data names a database; give --query "SELECT … FROM … ORDER BY …" too.')
        return "sql", {"url": SQLITE_FILE.sub(_make_absolute, data), "query": query}
    is_file = not has_scheme(data) and not data.startswith("${")
    said = [name for name in get_args(Format) if f"dataset.format={name}" in overrides]  # options are named so too
    return said[0] if said else detect_format(data), {"path": str(Path(data).absolute()) if is_file else data}


def _make_absolute(match: re.Match[str]) -> str:
    return f"{match[1]}{Path(match[2]).absolute()}"

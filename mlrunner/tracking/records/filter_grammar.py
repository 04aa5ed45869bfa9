"""MLflow's grammar of filters and orders, read, and written as SQL over its own tables or as MLflow wants it.

The rules are those of MLflow's `search_runs` (https://mlflow.org/docs/latest/ml/search/search-runs): clauses joined by
AND, each an entity and its key, a comparator and a value. A key with a slash (`metrics.test/r2`) may go without quotes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from mlrunner.core.errors import ConfigError, nearest

ENTITIES = {
    **dict.fromkeys(("metric", "metrics"), "metric"),
    **dict.fromkeys(("parameter", "parameters", "param", "params"), "param"),
    **dict.fromkeys(("tag", "tags"), "tag"),
    **dict.fromkeys(("attribute", "attributes", "attr", "run"), "attribute"),
    **dict.fromkeys(("dataset", "datasets"), "dataset"),
}
TABLES = {"metric": "latest_metrics", "param": "params", "tag": "tags"}
ALIASES = {
    **dict.fromkeys(("created", "Created"), "start_time"),
    **dict.fromkeys(("run name", "Run name", "Run Name"), "run_name"),
}
NUMBERS = {"start_time": "start_time", "end_time": "end_time"}
TEXTS = {
    "run_id": "run_uuid",
    "run_name": "name",
    "status": "status",
    "user_id": "user_id",
    "artifact_uri": "artifact_uri",
}
RUN_NAME = "mlflow.runName"  # the tag that MLflow filters run_name by
DATASETS = ("name", "digest", "context")
ORDERED = ("=", "!=", ">", ">=", "<", "<=")
MATCHED = ("=", "!=", "LIKE", "ILIKE")
LISTED = ("IN", "NOT IN")
NULLS = ("IS NULL", "IS NOT NULL")
KEY = r"""(?:(?P<entity>\w+|`\w+`)\.)?(?P<key>`[^`]+`|"[^"]+"|[\w./:-]+)"""
TEXT = r"""(?:'(?:''|\\'|[^'])*'|"(?:""|\\"|[^"])*")"""
NUMBER = r"""[-+]?(?:(?:\d*\.\d+|\d+)(?:[eE][-+]?\d+)?|\d+\.)(?![\w.])"""
CLAUSE = re.compile(
    rf"""\s*{KEY}\s*
    (?:(?P<null>\bIS\s+NOT\s+NULL\b|\bIS\s+NULL\b)
    |(?P<comparator>!=|>=|<=|=|>|<|\bNOT\s+LIKE\b|\bLIKE\b|\bILIKE\b|\bNOT\s+IN\b|\bIN\b)\s*
    (?P<value>{TEXT}|{NUMBER}|\((?:{TEXT}|[^()'"])*\)))\s*""",
    re.IGNORECASE | re.VERBOSE,
)
AND = re.compile(r"AND\b", re.IGNORECASE)
ORDER = re.compile(rf"\s*{KEY}(?:\s+(?P<way>ASC|DESC))?\s*", re.IGNORECASE)
LIST = re.compile(rf"\(\s*{TEXT}\s*(?:,\s*{TEXT}\s*)*,?\s*\)")
EXAMPLE = "\"metrics.r2 > 0.3 and params.model = 'rf'\""


class Sql(NamedTuple):
    """A piece of SQL and its parameters."""

    text: str
    values: tuple[object, ...]


class Named(NamedTuple):
    """What a clause is about."""

    entity: str
    key: str

    def __str__(self) -> str:
        return f"{self.entity}.`{self.key}`"


class Clause(NamedTuple):
    """One condition, as it was written."""

    about: Named
    comparator: str
    value: str = ""

    def __str__(self) -> str:
        value = self.value.replace("+", "") if _is_number(self.about) else self.value  # MLflow takes no plus
        return f"{self.about} {self.comparator} {value}".rstrip()


class Key(NamedTuple):
    """One key of an order."""

    about: Named
    way: str

    def __str__(self) -> str:
        return f"{self.about} {self.way}"


def parse(where: str) -> list[Clause]:
    """Read a filter.

    Raises:
        ConfigError: When MLflow would not take it.
    """
    found: list[Clause] = []
    place = 0
    while where[place:].strip():
        if found:
            joint = AND.match(where, place)
            if joint is None:
                raise _unread(where[place:], "clauses are joined by and")
            place = joint.end()
        clause = CLAUSE.match(where, place)
        if clause is None:
            raise _unread(where[place:] or where, "a clause is KEY COMPARATOR VALUE, with texts in single quotes")
        found.append(_checked(clause))
        place = clause.end()
    return found


def _unread(text: str, rule: str) -> ConfigError:
    return ConfigError(f"--where cannot be read at '{text.strip()}': {rule}, like {EXAMPLE}.")


def parse_order(sort: Sequence[str]) -> list[Key]:
    """Read an order.

    Raises:
        ConfigError: When MLflow would not take it.
    """
    found: list[Key] = []
    for told in sort:
        match = ORDER.fullmatch(told)
        if match is None:
            raise ConfigError(f"--sort '{told}' cannot be read; it is KEY or KEY DESC, like 'metrics.r2 DESC'.")
        about = named(match["entity"], match["key"])
        if about.entity == "dataset":
            raise ConfigError(f"--sort '{told}': runs are not sorted by data sets.")
        if about in [key.about for key in found]:
            raise ConfigError(f"--sort '{told}': it is sorted by {about.key} already.")
        found.append(Key(about, (match["way"] or "ASC").upper()))
    return found


def named(entity: str | None, key: str) -> Named:
    """Say what a key is about: without an entity it is an attribute.

    Raises:
        ConfigError: When there is no such entity or attribute.
    """
    told = (entity or "attribute").strip("`")
    if told not in ENTITIES:
        possible = ("metrics", "params", "tags", "attributes", "datasets")
        raise ConfigError(f"'{told}' is no kind of key; there are {', '.join(possible)}.{nearest(told, possible)}")
    kind, name = ENTITIES[told], key.strip('`"')
    name = ALIASES.get(name, name) if kind == "attribute" else name
    known = {"attribute": [*NUMBERS, *TEXTS], "dataset": list(DATASETS)}.get(kind)
    if known is not None and name not in known:
        extra = f" Metrics are written metrics.{name}, parameters params.{name}." if entity is None else ""
        raise ConfigError(f"'{name}' is no {kind} of a run; there are {', '.join(known)}.{nearest(name, known)}{extra}")
    return Named(kind, name)


def _checked(match: re.Match[str]) -> Clause:
    about = named(match["entity"], match["key"])
    comparator = " ".join((match["null"] or match["comparator"]).upper().split())
    possible = _comparators(about)
    if comparator not in possible:
        raise ConfigError(
            f"{about.entity} {about.key} is not compared by {comparator}; there are {', '.join(possible)}."
        )
    value = match["value"] or ""
    if _is_number(about):
        if value[0] in "'\"(":
            unit = " of milliseconds since 1970" if about.entity == "attribute" else ""
            raise ConfigError(f"{about.entity} {about.key} is compared with a number{unit}, and {value} is none.")
    elif comparator in LISTED and not LIST.fullmatch(value):
        raise ConfigError(f"{about.entity} {about.key} {comparator} wants a list like ('a', 'b'), and {value} is none.")
    elif comparator in MATCHED and value[0] not in "'\"":
        told = f"a text in quotes, like '{value.strip('()')}'"
        raise ConfigError(f"{about.entity} {about.key} {comparator} wants {told}, and {value} is none.")
    return Clause(about, comparator, value)


def _is_number(about: Named) -> bool:
    return about.entity == "metric" or (about.entity == "attribute" and about.key in NUMBERS)


def _comparators(about: Named) -> tuple[str, ...]:
    if _is_number(about):
        return ORDERED
    if about.entity in ("param", "tag"):
        return (*MATCHED, *NULLS)
    return (*MATCHED, *LISTED) if about.entity == "dataset" or about.key == "run_id" else MATCHED

"""Parse MLflow's filters and sort keys.

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
ORDER = re.compile(rf"\s*{KEY}(?:\s+(?P<direction>ASC|DESC))?\s*", re.IGNORECASE)
LIST = re.compile(rf"\(\s*{TEXT}\s*(?:,\s*{TEXT}\s*)*,?\s*\)")
EXAMPLE = "\"metrics.r2 > 0.3 and params.model = 'rf'\""


class SqlFragment(NamedTuple):
    """A piece of SQL and its parameters."""

    text: str
    values: tuple[object, ...]


class FilterField(NamedTuple):
    """A metric, parameter, tag, attribute or data set property of a run."""

    entity: str
    key: str

    def __str__(self) -> str:
        return f"{self.entity}.`{self.key}`"


class Clause(NamedTuple):
    """One condition, with its value as it was written."""

    field: FilterField
    comparator: str
    value: str = ""

    def __str__(self) -> str:
        value = self.value.replace("+", "") if _is_number(self.field) else self.value  # MLflow rejects a plus sign
        return f"{self.field} {self.comparator} {value}".rstrip()


class OrderKey(NamedTuple):
    """One sort key; `direction` is ASC or DESC."""

    field: FilterField
    direction: str

    def __str__(self) -> str:
        return f"{self.field} {self.direction}"


def parse(where: str) -> list[Clause]:
    """Parse a filter.

    Raises:
        ConfigError: If MLflow does not accept it.
    """
    clauses: list[Clause] = []
    position = 0
    while where[position:].strip():
        if clauses:
            conjunction = AND.match(where, position)
            if conjunction is None:
                raise _syntax_error(where[position:], "clauses are joined by and")
            position = conjunction.end()
        clause = CLAUSE.match(where, position)
        if clause is None:
            rule = "a clause is KEY COMPARATOR VALUE, with texts in single quotes"
            raise _syntax_error(where[position:] or where, rule)
        clauses.append(_parse_clause(clause))
        position = clause.end()
    return clauses


def _syntax_error(text: str, rule: str) -> ConfigError:
    return ConfigError(f"--where cannot be read at '{text.strip()}': {rule}, like {EXAMPLE}.")


def parse_order(sort: Sequence[str]) -> list[OrderKey]:
    """Parse sort keys.

    Raises:
        ConfigError: If MLflow does not accept one.
    """
    keys: list[OrderKey] = []
    for text in sort:
        match = ORDER.fullmatch(text)
        if match is None:
            raise ConfigError(f"--sort '{text}' cannot be read; it is KEY or KEY DESC, like 'metrics.r2 DESC'.")
        field = parse_field(match["entity"], match["key"])
        if field.entity == "dataset":
            raise ConfigError(f"--sort '{text}': runs are not sorted by data sets.")
        if field in [key.field for key in keys]:
            raise ConfigError(f"--sort '{text}': {field.key} is a sort key already.")
        keys.append(OrderKey(field, (match["direction"] or "ASC").upper()))
    return keys


def parse_field(entity: str | None, key: str) -> FilterField:
    """Parse a key; without an entity it names an attribute.

    Raises:
        ConfigError: If there is no such entity, attribute or data set property.
    """
    entity_name = (entity or "attribute").strip("`")
    if entity_name not in ENTITIES:
        possible = ("metrics", "params", "tags", "attributes", "datasets")
        hint = nearest(entity_name, possible)
        raise ConfigError(f"'{entity_name}' is not a kind of key; there are {', '.join(possible)}.{hint}")
    kind, name = ENTITIES[entity_name], key.strip('`"')
    name = ALIASES.get(name, name) if kind == "attribute" else name
    names = {"attribute": [*NUMBERS, *TEXTS], "dataset": list(DATASETS)}.get(kind)
    if names is not None and name not in names:
        hint = nearest(name, names)
        hint += f" Metrics are written metrics.{name}, parameters params.{name}." if entity is None else ""
        raise ConfigError(f"runs have no {kind} '{name}'; there are {', '.join(names)}.{hint}")
    return FilterField(kind, name)


def _parse_clause(match: re.Match[str]) -> Clause:
    field = parse_field(match["entity"], match["key"])
    comparator = " ".join((match["null"] or match["comparator"]).upper().split())
    possible = _comparators(field)
    subject = f"{field.entity} {field.key}"
    if comparator not in possible:
        raise ConfigError(f"{subject} cannot be compared by {comparator}; possible: {', '.join(possible)}.")
    value = match["value"] or ""
    if _is_number(field):
        if value[0] in "'\"(":
            unit = " of milliseconds since 1970" if field.entity == "attribute" else ""
            raise ConfigError(f"{subject} needs a number{unit}, got {value}.")
    elif comparator in LISTED and not LIST.fullmatch(value):
        raise ConfigError(f"{subject} {comparator} needs a list like ('a', 'b'), got {value}.")
    elif comparator in MATCHED and value[0] not in "'\"":
        example = f"'{value.strip('()')}'"
        raise ConfigError(f"{subject} {comparator} needs a text in quotes, like {example}, got {value}.")
    return Clause(field, comparator, value)


def _is_number(field: FilterField) -> bool:
    return field.entity == "metric" or (field.entity == "attribute" and field.key in NUMBERS)


def _comparators(field: FilterField) -> tuple[str, ...]:
    if _is_number(field):
        return ORDERED
    if field.entity in ("param", "tag"):
        return (*MATCHED, *NULLS)
    return (*MATCHED, *LISTED) if field.entity == "dataset" or field.key == "run_id" else MATCHED

"""MLflow's grammar of filters and orders, as SQL over its own tables.

The rules are those of MLflow's `search_runs` (https://mlflow.org/docs/latest/ml/search/search-runs): clauses joined by
AND, each an entity and its key, a comparator and a value.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from mlrunner.errors import ConfigError, nearest

ENTITIES = {
    **dict.fromkeys(("metric", "metrics"), "metric"),
    **dict.fromkeys(("parameter", "parameters", "param", "params"), "param"),
    **dict.fromkeys(("tag", "tags"), "tag"),
    **dict.fromkeys(("attribute", "attributes", "attr", "run"), "attribute"),
    **dict.fromkeys(("dataset", "datasets"), "dataset"),
}
TABLES = {"metric": "latest_metrics", "param": "params", "tag": "tags"}
NUMBERS = {"start_time": "start_time", "end_time": "end_time", "created": "start_time", "Created": "start_time"}
TEXTS = {
    "run_id": "run_uuid",
    "run_name": "name",
    "run name": "name",
    "Run name": "name",
    "Run Name": "name",
    "status": "status",
    "user_id": "user_id",
    "artifact_uri": "artifact_uri",
}
DATASETS = ("name", "digest", "context")
ORDERED = ("=", "!=", ">", ">=", "<", "<=")
MATCHED = ("=", "!=", "LIKE", "ILIKE")
LISTED = ("IN", "NOT IN")
NULLS = ("IS NULL", "IS NOT NULL")
KEY = r"""(?P<key>`[^`]+`|"[^"]+"|[\w./ -]+?)"""
CLAUSE = re.compile(
    rf"""\s*(?:(?P<entity>`?\w+`?)\.)?{KEY}\s*
    (?:(?P<null>\bIS\s+NOT\s+NULL\b|\bIS\s+NULL\b)
    |(?P<comparator>!=|>=|<=|=|>|<|\bNOT\s+LIKE\b|\bLIKE\b|\bILIKE\b|\bNOT\s+IN\b|\bIN\b)\s*
    (?P<value>'[^']*'|"[^"]*"|[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|\([^()]*\)))\s*""",
    re.IGNORECASE | re.VERBOSE,
)
AND = re.compile(r"AND\b", re.IGNORECASE)
ORDER = re.compile(rf"\s*(?:(?P<entity>`?\w+`?)\.)?{KEY}(?:\s+(?P<way>ASC|DESC))?\s*", re.IGNORECASE)
ITEM = re.compile(r"'([^']*)'|\"([^\"]*)\"")
EXAMPLE = "\"metrics.r2 > 0.3 and params.model = 'rf'\""


class Sql(NamedTuple):
    """A piece of SQL and its parameters."""

    text: str
    values: tuple[object, ...]


class Named(NamedTuple):
    """What a clause is about."""

    entity: str
    key: str


def conditions(where: str) -> list[Sql]:
    """Translate a filter into conditions on a row of `runs`.

    Raises:
        ConfigError: When MLflow would not take it.
    """
    found: list[Sql] = []
    place = 0
    while where[place:].strip():
        if found:
            joint = AND.match(where, place)
            if joint is None:
                raise _unread(where[place:], "clauses are joined by and")
            place = joint.end()
        clause = CLAUSE.match(where, place)
        if clause is None:
            raise _unread(where[place:], "a clause is KEY COMPARATOR VALUE, with texts in single quotes")
        found.append(_condition(clause))
        place = clause.end()
    return found


def _unread(text: str, rule: str) -> ConfigError:
    return ConfigError(f"--where cannot be read at '{text.strip()}': {rule}, like {EXAMPLE}.")


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
    known = {"attribute": [*NUMBERS, *TEXTS], "dataset": list(DATASETS)}.get(kind)
    if known is not None and name not in known:
        shown = [one for one in known if one.islower() and " " not in one]
        extra = f" Metrics are written metrics.{name}, parameters params.{name}." if entity is None else ""
        raise ConfigError(f"'{name}' is no {kind} of a run; there are {', '.join(shown)}.{nearest(name, shown)}{extra}")
    return Named(kind, name)


def _condition(clause: re.Match[str]) -> Sql:
    about = named(clause["entity"], clause["key"])
    comparator = " ".join((clause["null"] or clause["comparator"]).upper().split())
    possible = _comparators(about)
    if comparator not in possible:
        raise ConfigError(
            f"{about.entity} {about.key} is not compared by {comparator}; there are {', '.join(possible)}."
        )
    if comparator in NULLS:
        negation = "NOT " if comparator == "IS NULL" else ""
        return Sql(f"{negation}EXISTS (SELECT 1 FROM {_rows(about)})", (about.key,))
    return _compared(about, comparator, _value(about, comparator, clause["value"]))


def _comparators(about: Named) -> tuple[str, ...]:
    if about.entity == "metric" or (about.entity == "attribute" and about.key in NUMBERS):
        return ORDERED
    return (*MATCHED, *NULLS) if about.entity in ("param", "tag") else (*MATCHED, *LISTED)


def _value(about: Named, comparator: str, text: str) -> tuple[object, ...]:
    is_text = text[0] in "'\"("
    if about.entity == "metric" or (about.key in NUMBERS and about.entity == "attribute"):
        if is_text:
            raise ConfigError(f"{about.entity} {about.key} is compared with a number, and {text} is none.")
        return (float(text) if about.entity == "metric" or not text.lstrip("+-").isdigit() else int(text),)
    if not is_text or (text[0] == "(") != (comparator in LISTED):
        form = "a list like ('a', 'b')" if comparator in LISTED else f"a text in quotes, like '{text.strip('()')}'"
        raise ConfigError(f"{about.entity} {about.key} {comparator} wants {form}, and {text} is none.")
    if comparator not in LISTED:
        return (text[1:-1],)
    if about.entity == "attribute" and about.key != "run_id":
        raise ConfigError(f"attribute {about.key} is not compared with a list; only run_id is.")
    return tuple(single or double for single, double in ITEM.findall(text))


def _rows(about: Named) -> str:
    return f"{TABLES[about.entity]} t WHERE t.run_uuid = runs.run_uuid AND t.key = ?"


def _compared(about: Named, comparator: str, values: tuple[object, ...]) -> Sql:
    if about.entity == "attribute":
        if about.key in NUMBERS:
            return Sql(f"runs.{NUMBERS[about.key]} {comparator} ?", values)
        return _matched(f"runs.{TEXTS[about.key]}", comparator, values)
    if about.entity == "dataset":
        return _of_dataset(about.key, comparator, values)
    if about.entity == "metric":  # MLflow stores NaN as 0 with a mark
        mark = "OR t.is_nan" if comparator == "!=" else "AND NOT t.is_nan"
        return Sql(f"EXISTS (SELECT 1 FROM {_rows(about)} AND (t.value {comparator} ? {mark}))", (about.key, *values))
    matched = _matched("t.value", comparator, values)
    return Sql(f"EXISTS (SELECT 1 FROM {_rows(about)} AND {matched.text})", (about.key, *matched.values))


def _matched(column: str, comparator: str, values: tuple[object, ...]) -> Sql:
    if comparator in LISTED:
        return Sql(f"{column} {comparator} ({', '.join('?' * len(values))})", values)
    if comparator == "ILIKE":
        return Sql(f"lower({column}) LIKE lower(?)", values)
    return Sql(f"{column} {comparator} ?", values)


def _of_dataset(key: str, comparator: str, values: tuple[object, ...]) -> Sql:
    joined = "inputs i JOIN datasets d ON d.dataset_uuid = i.source_id"
    if key == "context":
        joined += " JOIN input_tags g ON g.input_uuid = i.input_uuid AND g.name = 'mlflow.data.context'"
    matched = _matched("g.value" if key == "context" else f"d.{key}", comparator, values)
    return Sql(
        f"EXISTS (SELECT 1 FROM {joined} WHERE i.destination_id = runs.run_uuid AND {matched.text})", matched.values
    )


def order(sort: Sequence[str]) -> Sql:
    """Translate an order: what a run does not have comes last, and the newest first where runs are equal.

    Raises:
        ConfigError: When MLflow would not take it.
    """
    texts: list[str] = []
    values: list[object] = []
    for told in sort:
        match = ORDER.fullmatch(told)
        if match is None:
            raise ConfigError(f"--sort '{told}' cannot be read; it is KEY or KEY DESC, like 'metrics.r2 DESC'.")
        about = named(match["entity"], match["key"])
        if about.entity == "dataset":
            raise ConfigError(f"--sort '{told}': runs are not sorted by data sets.")
        way = (match["way"] or "ASC").upper()
        if about.entity == "attribute":
            column = f"runs.{ {**NUMBERS, **TEXTS}[about.key] }"
            texts += [f"{column} IS NULL", f"{column} {way}"]
            continue
        value = "CASE WHEN t.is_nan THEN NULL ELSE t.value END" if about.entity == "metric" else "t.value"
        column = f"(SELECT {value} FROM {_rows(about)})"
        texts += [f"{column} IS NULL", f"{column} {way}"]
        values += [about.key, about.key]
    return Sql(", ".join([*texts, "runs.start_time DESC", "runs.run_uuid"]), tuple(values))

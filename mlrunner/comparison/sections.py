"""A comparison as tables of texts: what every way of showing it shows."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from mlrunner.comparison import SEARCH, Comparison
from mlrunner.comparison.distributions import Moved
from mlrunner.comparison.scores import Score
from mlrunner.comparison.structure import ABSENT, Change, elements
from mlrunner.terminal import number

Style = Literal["added", "removed", "changed", "better", "worse", "dim", ""]
Row = tuple[tuple[str, ...], Style]
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
WIDEST = 60  # characters of a value
MOST = 30  # lines of a section that is not asked for whole
VERDICTS: dict[str | None, Style] = {
    "better": "better",
    "worse": "worse",
    **dict.fromkeys(("within noise", "same", "other data"), "dim"),
}


@dataclass(frozen=True)
class Section:
    """A table.

    Args:
        title: What it compares.
        columns: The first names what a row is about.
        rows: The cells, and how the row is marked.
        note: What was left out; None for nothing.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    note: str | None = None


def letter(place: int) -> str:
    """Name a side: A, B, …, Z, A1."""
    return LETTERS[place % 26] + (str(place // 26) if place >= 26 else "")


def sections(found: Comparison, whole: bool = False) -> list[Section]:
    """Lay a comparison out; a section that has nothing to say is absent.

    Args:
        found: The comparison.
        whole: Show also what follows from something else, and every metric.
    """
    letters = [letter(place) for place in range(len(found.sides))]
    every = [
        _changes("choices", found.choices, letters, whole),
        _changes("values", found.values, letters, whole),
        _scores(found, letters, whole),
        _changes("search", found.search, letters, True),
        _changes("data", found.data, letters, whole, "data."),
        *(_moved(moved, letters[place]) for place, moved in enumerate(found.moved, 1)),
        _changes("code", found.code, letters, whole, "code."),
        _changes("environment", found.environment, letters, whole),
    ]
    return [one for one in every if one.rows or one.note]


def _changes(title: str, found: Sequence[Change], letters: Sequence[str], whole: bool, prefix: str = "") -> Section:
    own = [one for one in found if whole or (one.follows is None and not one.key.startswith(SEARCH))]
    shown = own if whole else own[:MOST]
    rows: list[Row] = [((one.key.removeprefix(prefix), *_values(one)), _style(one)) for one in shown]
    left = [one for one in found if one not in shown and not one.key.startswith(SEARCH)]
    counts = Counter(one.follows for one in left)
    parts = [f"{count} follow from {name}" for name, count in counts.items() if name is not None]
    parts += [f"{counts[None]} more"] if counts[None] else []
    return Section(title, ("", *letters), tuple(rows), f"{', '.join(parts)} (--all)" if parts else None)


def _style(one: Change) -> Style:
    return "dim" if one.follows is not None else one.kind


def _values(one: Change) -> Iterator[str]:
    first = one.values[0]
    yield shown(first)
    for value in one.values[1:]:
        if isinstance(first, list) and isinstance(value, list):
            gone, come = elements(first, value)
            yield " ".join([*(f"-{shown(each)}" for each in gone), *(f"+{shown(each)}" for each in come)]) or "same"
        else:
            yield shown(value)


def shown(value: Any) -> str:
    """Write a value in one short line; a dash for none."""
    if value is ABSENT:
        return "-"
    told = value if isinstance(value, str) and value else json.dumps(value, default=str, ensure_ascii=False)
    told = " ".join(told.split())
    return told if len(told) <= WIDEST else f"{told[: WIDEST - 1]}…"


def _scores(found: Comparison, letters: Sequence[str], whole: bool) -> Section:
    if sum(bool(side.metrics) for side in found.sides) < 2:
        return Section("scores", (), ())
    metric = next((side.metric for side in found.sides if side.metric is not None), None)
    shown = [one for one in found.scores if whole or _is_first(one, metric, found)]
    against = [name for each in letters[1:] for name in (f"{each} - {letters[0]}", "± noise", "verdict")]
    rows = tuple((tuple(_score(one)), _verdict(one)) for one in shown)
    left = len(found.scores) - len(shown)
    return Section("scores", ("", *letters, *against), rows, f"{left} more (--all)" if left else None)


def _is_first(one: Score, metric: str | None, found: Comparison) -> bool:
    """Show the objective's metric of every part, all metrics of the test rows, and what the fit cost."""
    part, _, name = one.name.rpartition("/")
    has_test = any(name.startswith("test/") for side in found.sides for name in side.metrics)
    return name == metric or part == "test" or one.name == "fit_seconds" or (not has_test and part != "train")


def _score(one: Score) -> Iterator[str]:
    yield one.name
    yield from map(number, one.values)
    for difference, noise, verdict in zip(one.differences, one.noise, one.verdicts, strict=True):
        yield "-" if difference is None else f"{'+' if difference > 0 else ''}{number(difference)}"
        yield "-" if noise is None else f"{noise:.2g}"
        yield verdict or "-"


def _verdict(one: Score) -> Style:
    return VERDICTS.get(one.verdicts[0], "") if len(one.verdicts) == 1 else ""


def _moved(found: Sequence[Moved], against: str) -> Section:
    rows: list[Row] = [((one.column, one.told, f"{one.distance:.3f}"), "changed") for one in found[:MOST]]
    left = len(found) - len(rows)
    columns = ("", "moved", "distance")
    return Section(f"distributions, A to {against}", columns, tuple(rows), f"{left} more" if left else None)

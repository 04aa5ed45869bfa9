"""Lay out a comparison as tables of texts, for every output format."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, takewhile
from typing import TYPE_CHECKING, Any, Literal

from mlrunner.core.formatting import format_number
from mlrunner.core.metric_names import THRESHOLD
from mlrunner.history.diff.distributions import Shift
from mlrunner.history.diff.scores import COSTS, Score
from mlrunner.history.diff.sides import SEARCH
from mlrunner.history.diff.structure import ABSENT, Change, compare_lists, equal_values, find_changes

if TYPE_CHECKING:
    from mlrunner.history.diff import Comparison

Style = Literal["added", "removed", "changed", "better", "worse", "dim", ""]
Row = tuple[tuple[str, ...], Style]
SIGNS = {"added": "+", "removed": "-", "changed": "~"}
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
MAX_LENGTH = 60  # characters of a value in a table
CONTEXT = 15  # characters before a difference
MAX_ROWS = 30  # of a section, unless all is asked for
UNSURE = ("better?", "worse?")
VERDICTS: dict[str | None, Style] = {
    "better": "better",
    "worse": "worse",
    **dict.fromkeys(("within noise", "same", "other data"), "dim"),
}


@dataclass(frozen=True)
class Section:
    """A table of a comparison.

    Args:
        title: Title.
        columns: Column names; the first column holds the key or metric of a row.
        rows: Cells and style of each row.
        note: Number of rows that are left out, and a legend; None for neither.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    note: str | None = None


def side_letter(place: int) -> str:
    """Return the letter of a side: A, B, …, Z, A1."""
    return LETTERS[place % 26] + (str(place // 26) if place >= 26 else "")


def make_sections(comparison: Comparison, whole: bool = False) -> list[Section]:
    """Lay out a comparison; empty sections are left out.

    Args:
        comparison: Comparison.
        whole: Whether to include all metrics, and values that follow from others.
    """
    letters = [side_letter(place) for place in range(len(comparison.sides))]
    all_sections = [
        _changes("choices", comparison.choices, letters, whole),
        _changes("values", comparison.values, letters, whole),
        _scores(comparison, letters, whole),
        _changes("search", comparison.search, letters, True),
        _changes("data", comparison.data, letters, whole, "data."),
        *(_shifts(shifts, letters[place]) for place, shifts in enumerate(comparison.shifts, 1)),
        _changes("code", comparison.code, letters, whole, "code."),
        _changes("environment", comparison.environment, letters, whole),
    ]
    return [section for section in all_sections if section.rows or section.note]


def _changes(title: str, changes: Sequence[Change], letters: Sequence[str], whole: bool, prefix: str = "") -> Section:
    visible = [change for change in changes if whole or (change.follows is None and not change.key.startswith(SEARCH))]
    rows_shown = visible if whole else visible[:MAX_ROWS]
    rows: list[Row] = [((change.key.removeprefix(prefix), *_values(change)), _style(change)) for change in rows_shown]
    hidden = [change for change in changes if change not in rows_shown and not change.key.startswith(SEARCH)]
    counts = Counter(change.follows for change in hidden)
    notes = [f"{count} follow{'s' * (count == 1)} from {name}" for name, count in counts.items() if name is not None]
    notes += [f"{counts[None]} more"] if counts[None] else []
    return Section(title, ("", *letters), tuple(rows), f"{', '.join(notes)} (--all)" if notes else None)


def _style(change: Change) -> Style:
    return "dim" if change.follows is not None else change.kind


def _values(change: Change) -> Iterator[str]:
    first, *others = change.values
    texts = _texts(change.values)
    yield format_value(first) if isinstance(first, list) else texts[0]
    for value, text in zip(others, texts[1:], strict=True):
        yield _list_change(first, value) if isinstance(first, list) and isinstance(value, list) else text


def _texts(values: Sequence[Any]) -> list[str]:
    """Format values so that different values look different: long ones are cut before their first difference."""
    texts = [format_value(value) for value in values]
    pairs = combinations(zip(values, texts, strict=True), 2)
    if all(text != other or equal_values(value, other_value) for (value, text), (other_value, other) in pairs):
        return texts
    whole = [_json(value) for value in values]
    common = takewhile(lambda letters: len(set(letters)) == 1, zip(*whole, strict=False))
    start = max(0, sum(1 for _ in common) - CONTEXT)
    return [_cut(f"{'…' if start else ''}{text[start:]}") for text in whole]


def _list_change(first: list[Any], value: list[Any]) -> str:
    """Describe the changes from one list to another."""
    removed, added = compare_lists(first, value)
    if len(removed) == len(added) and all(isinstance(element, dict) for element in (*removed, *added)):
        inside = [change for pair in zip(removed, added, strict=True) for change in find_changes(pair)]
        return ", ".join(f"{change.key} {' → '.join(_texts(change.values))}" for change in inside) or "same"
    if sorted(map(_json, first)) == sorted(map(_json, value)):
        return f"in another order: {format_value(value)}"
    texts = _texts([*removed, *added])
    return " ".join(f"{'-' if place < len(removed) else '+'}{text}" for place, text in enumerate(texts))


def format_value(value: Any) -> str:
    """Format a value in one short line; a dash if it is absent."""
    return _cut(value if isinstance(value, str) and value else _json(value))


def _json(value: Any) -> str:
    return "-" if value is ABSENT else json.dumps(value, default=str, ensure_ascii=False)


def _cut(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= MAX_LENGTH else f"{text[: MAX_LENGTH - 1]}…"


def _scores(comparison: Comparison, letters: Sequence[str], whole: bool) -> Section:
    places = [place for place, side in enumerate(comparison.sides) if side.metrics]
    if len(places) < 2:
        return Section("scores", (), ())
    metric = next((side.metric for side in comparison.sides if side.metric is not None), None)
    visible = [score for score in comparison.scores if whole or _is_visible(score, metric, comparison)]
    other_places = places[1:] if places[0] == 0 else []
    difference_columns = [
        name for place in other_places for name in (f"{letters[place]} - {letters[0]}", "± noise", "verdict")
    ]
    rows = tuple((tuple(_cells(score, places, other_places)), _score_style(score, other_places)) for score in visible)
    hidden = len(comparison.scores) - len(visible)
    notes = [f"{hidden} more (--all)"] if hidden else []
    columns = ("", *(letters[place] for place in places), *difference_columns)
    return Section("scores", columns, rows, "; ".join([*notes, *_legend(visible)]) or None)


def _legend(visible: Sequence[Score]) -> Iterator[str]:
    """Explain the words that are in the table."""
    if any(
        uncertainty is not None for score in visible if score.name not in COSTS for uncertainty in score.uncertainty
    ):
        yield "± noise: how much other rows would change the difference, at 95 %"
    if any(verdict in UNSURE for score in visible for verdict in score.verdicts):
        yield "?: noise unknown"


def _is_visible(score: Score, metric: str | None, comparison: Comparison) -> bool:
    """Select the objective's metric of every part, all metrics of the test rows, and the time of the fit."""
    part, _, name = score.name.rpartition("/")
    has_test = any(name.startswith("test/") for side in comparison.sides for name in side.metrics)
    return (
        name == metric
        or part == "test"
        or score.name in ("fit_seconds", THRESHOLD)
        or (not has_test and part != "train")
    )


def _cells(score: Score, places: Sequence[int], other_places: Sequence[int]) -> Iterator[str]:
    yield score.name
    yield from (format_number(score.values[place]) for place in places)
    for index in (place - 1 for place in other_places):
        difference, uncertainty = score.differences[index], score.uncertainty[index]
        yield "-" if difference is None else f"{'+' if difference > 0 else ''}{format_number(difference)}"
        yield "-" if uncertainty is None else format_number(float(f"{uncertainty:.2g}"))
        yield score.verdicts[index] or "-"


def _score_style(score: Score, other_places: Sequence[int]) -> Style:
    return VERDICTS.get(score.verdicts[other_places[0] - 1], "") if len(other_places) == 1 else ""


def _shifts(shifts: Sequence[Shift], other: str) -> Section:
    rows: list[Row] = [
        ((shift.column, shift.change, f"{shift.distance:.3f}"), "changed") for shift in shifts[:MAX_ROWS]
    ]
    hidden = len(shifts) - len(rows)
    columns = ("", "moved", "distance")
    return Section(f"distributions, A to {other}", columns, tuple(rows), f"{hidden} more" if hidden else None)

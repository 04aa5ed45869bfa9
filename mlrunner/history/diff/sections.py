"""A comparison as tables of texts: what every way of showing it shows."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, takewhile
from typing import TYPE_CHECKING, Any, Literal

from mlrunner.core.terminal import number
from mlrunner.history.diff.distributions import Moved
from mlrunner.history.diff.scores import COSTS, Score
from mlrunner.history.diff.sides import SEARCH
from mlrunner.history.diff.structure import ABSENT, Change, changes, elements, same

if TYPE_CHECKING:
    from mlrunner.history.diff import Comparison

Style = Literal["added", "removed", "changed", "better", "worse", "dim", ""]
Row = tuple[tuple[str, ...], Style]
SIGNS = {"added": "+", "removed": "-", "changed": "~"}
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
WIDEST = 60  # characters of a value
BEFORE = 15  # of them, before what differs
MOST = 30  # lines of a section that is not asked for whole
UNSURE = ("better?", "worse?")
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
    first, *others = one.values
    texts = _texts(one.values)
    yield shown(first) if isinstance(first, list) else texts[0]
    for value, text in zip(others, texts[1:], strict=True):
        yield _by_element(first, value) if isinstance(first, list) and isinstance(value, list) else text


def _texts(values: Sequence[Any]) -> list[str]:
    """Write values, so that those that differ look different: where they begin alike, from where they do not."""
    texts = [shown(value) for value in values]
    pairs = combinations(zip(values, texts, strict=True), 2)
    if all(text != other or same(value, beside) for (value, text), (beside, other) in pairs):
        return texts
    whole = [_json(value) for value in values]
    alike = takewhile(lambda letters: len(set(letters)) == 1, zip(*whole, strict=False))
    begin = max(0, sum(1 for _ in alike) - BEFORE)
    return [_cut(f"{'…' if begin else ''}{text[begin:]}") for text in whole]


def _by_element(first: list[Any], value: list[Any]) -> str:
    """Tell what makes one list of another."""
    gone, come = elements(first, value)
    if len(gone) == len(come) and all(isinstance(each, dict) for each in (*gone, *come)):
        inside = [change for pair in zip(gone, come, strict=True) for change in changes(pair)]
        return ", ".join(f"{change.key} {' → '.join(_texts(change.values))}" for change in inside) or "same"
    if sorted(map(_json, first)) == sorted(map(_json, value)):
        return f"in another order: {shown(value)}"
    texts = _texts([*gone, *come])
    return " ".join(f"{'-' if place < len(gone) else '+'}{text}" for place, text in enumerate(texts))


def shown(value: Any) -> str:
    """Write a value in one short line; a dash for none."""
    return _cut(value if isinstance(value, str) and value else _json(value))


def _json(value: Any) -> str:
    return "-" if value is ABSENT else json.dumps(value, default=str, ensure_ascii=False)


def _cut(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"


def _scores(found: Comparison, letters: Sequence[str], whole: bool) -> Section:
    scored = [place for place, side in enumerate(found.sides) if side.metrics]
    if len(scored) < 2:
        return Section("scores", (), ())
    metric = next((side.metric for side in found.sides if side.metric is not None), None)
    shown = [one for one in found.scores if whole or _is_first(one, metric, found)]
    others = scored[1:] if scored[0] == 0 else []
    against = [name for place in others for name in (f"{letters[place]} - {letters[0]}", "± noise", "verdict")]
    rows = tuple((tuple(_score(one, scored, others)), _verdict(one, others)) for one in shown)
    left = len(found.scores) - len(shown)
    notes = [f"{left} more (--all)"] if left else []
    columns = ("", *(letters[place] for place in scored), *against)
    return Section("scores", columns, rows, "; ".join([*notes, *_legend(shown)]) or None)


def _legend(shown: Sequence[Score]) -> Iterator[str]:
    """Say what the words of the table mean, of those that are in it."""
    if any(noise is not None for one in shown if one.name not in COSTS for noise in one.noise):
        yield "± noise: what other rows would change, 19 times in 20"
    if any(verdict in UNSURE for one in shown for verdict in one.verdicts):
        yield "?: noise not known"


def _is_first(one: Score, metric: str | None, found: Comparison) -> bool:
    """Show the objective's metric of every part, all metrics of the test rows, and what the fit cost."""
    part, _, name = one.name.rpartition("/")
    has_test = any(name.startswith("test/") for side in found.sides for name in side.metrics)
    return name == metric or part == "test" or one.name == "fit_seconds" or (not has_test and part != "train")


def _score(one: Score, scored: Sequence[int], others: Sequence[int]) -> Iterator[str]:
    yield one.name
    yield from (number(one.values[place]) for place in scored)
    for at in (place - 1 for place in others):
        difference, noise = one.differences[at], one.noise[at]
        yield "-" if difference is None else f"{'+' if difference > 0 else ''}{number(difference)}"
        yield "-" if noise is None else number(float(f"{noise:.2g}"))
        yield one.verdicts[at] or "-"


def _verdict(one: Score, others: Sequence[int]) -> Style:
    return VERDICTS.get(one.verdicts[others[0] - 1], "") if len(others) == 1 else ""


def _moved(found: Sequence[Moved], against: str) -> Section:
    rows: list[Row] = [((one.column, one.told, f"{one.distance:.3f}"), "changed") for one in found[:MOST]]
    left = len(found) - len(rows)
    columns = ("", "moved", "distance")
    return Section(f"distributions, A to {against}", columns, tuple(rows), f"{left} more" if left else None)

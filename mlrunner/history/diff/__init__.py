"""Compare runs, sweeps, compositions and files: the choices, the values, the scores, and what they stood on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mlrunner.composition.compose import composing
from mlrunner.composition.keys import GROUPS, MACHINE_KEYS, PLACES
from mlrunner.core.errors import ConfigError
from mlrunner.history.diff import distributions, provenance
from mlrunner.history.diff import overrides as lines
from mlrunner.history.diff import scores as scoring
from mlrunner.history.diff.distributions import Moved
from mlrunner.history.diff.overrides import Line
from mlrunner.history.diff.scores import Score
from mlrunner.history.diff.sides import SEARCH
from mlrunner.history.diff.sides import Side as Side
from mlrunner.history.diff.structure import ABSENT, Change, changes

UNSHOWN = (*PLACES, "output")
# Shown, but they decide no result.
# `sweep` and `experiment` set what is shown beside them.
ASIDES = tuple(f"{key}." for key in (*MACHINE_KEYS, SEARCH, "sweep", "experiment", "code.branch", "code.untracked"))


@dataclass(frozen=True)
class Comparison:
    """What differs between sides; everything that is the same is left out.

    Args:
        sides: At least two; the first is what the others are compared with.
        choices: Of the groups.
        values: Of the composition; `follows` names the choice or the key that a value follows from.
        scores: Every metric, also those that are the same.
        search: Of sweeps: what was searched, and how.
        data: Fingerprint, rows and columns.
        moved: From the first side to each other one: the columns whose distributions differ.
        code: Commit, what differed from it, source files.
        environment: Python and packages.
        lines: From the first side to each other one: the overrides that turn it into the other.
    """

    sides: tuple[Side, ...]
    choices: tuple[Change, ...]
    values: tuple[Change, ...]
    scores: tuple[Score, ...]
    search: tuple[Change, ...]
    data: tuple[Change, ...]
    moved: tuple[tuple[Moved, ...], ...]
    code: tuple[Change, ...]
    environment: tuple[Change, ...]
    lines: tuple[Line | None, ...]

    @property
    def is_same(self) -> bool:
        """Whether nothing differs that decides a result: scores are what comes of it."""
        keys = [one.key.rpartition("@")[2] for one in self.choices]
        keys += [one.key for one in (*self.values, *self.code)]
        asides = ASIDES if _is_ours(self.sides) else ()
        if not all(f"{key}.".startswith(asides) for key in keys):
            return False
        return not any((self.search, self.data, self.environment, *self.moved))

    def __repr__(self) -> str:
        return f"<Comparison of {' and '.join(side.name for side in self.sides)}>"

    def __str__(self) -> str:
        from mlrunner.history.diff.terminal_output import as_text  # which needs this module

        return as_text(self)

    def _repr_html_(self) -> str:
        from mlrunner.history.diff.documents import as_html  # which needs this module

        return as_html(self)


def compare(sides: Sequence[Side]) -> Comparison:
    """Compare sides with the first of them.

    Raises:
        ConfigError: When there are fewer than two.
    """
    if len(sides) < 2:
        raise ConfigError("A comparison has two sides at least; name another run, or a composition after --.")
    first, *others = sides
    searches = [side.search or {} for side in sides]
    found = tuple(_line(first, other) for other in others)
    return Comparison(
        sides=tuple(sides),
        choices=tuple(_choices(sides, found)),
        values=tuple(_values(sides, found)),
        scores=tuple(scoring.scores(sides)),
        search=tuple(changes(searches)) if all(searches) else (),
        data=tuple(provenance.data(sides)),
        moved=tuple(tuple(distributions.moved(first, other)) for other in others),
        code=tuple(provenance.code(sides)),
        environment=tuple(provenance.environment(sides)),
        lines=found,
    )


def _line(first: Side, other: Side) -> Line | None:
    """Find the overrides; None for files that are no compositions of ours."""
    if first.frozen.raw is None or other.frozen.raw is None:
        return None
    if not first.frozen.choices or not other.frozen.choices:
        return None
    with composing(other.frozen.sources) as hydra:  # the last -cd of a command line is the only one
        try:
            return lines.line(hydra, first.frozen, other.frozen)
        except ConfigError as error:  # an option that is not there any more
            return Line((), (), problem=str(error))


def _choices(sides: Sequence[Side], found: Sequence[Line | None]) -> Iterator[Change]:
    """Find the choices that differ; one inside of another group follows from that group's unless it is typed."""
    typed = _typed(found)
    for change in changes([side.frozen.choices for side in sides]):
        holder = change.key.partition("@")[2].partition(".")[0]
        yield replace(change, follows=holder if holder and any(found) and change.key not in typed else None)


def _typed(found: Sequence[Line | None]) -> set[str]:
    return {lines.key_of(text) for one in found if one is not None for text in one.change}


def _values(sides: Sequence[Side], found: Sequence[Line | None]) -> Iterator[Change]:
    """Find the values that differ, and say which of them follow from others."""
    hidden = UNSHOWN if _is_ours(sides) else ()
    raws = [_shown(side.frozen.raw if side.frozen.raw is not None else side.frozen.config, hidden) for side in sides]
    set_anew = {change.key for change in changes(raws)}
    typed = {key for key in _typed(found) if ("." in key and "@" not in key) or key not in GROUPS}
    chosen = {change.key.rpartition("@")[2].partition(".")[0] for change in _choices(sides, found)}
    chosen = chosen if any(found) else set()
    for change in changes([_shown(side.frozen.config, hidden) for side in sides]):
        is_typed = any(lines.touch(change.key, key) for key in typed)
        group = change.key.partition(".")[0]
        if group in chosen and not is_typed:
            yield replace(change, follows=group)
        else:
            yield replace(change, follows=None if change.key in set_anew else _interpolated(raws, change.key))


def _interpolated(raws: Sequence[Any], key: str) -> str | None:
    """Name the key that a value's interpolation refers to; None where it refers to none."""
    for raw in raws:
        for name in key.split("."):
            raw = raw.get(name, ABSENT) if isinstance(raw, dict) else raw
        if found := re.search(r"\$\{(\w+(\.\w+)*)\}", str(raw)):  # of ${one.${other}} the other
            return found[1]
    return None


def _shown(config: dict[str, Any], hidden: Sequence[str]) -> dict[str, Any]:
    return {key: value for key, value in config.items() if key not in hidden}


def _is_ours(sides: Sequence[Side]) -> bool:
    """Tell whether one of them is a composition of ours; between other files each key counts."""
    return not all(side.record is None and side.frozen.raw and not side.frozen.choices for side in sides)

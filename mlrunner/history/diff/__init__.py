"""Compare runs, sweeps, compositions and files: choices, values, scores and provenance."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mlrunner.composition.compose import open_composer
from mlrunner.composition.keys import GROUPS, MACHINE_KEYS, PLACES
from mlrunner.core.errors import ConfigError
from mlrunner.core.overrides import get_key
from mlrunner.history.diff import distributions, provenance
from mlrunner.history.diff import overrides as lines
from mlrunner.history.diff import scores as scoring
from mlrunner.history.diff.distributions import Shift
from mlrunner.history.diff.overrides import OverrideDiff
from mlrunner.history.diff.scores import Score
from mlrunner.history.diff.sides import SEARCH
from mlrunner.history.diff.sides import Side as Side
from mlrunner.history.diff.structure import ABSENT, Change, find_changes

HIDDEN_KEYS = (*PLACES, "output")
# These do not affect results; what `sweep` and `experiment` set is compared besides.
NEUTRAL_KEYS = tuple(
    f"{key}." for key in (*MACHINE_KEYS, SEARCH, "sweep", "experiment", "code.branch", "code.untracked")
)


@dataclass(frozen=True)
class Comparison:
    """The differences between two or more sides.

    Args:
        sides: At least two sides; the others are compared with the first.
        choices: Options of the groups.
        values: Values of the composition; `follows` names the choice or key that determines a value.
        scores: All metrics, also equal ones.
        search: Space, sampler and goal of sweeps.
        data: Fingerprint, rows and columns.
        shifts: Columns whose distributions differ, one tuple for each side but the first.
        code: Commit, uncommitted changes and source files.
        environment: Versions of Python and packages.
        overrides: Overrides that turn the first side into another, one for each side but the first.
    """

    sides: tuple[Side, ...]
    choices: tuple[Change, ...]
    values: tuple[Change, ...]
    scores: tuple[Score, ...]
    search: tuple[Change, ...]
    data: tuple[Change, ...]
    shifts: tuple[tuple[Shift, ...], ...]
    code: tuple[Change, ...]
    environment: tuple[Change, ...]
    overrides: tuple[OverrideDiff | None, ...]

    @property
    def is_same(self) -> bool:
        """Whether nothing differs that affects a result; scores are results themselves."""
        keys = [change.key.rpartition("@")[2] for change in self.choices]
        keys += [change.key for change in (*self.values, *self.code)]
        neutral = NEUTRAL_KEYS if _is_ours(self.sides) else ()
        if not all(f"{key}.".startswith(neutral) for key in keys):
            return False
        return not any((self.search, self.data, self.environment, *self.shifts))

    def __repr__(self) -> str:
        return f"<Comparison of {' and '.join(side.name for side in self.sides)}>"

    def __str__(self) -> str:
        from mlrunner.history.diff.terminal_output import to_text  # which needs this module

        return to_text(self)

    def _repr_html_(self) -> str:
        from mlrunner.history.diff.documents import to_html  # which needs this module

        return to_html(self)


def compare(sides: Sequence[Side]) -> Comparison:
    """Compare sides with the first of them.

    Raises:
        ConfigError: If there are fewer than two.
    """
    if len(sides) < 2:
        raise ConfigError("A comparison needs at least two sides; name another run, or a composition after --.")
    first, *others = sides
    searches = [side.search or {} for side in sides]
    overrides = tuple(_find_overrides(first, other) for other in others)
    return Comparison(
        sides=tuple(sides),
        choices=tuple(_choices(sides, overrides)),
        values=tuple(_values(sides, overrides)),
        scores=tuple(scoring.compare_scores(sides)),
        search=tuple(find_changes(searches)) if all(searches) else (),
        data=tuple(provenance.compare_data(sides)),
        shifts=tuple(tuple(distributions.find_shifts(first, other)) for other in others),
        code=tuple(provenance.compare_code(sides)),
        environment=tuple(provenance.compare_environment(sides)),
        overrides=overrides,
    )


def _find_overrides(first: Side, other: Side) -> OverrideDiff | None:
    """Find the overrides between two sides; None for files that are not compositions of mlrunner."""
    if first.snapshot.raw is None or other.snapshot.raw is None:
        return None
    if not first.snapshot.choices or not other.snapshot.choices:
        return None
    with open_composer(other.snapshot.sources) as hydra:  # Hydra takes the last -cd only
        try:
            return lines.diff_overrides(hydra, first.snapshot, other.snapshot)
        except ConfigError as error:  # an option that does not exist any more
            return OverrideDiff((), (), problem=str(error))


def _choices(sides: Sequence[Side], overrides: Sequence[OverrideDiff | None]) -> Iterator[Change]:
    """Find the choices that differ; a choice within another group follows from that group unless it was overridden."""
    typed = _override_keys(overrides)
    for change in find_changes([side.snapshot.choices for side in sides]):
        holder = change.key.partition("@")[2].partition(".")[0]
        yield replace(change, follows=holder if holder and any(overrides) and change.key not in typed else None)


def _override_keys(overrides: Sequence[OverrideDiff | None]) -> set[str]:
    return {get_key(text) for diff in overrides if diff is not None for text in diff.change}


def _values(sides: Sequence[Side], overrides: Sequence[OverrideDiff | None]) -> Iterator[Change]:
    """Find the values that differ, and which of them follow from others."""
    hidden = HIDDEN_KEYS if _is_ours(sides) else ()
    snapshots = [side.snapshot for side in sides]
    raw_configs = [_without(saved.config if saved.raw is None else saved.raw, hidden) for saved in snapshots]
    set_directly = {change.key for change in find_changes(raw_configs)}
    keys = {key for key in _override_keys(overrides) if ("." in key and "@" not in key) or key not in GROUPS}
    groups = {change.key.rpartition("@")[2].partition(".")[0] for change in _choices(sides, overrides)}
    groups = groups if any(overrides) else set()
    for change in find_changes([_without(side.snapshot.config, hidden) for side in sides]):
        is_override = any(lines.are_nested(change.key, key) for key in keys)
        group = change.key.partition(".")[0]
        if group in groups and not is_override:
            yield replace(change, follows=group)
        else:
            yield replace(
                change, follows=None if change.key in set_directly else _interpolated(raw_configs, change.key)
            )


def _interpolated(configs: Sequence[Any], key: str) -> str | None:
    """Return the key that the interpolation of a value refers to, if any."""
    for value in configs:
        for name in key.split("."):
            value = value.get(name, ABSENT) if isinstance(value, dict) else value
        if match := re.search(r"\$\{(\w+(\.\w+)*)\}", str(value)):  # in ${outer.${inner}} the inner one
            return match[1]
    return None


def _without(config: dict[str, Any], hidden: Sequence[str]) -> dict[str, Any]:
    return {key: value for key, value in config.items() if key not in hidden}


def _is_ours(sides: Sequence[Side]) -> bool:
    """Check whether a side is a composition of mlrunner; between other files every key counts."""
    return not all(side.record is None and side.snapshot.raw and not side.snapshot.choices for side in sides)

"""The shortest line of overrides that turns one composition into another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mlrunner.comparison.structure import ABSENT, Change, changes
from mlrunner.composition.composing import Composing
from mlrunner.composition.writing import written
from mlrunner.errors import ConfigError
from mlrunner.keys import PLACES
from mlrunner.records.frozen import Frozen

FIRST = ("experiment",)  # sets other choices, so it goes before them
LEFT = ("sweep",)  # makes a multirun of a run; what it sets is set by value
UNTOLD = (*PLACES, "output")  # of a machine, or of how a run prints
HYDRA = ("hydra.", "hydra/", "+hydra.", "~hydra.", "++hydra.")


@dataclass(frozen=True)
class Line:
    """How to get a composition.

    Args:
        change: What turns the first composition into the second: add it to the command line of the first, in the
            place of overrides of the same keys and of those below a choice that is made anew.
        command: All overrides of the second composition, from the default one.
        beyond: The keys that no override can set; none when the command reaches the second composition exactly.
        change_beyond: The same of the change: what the first command line did, and no override undoes, is among them.
        folders: Of configuration beside the project's own: the second composition was run with `-cd`.
        problem: Why there is no line: today's files do not compose a side any more; None where there is one.
    """

    change: tuple[str, ...]
    command: tuple[str, ...]
    beyond: tuple[str, ...] = ()
    change_beyond: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    problem: str | None = None

    def flags(self, known: Sequence[str] = ()) -> tuple[str, ...]:
        """Name the folders on the command line, but for those that are there already."""
        return tuple(word for folder in self.folders if folder not in known for word in ("-cd", folder))

    @property
    def is_exact(self) -> bool:
        """Whether the command composes the second composition exactly."""
        return not self.beyond and self.problem is None


def line(hydra: Composing, first: Frozen, second: Frozen) -> Line:
    """Find both lines.

    Args:
        hydra: Composes today's files.
        first: A composition.
        second: Another one, of which the raw values are known.
    """
    command, beyond = toward(hydra, Frozen({}), second)
    own = alone(first.overrides)
    base = Frozen(first.config, first.raw, first.choices, own)
    change, change_beyond = toward(hydra, base, second) if own else (command, beyond)
    return Line(change, command, beyond, change_beyond, second.sources)


def alone(overrides: Sequence[str]) -> tuple[str, ...]:
    """Leave out what makes a multirun, and what a run prints."""
    dropped = (*HYDRA, *(f"{name}=" for name in LEFT), "output=")
    return tuple(text for text in overrides if not text.startswith(dropped))


def edited(overrides: Sequence[str], change: Sequence[str]) -> list[str]:
    """Change a command line: newer overrides stand in the place of those of the same key, or below a new choice."""
    before = {key_of(text): text for text in overrides}
    groups = [key_of(text) for text in change if is_choice(text)]
    # Where several overrides touch a key, what one of them leaves is not known: they stay, and the newer comes last.
    newer = {key_of(text) for text in change}
    clear = {key for key in newer if key in groups or sum(touch(key, key_of(text)) for text in overrides) < 2}

    def goes(text: str) -> bool:
        key = key_of(text)
        return key in clear or any(key.startswith((f"{group}.", f"{group}@")) for group in groups)

    joined = [_joined(before.get(key_of(text), "") if key_of(text) in clear else "", text) for text in change]
    return [*[text for text in overrides if not goes(text)], *filter(None, joined)]


def touch(one: str, other: str) -> bool:
    """Tell whether two keys are the same, or one is inside of the other."""
    return one == other or one.startswith(f"{other}.") or other.startswith(f"{one}.")


def _joined(older: str, newer: str) -> str:
    """Write an override that stands in the place of another one of its key: what was added may be left out again."""
    if older.startswith("+"):
        return "" if newer.startswith("~") else f"+{newer.lstrip('+')}"
    return newer.lstrip("+") if older.startswith("~") else newer


def key_of(override: str) -> str:
    """The key of an override, without its sign."""
    return override.partition("=")[0].lstrip("+~")


def is_choice(override: str) -> bool:
    """Tell whether an override chooses an option: its key is the folder of a group."""
    from mlrunner.options import CONF

    key = key_of(override)
    return "@" in key or (CONF / key).is_dir()


def toward(hydra: Composing, base: Frozen, goal: Frozen) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Find what to add to a base's overrides to compose a goal.

    Returns:
        The overrides, choices first; and the keys that stay different.
    """
    found: list[str] = []
    now = hydra.compose(base.overrides) if base.raw is None else base
    for groups in (FIRST, [name for name in goal.choices if "@" not in name], list(goal.choices)):
        more = list(_choices(now, goal, groups))
        if more:
            found = edited(found, more)
            now = hydra.compose(edited(base.overrides, found))
    if now is base:  # as it was frozen; today's files may give another
        now = hydra.compose(base.overrides)
    values = list(_values(now.raw or {}, goal.raw or {}))
    texts, beyond = _settable(hydra, now.raw or {}, goal.raw or {}, values)
    return (*found, *texts), beyond


def _choices(now: Frozen, goal: Frozen, groups: Sequence[str]) -> Iterator[str]:
    for group in groups:
        wanted = goal.choices.get(group)
        if group in LEFT or wanted == now.choices.get(group):
            continue
        yield f"{group}={written(wanted)}" if wanted is not None else f"~{group}"


def told(config: dict[str, Any]) -> dict[str, Any]:
    """Leave out what a line says nothing of."""
    return {key: value for key, value in config.items() if key not in UNTOLD}


def _values(now: dict[str, Any], goal: dict[str, Any]) -> Iterator[Change]:
    yield from changes((told(now), told(goal)))


def _settable(
    hydra: Composing, now: dict[str, Any], goal: dict[str, Any], values: list[Change]
) -> tuple[list[str], tuple[str, ...]]:
    """Write the overrides of values, each of which is tried alone."""
    texts: list[str] = []
    for change in values:
        for text in _overrides(change):
            try:
                now = hydra.set(now, [text])
            except ConfigError:
                continue
            texts.append(text)
    return texts, tuple(change.key for change in _values(now, goal))


def _overrides(change: Change) -> Iterator[str]:
    """Write a change: nothing, an override, or two that replace what Hydra would merge."""
    value = change.values[1]
    try:
        if value is ABSENT:
            yield f"~{change.key}"
        elif change.values[0] is ABSENT:
            yield f"+{change.key}={written(value)}"
        elif isinstance(value, dict | list) or isinstance(change.values[0], dict | list):
            yield from _replaced(change)
        else:
            yield f"{change.key}={written(value)}"
    except ValueError:  # the grammar has no way to say it
        return


def _replaced(change: Change) -> Iterator[str]:
    """Replace a list or a dictionary by what is of another kind: Hydra would merge the two."""
    old, new = change.values
    if type(old) is type(new) or (new is None and not isinstance(old, dict)) or old is None:
        yield f"{change.key}={written(new)}"
    else:
        yield f"~{change.key}"
        yield f"+{change.key}={written(new)}"

"""The shortest line of overrides that turns one composition into another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mlrunner.composition.compose import Composing
from mlrunner.composition.override_syntax import written
from mlrunner.core.environment import CONF
from mlrunner.core.errors import ConfigError
from mlrunner.core.overrides import quote_option
from mlrunner.history.diff.choices import apart, settings
from mlrunner.tracking.records.snapshot import Frozen

FIRST = ("experiment",)  # sets other choices, so it goes before them
LEFT = ("sweep",)  # makes a multirun of a run; what it sets is set by value
HYDRA = ("hydra.", "hydra/", "+hydra.", "~hydra.", "++hydra.")


@dataclass(frozen=True)
class Line:
    """How to get a composition.

    Args:
        change: What turns the first composition into the second: add it to the command line of the first.
        command: All overrides of the second composition, from the default one.
        beyond: The keys that no override can set; none when the command reaches the second composition exactly.
        change_beyond: The same of the change: what the first command line did, and no override undoes, is among them.
        folders: Of configuration beside the project's own: the second composition was run with `-cd`.
        without: Of the first command line, what is left out for the change: it is below a choice that is made anew.
        problem: Why there is no line: today's files do not compose the second any more; None where there is one.
        change_problem: The same of the first one.
    """

    change: tuple[str, ...]
    command: tuple[str, ...]
    beyond: tuple[str, ...] = ()
    change_beyond: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    problem: str | None = None
    change_problem: str | None = None

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
    if not own:
        return Line(command, command, beyond, beyond, second.sources)
    try:
        change, change_beyond = toward(hydra, Frozen(first.config, first.raw, first.choices, own), second)
    except ConfigError as error:
        return Line((), command, beyond, folders=second.sources, change_problem=str(error))
    kept, anew = edited(own, change), {key_of(text) for text in change}
    without = tuple(text for text in own if text not in kept and key_of(text) not in anew)
    return Line(change, command, beyond, change_beyond, second.sources, without)


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
    clear -= {key_of(text) for text in change if text.startswith("+") and "={" in text}  # merges into what is there

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
    key = key_of(override)
    return "@" in key or (CONF / key).is_dir()


def toward(hydra: Composing, base: Frozen, goal: Frozen) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Find what to add to a base's overrides to compose a goal.

    Returns:
        The overrides, choices first; and the keys that stay different.
    """
    found: list[str] = []
    now = hydra.compose(base.overrides) if base.raw is None else base
    for depth in sorted(set(map(_depth, _groups(now, goal)))):  # what an option brings is known when it is chosen
        more = list(_choices(now, goal, [name for name in _groups(now, goal) if _depth(name) == depth]))
        if more:
            found = edited(found, more)
            now = hydra.compose(edited(base.overrides, found))
    if now is base:  # as it was frozen; today's files may give another
        now = hydra.compose(base.overrides)
    texts, then = settings(hydra, now.raw or {}, goal.raw or {})
    found = [*found, *texts]
    if any(touch(key_of(one), key_of(other)) for one in texts for other in base.overrides):  # which may undo each other
        then = hydra.compose(edited(base.overrides, found)).raw or {}
    return tuple(found), tuple(one.key for one in apart(then, goal.raw or {}))


def _groups(now: Frozen, goal: Frozen) -> list[str]:
    """Name the groups of the goal, and of what is now those that were added."""
    added = [key_of(text) for text in now.overrides if text.startswith("+") and key_of(text) in now.choices]
    return list(dict.fromkeys((*FIRST, *goal.choices, *added)))


def _depth(group: str) -> int:
    """Say how many choices a group is inside of; what sets other choices goes before them."""
    return -1 if group in FIRST else sum(map(group.count, "@/."))


def _choices(now: Frozen, goal: Frozen, groups: Sequence[str]) -> Iterator[str]:
    deleted = [key_of(text) for text in now.overrides if text.startswith("~")]
    for group in groups:
        wanted = goal.choices.get(group)
        if group in LEFT or wanted == now.choices.get(group):
            continue
        is_there = group in (*FIRST, *now.choices, *deleted)  # in the list of defaults
        yield f"~{group}" if wanted is None else f"{'' if is_there else '+'}{_chosen(group, wanted)}"


def _chosen(group: str, option: str) -> str:
    """Write a choice; the front door quotes an option like 80_20."""
    plain, safe = f"{group}={option}", f"{group}={written(option)}"
    return plain if quote_option(plain) == safe else safe

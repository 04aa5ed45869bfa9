"""Find the shortest overrides that turn one composition into another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mlrunner.composition.compose import ConfigComposer
from mlrunner.composition.override_syntax import write_value
from mlrunner.core.conf_files import is_group
from mlrunner.core.errors import ConfigError
from mlrunner.core.overrides import get_key, quote_option
from mlrunner.history.diff.value_overrides import find_value_overrides, value_differences
from mlrunner.tracking.records.snapshot import Snapshot

OUTER_GROUPS = ("experiment",)  # set other choices, so they come before them
SKIPPED_GROUPS = ("sweep",)  # turn a run into a multirun; what they set is set by value
HYDRA_PREFIXES = ("hydra.", "hydra/", "+hydra.", "~hydra.", "++hydra.")


@dataclass(frozen=True)
class OverrideDiff:
    """The overrides between two compositions.

    Args:
        change: Overrides to add to the command line of the first composition.
        command: All overrides of the second composition, starting from the default composition.
        beyond: Keys that no override can set; empty if `command` composes the second composition exactly.
        change_beyond: Keys that `change` cannot set, also those that the first command line set for good.
        folders: Configuration folders of the second composition beside the project's own.
        without: Overrides of the first command line that `change` replaces, because they are below a new choice.
        problem: Why today's configuration files cannot compose the second composition; None if they can.
        change_problem: Why they cannot compose the first composition; None if they can.
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
        """Return the command line flags of the folders that are not among the known ones."""
        return tuple(word for folder in self.folders if folder not in known for word in ("-cd", folder))

    @property
    def is_exact(self) -> bool:
        """Whether `command` composes the second composition exactly."""
        return not self.beyond and self.problem is None


def diff_overrides(hydra: ConfigComposer, first: Snapshot, second: Snapshot) -> OverrideDiff:
    """Find the overrides between two compositions.

    Args:
        hydra: Composer of today's configuration files.
        first: First composition.
        second: Second composition, with its raw values.
    """
    command, beyond = find_overrides(hydra, Snapshot({}), second)
    own = run_overrides(first.overrides)
    if not own:
        return OverrideDiff(command, command, beyond, beyond, second.sources)
    try:
        change, change_beyond = find_overrides(hydra, Snapshot(first.config, first.raw, first.choices, own), second)
    except ConfigError as error:
        return OverrideDiff((), command, beyond, folders=second.sources, change_problem=str(error))
    remaining, replaced = edit_overrides(own, change), {get_key(text) for text in change}
    without = tuple(text for text in own if text not in remaining and get_key(text) not in replaced)
    return OverrideDiff(change, command, beyond, change_beyond, second.sources, without)


def run_overrides(overrides: Sequence[str]) -> tuple[str, ...]:
    """Remove the overrides that make a multirun or decide what a run prints."""
    prefixes = (*HYDRA_PREFIXES, *(f"{name}=" for name in SKIPPED_GROUPS), "output=")
    return tuple(text for text in overrides if not text.startswith(prefixes))


def edit_overrides(overrides: Sequence[str], change: Sequence[str]) -> list[str]:
    """Add overrides to a command line, replacing those of the same key or below a new choice."""
    before = {get_key(text): text for text in overrides}
    groups = [get_key(text) for text in change if is_choice(text)]
    keys = {get_key(text) for text in change}
    # If several overrides affect a key, the effect of removing one is unknown: they stay, and the new one comes last.
    clear = {key for key in keys if key in groups or sum(are_nested(key, get_key(text)) for text in overrides) < 2}
    clear -= {get_key(text) for text in change if text.startswith("+") and "={" in text}  # is merged

    def is_replaced(text: str) -> bool:
        key = get_key(text)
        return key in clear or any(key.startswith((f"{group}.", f"{group}@")) for group in groups)

    added = [
        _replace_override(before.get(get_key(text), "") if get_key(text) in clear else "", text) for text in change
    ]
    return [*[text for text in overrides if not is_replaced(text)], *filter(None, added)]


def are_nested(first: str, second: str) -> bool:
    """Check whether two keys are equal, or one is within the other."""
    return first == second or first.startswith(f"{second}.") or second.startswith(f"{first}.")


def _replace_override(old: str, new: str) -> str:
    """Combine two overrides of one key; empty if the new one deletes what the old one added."""
    if old.startswith("+"):
        return "" if new.startswith("~") else f"+{new.lstrip('+')}"
    return new.lstrip("+") if old.startswith("~") else new


def is_choice(override: str) -> bool:
    """Check whether an override chooses an option: its key is the folder of a group."""
    key = get_key(override)
    return "@" in key or is_group(key)


def find_overrides(hydra: ConfigComposer, base: Snapshot, goal: Snapshot) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Find the overrides that compose a goal when they are added to those of a base.

    Returns:
        The overrides, choices first; and the keys that stay different.
    """
    overrides: list[str] = []
    current = hydra.compose(base.overrides) if base.raw is None else base
    for depth in sorted(set(map(_depth, _groups(current, goal)))):  # an option is known once it is chosen
        choices = list(_choices(current, goal, [name for name in _groups(current, goal) if _depth(name) == depth]))
        if choices:
            overrides = edit_overrides(overrides, choices)
            current = hydra.compose(edit_overrides(base.overrides, overrides))
    if current is base:  # it was saved at its launch; today's files may compose something else
        current = hydra.compose(base.overrides)
    values, result = find_value_overrides(hydra, current.raw or {}, goal.raw or {})
    overrides = [*overrides, *values]
    keys = [get_key(text) for text in base.overrides]
    if any(are_nested(get_key(text), key) for text in values for key in keys):  # they may undo each other
        result = hydra.compose(edit_overrides(base.overrides, overrides)).raw or {}
    return tuple(overrides), tuple(difference.key for difference in value_differences(result, goal.raw or {}))


def _groups(current: Snapshot, goal: Snapshot) -> list[str]:
    """List the groups of the goal, and those that overrides of the current composition added."""
    keys = (get_key(text) for text in current.overrides if text.startswith("+"))
    return list(dict.fromkeys((*OUTER_GROUPS, *goal.choices, *(key for key in keys if key in current.choices))))


def _depth(group: str) -> int:
    """Count the choices that a group is within; -1 for a group that sets other choices."""
    return -1 if group in OUTER_GROUPS else sum(map(group.count, "@/."))


def _choices(current: Snapshot, goal: Snapshot, groups: Sequence[str]) -> Iterator[str]:
    deleted = [get_key(text) for text in current.overrides if text.startswith("~")]
    for group in groups:
        option = goal.choices.get(group)
        if group in SKIPPED_GROUPS or option == current.choices.get(group):
            continue
        has_default = group in (*OUTER_GROUPS, *current.choices, *deleted)
        yield f"~{group}" if option is None else f"{'' if has_default else '+'}{_write_choice(group, option)}"


def _write_choice(group: str, option: str) -> str:
    """Write a choice without quotes if the command line adds them, as for 80_20."""
    plain, quoted = f"{group}={option}", f"{group}={write_value(option)}"
    return plain if quote_option(plain) == quoted else quoted

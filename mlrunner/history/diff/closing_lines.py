"""The last lines of a comparison: the overrides that turn the first side into the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from mlrunner.core.overrides import join_words
from mlrunner.core.redaction import redact
from mlrunner.history.diff.sections import side_letter

if TYPE_CHECKING:
    from mlrunner.history.diff import Comparison

EQUAL = "Nothing differs that affects a result."


def make_closing_lines(comparison: Comparison) -> Iterator[tuple[str, str]]:
    """List labels and commands: what turns the first side into another, and what runs the other from the defaults."""
    for place, diff in enumerate(comparison.overrides, 1):
        if diff is None:
            continue
        name = side_letter(place)
        if diff.problem is not None:
            yield f"today's configuration files cannot compose {name}", diff.problem
            continue
        if diff.change_problem is not None:
            yield f"today's configuration files cannot compose A, to turn it into {name}", diff.change_problem
        change = [*diff.flags(comparison.sides[0].snapshot.sources), *diff.change]
        if change:
            yield f"A becomes {name} with", format_words(change)
        if diff.without:
            yield "and without", format_words(diff.without)
        if diff.change_beyond and diff.change_beyond != diff.beyond:
            yield f"no override sets these keys, which A needs to equal {name}", ", ".join(diff.change_beyond)
        yield f"{name} is", format_words(["mlrunner", *diff.flags(), *diff.command])
        if diff.beyond:
            yield f"no override sets these keys of {name}", ", ".join(diff.beyond)


def format_words(words: Iterable[str]) -> str:
    """Quote words for a shell, and hide secrets."""
    return join_words(map(redact, words))

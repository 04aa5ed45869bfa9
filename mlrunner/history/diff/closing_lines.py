"""How the first side of a comparison becomes each other one: the last lines of every way of showing it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from mlrunner.core.overrides import shell
from mlrunner.core.redaction import redact
from mlrunner.history.diff.sections import letter

if TYPE_CHECKING:
    from mlrunner.history.diff import Comparison

EQUAL = "Nothing differs that decides a result."


def ending(found: Comparison) -> Iterator[tuple[str, str]]:
    """Say how the first side becomes each other one, and how that is run from nothing: label and command."""
    for place, line in enumerate(found.lines, 1):
        if line is None:
            continue
        name = letter(place)
        if line.problem is not None:
            yield f"no overrides of today's files are {name}", line.problem
            continue
        if line.change_problem is not None:
            yield f"today's files do not compose A any more, so nothing makes it {name}", line.change_problem
        change = [*line.flags(found.sides[0].frozen.sources), *line.change]
        if change:
            yield f"A becomes {name} with", told(change)
        if line.without:
            yield "and without", told(line.without)
        if line.change_beyond and line.change_beyond != line.beyond:
            yield f"and no override of today's files sets, for A to be {name} exactly", ", ".join(line.change_beyond)
        yield f"{name} is", told(["mlrunner", *line.flags(), *line.command])
        if line.beyond:
            yield f"and no override of today's files sets, to be {name} exactly", ", ".join(line.beyond)


def told(words: Iterable[str]) -> str:
    """Write words for a shell, without what is secret."""
    return shell(map(redact, words))

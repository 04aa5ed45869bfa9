"""The `console` blocks of a page: their commands, what they print, and the comparison with what a run prints now."""

from __future__ import annotations

import re
from typing import NamedTuple

BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ELLIPSIS = "…"  # a line of its own: any lines
MASKS = {  # what differs from run to run
    r"\b\d{4}-\d\d-\d\d[ T/]\d\d[:-]\d\d(?:[:-]\d\d)?(?:-\d{6})?(?:\+00:00)?": "TIME",
    r"\bm-[0-9a-f]{32}\b|\b[0-9a-f]{8}(?:[0-9a-f]{4}|[0-9a-f]{24})?\b": "ID",
    r"\d[\d,.]* (?:s|min|ms|MB|rows/s)\b": "SIZE",
    r"127\.0\.0\.1:\d+": "ADDRESS",
    r"[─-]{3,}": "---",
    r" {2,}": " ",
    r" +$": "",
}


class Example(NamedTuple):
    """A command of a page, without its prompt, and the lines that follow it."""

    command: str
    output: str


def read_examples(page: str) -> list[Example]:
    """Read the commands of all `console` blocks; a backslash at the end of a line joins it with the next."""
    parts = [part for block in BLOCK.findall(page) for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]]
    return [Example(*part.replace("\\\n", "").partition("\n")[::2]) for part in parts]


def mask(text: str) -> str:
    """Replace ids, times, sizes, addresses and the width of gaps."""
    for pattern, name in MASKS.items():
        text = re.sub(pattern, name, text, flags=re.MULTILINE)
    return text.strip()


def matches(expected: str, printed: str) -> bool:
    """Check whether a text was printed, but for what differs from run to run and for lines that are left out."""
    parts = [re.escape(line) + "\n" if line != ELLIPSIS else "(?:.*\n)*?" for line in mask(expected).split("\n")]
    return re.fullmatch("".join(parts), mask(printed) + "\n") is not None

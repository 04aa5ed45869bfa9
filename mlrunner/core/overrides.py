"""Options of the groups as they are typed: 80_20 is a name, which Hydra's grammar reads as the number 8020."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Sequence

from mlrunner.core.environment import CONF

CHOICE = re.compile(r"\w+=choice\([^)]*\)")
DIGITS_OPTION = re.compile(r"(?<![\w'\"])\d+(_\d+)+(?![\w'\"])")
# Hydra's flags that take a word, which is no override.
FOLDER, INFO = ("--config-dir", "-cd"), ("--info", "-i")
VALUED = (
    "--cfg",
    "-c",
    "--config-name",
    "-cn",
    "--config-path",
    "-cp",
    "--package",
    "-p",
    "--experimental-rerun",
    *FOLDER,
)
TOPICS = ("all", "config", "defaults", "defaults-tree", "plugins", "searchpath")
PLAINLY_QUOTED = re.compile(r"""[^"$`\\!\n]*'[^"$`\\!\n]*""")  # nothing in it means anything within double quotes
NO_NAME = re.compile(r"[\d.]+|true|false", re.IGNORECASE)


def quote_option(text: str) -> str:
    """Quote an option like 80_20, which Hydra's grammar would read as the number 8020."""
    key, equals, value = text.partition("=")
    if not equals or not (CONF / key).is_dir():
        return text
    quoted = DIGITS_OPTION.sub(r"'\g<0>'", value)
    return f"{key}={quoted}"


def quote_choices(text: str) -> str:
    """Quote such options in each `choice(…)` of a zipped dimension."""
    return CHOICE.sub(lambda found: quote_option(found[0]), text)


def shell(words: Iterable[str]) -> str:
    """Write words for a shell; Hydra's own quotes within double ones, as a person would type them."""
    return " ".join(f'"{word}"' if PLAINLY_QUOTED.fullmatch(word) else shlex.quote(word) for word in words)


def parted(words: Iterable[str]) -> tuple[list[str], list[str]]:
    """Part Hydra's flags, with their words, from the overrides: argparse takes none between overrides."""
    flags: list[str] = []
    overrides: list[str] = []
    before = ""
    for word in words:
        is_told = before in VALUED or (before in INFO and word in TOPICS)
        is_flag = word.startswith("-") and not is_told
        (flags if is_flag or is_told else overrides).append(word)
        before = word if is_flag else ""
    return flags, overrides


def folder_of(flags: Sequence[str]) -> list[str]:
    """Find the flag that names a folder of configuration beside the project's own, with its folder."""
    found: list[str] = []  # the last one is meant
    for flag, word in zip(flags, [*flags[1:], ""], strict=True):
        name, sign, folder = flag.partition("=")
        if name in FOLDER:
            found = ["-cd", folder if sign else word]
    return found


def misread(texts: Iterable[str], error: ValueError) -> str:
    """Say which options Hydra cannot look for, because its grammar reads them as no text."""
    pairs = [text.partition("=") for text in texts]
    found = [f"{key}={value}" for key, _, value in pairs if NO_NAME.fullmatch(value) and (CONF / key).is_dir()]
    if not found:
        return " ".join(str(error).split())
    return f"{', '.join(found)} names no option but a number; put it in quotes, as in split='80_20'."

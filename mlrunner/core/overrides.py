"""Prepare typed overrides for Hydra, whose grammar reads an option like 80_20 as the number 8020."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable

from mlrunner.core.conf_files import is_group

CHOICE = re.compile(r"\w+=choice\([^)]*\)")
DIGITS_OPTION = re.compile(r"(?<![\w'\"])\d+(_\d+)+(?![\w'\"])")
# Flags of Hydra that take the next word as their value.
FOLDER, INFO = ("--config-dir", "-cd"), ("--info", "-i")
CONFIG = ("--cfg", "-c", "--config-name", "-cn", "--config-path", "-cp")
VALUED = (*CONFIG, "--package", "-p", "--experimental-rerun", *FOLDER)
TOPICS = ("all", "config", "defaults", "defaults-tree", "plugins", "searchpath")
PLAINLY_QUOTED = re.compile(r"""[^"$`\\!\n]*'[^"$`\\!\n]*""")  # text that needs no escaping within double quotes
NO_NAME = re.compile(r"[\d.]+|true|false", re.IGNORECASE)


def quote_option(text: str) -> str:
    """Quote an option like 80_20 in an override of a config group."""
    key, equals, value = text.partition("=")
    if not equals or not is_group(key):
        return text
    quoted = DIGITS_OPTION.sub(r"'\g<0>'", value)
    return f"{key}={quoted}"


def get_key(text: str) -> str:
    """Return the key of an override with its package, without `+`, `++` or `~`."""
    return text.partition("=")[0].lstrip("+~")


def quote_choices(text: str) -> str:
    """Quote options like 80_20 in each `choice(…)` of a zipped dimension."""
    return CHOICE.sub(lambda match: quote_option(match[0]), text)


def join_words(words: Iterable[str]) -> str:
    """Join words into a command for a shell; words with Hydra's single quotes are put in double quotes."""
    return " ".join(f'"{word}"' if PLAINLY_QUOTED.fullmatch(word) else shlex.quote(word) for word in words)


def split_flags(words: Iterable[str]) -> tuple[list[str], list[str]]:
    """Separate Hydra's flags and their values from the overrides: argparse does not take flags between overrides.

    Returns:
        The flags with their values, and the overrides.
    """
    flags: list[str] = []
    overrides: list[str] = []
    before = ""
    for word in words:
        is_value = before in VALUED or (before in INFO and word in TOPICS)
        is_flag = word.startswith("-") and not is_value
        (flags if is_flag or is_value else overrides).append(word)
        before = word if is_flag else ""
    return flags, overrides


def explain_misread(texts: Iterable[str], error: ValueError) -> str:
    """Explain an error that Hydra raises for options that its grammar does not read as text.

    Args:
        texts: Overrides as they were typed.
        error: Error of Hydra; its message is returned when there are no such options.
    """
    pairs = [text.partition("=") for text in texts]
    numbers = [f"{key}={value}" for key, _, value in pairs if NO_NAME.fullmatch(value) and is_group(key)]
    if not numbers:
        return " ".join(str(error).split())
    return f"{', '.join(numbers)} names no option but a number; put it in quotes, as in split='80_20'."

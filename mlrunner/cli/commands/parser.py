"""Argument parser of a verb, whose errors are sentences like all other messages of mlrunner."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from typing import NoReturn

from mlrunner.core.errors import ConfigError, nearest

UNKNOWN = "unrecognized arguments: "  # argparse's words
TRUST_HELP = "read the query or the address of the run's data set, with your rights"
CSV_HELP, MARKDOWN_HELP = "print CSV, with unrounded numbers", "print a Markdown table"
FLAG = re.compile(r"(?:^ +|, )(--?[\w-]+)", re.MULTILINE)


class Parser(argparse.ArgumentParser):
    """Argument parser that takes no abbreviated options.

    Args:
        verb: Name of the verb.
        description: What the verb does.
        epilog: Text below the arguments; one of several lines keeps its line breaks.
        usage: Usage line; argparse writes it by default.

    Raises:
        ConfigError: When the arguments are wrong; argparse would print its usage and exit.
    """

    def __init__(self, verb: str, description: str, epilog: str = "", usage: str | None = None) -> None:
        form = argparse.RawDescriptionHelpFormatter if "\n" in epilog else argparse.HelpFormatter
        prog = f"mlrunner {verb}"
        super().__init__(prog, usage, description, epilog, formatter_class=form, allow_abbrev=False)

    def add_flags(self, **flags: str) -> None:
        """Add flags without a value, by name with underscores, each with its help."""
        for name, text in flags.items():
            self.add_argument(f"--{name.replace('_', '-')}", action="store_true", help=text)

    def add_formats(self, **formats: str) -> None:
        """Add flags of which one at most is given, such as `--json`, by name, each with its help."""
        group = self.add_mutually_exclusive_group()
        for name, text in formats.items():
            group.add_argument(f"--{name}", action="store_true", help=text)

    def error(self, message: str) -> NoReturn:
        """Refuse the arguments."""
        more = f"{self.prog} --help lists the arguments."
        _, is_unknown, unknown = message.partition(UNKNOWN)
        if is_unknown:
            option = unknown.partition(" ")[0].partition("=")[0]
            close = nearest(option, list_flags(self.format_help()))
            raise ConfigError(f"{self.prog} takes no '{option}'.{close} {more}")
        raise ConfigError(f"{message}; {more}")


def list_flags(text: str) -> list[str]:
    """List the flags that the help of a parser shows, such as `-h` and `--help`."""
    return FLAG.findall(find_options(text))


def find_options(text: str) -> str:
    """Return the options section of a help."""
    return text.partition("\noptions:\n")[2].partition("\n\n")[0]


def count(unit: str, least: int = 0) -> Callable[[str], int]:
    """Make the type of an argument that is a whole number.

    Args:
        unit: What is counted, in the plural, for the error message.
        least: Smallest number.
    """

    def convert(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"'{text}' is not a number of {unit}; write {least} or more")
        return int(text)

    return convert

"""The command line of a verb: argparse's, whose refusal is one sentence like every other of ours."""

from __future__ import annotations

import argparse
from typing import Any, NoReturn

from mlrunner.core.errors import ConfigError, nearest

UNKNOWN = "unrecognized arguments: "  # argparse's words


class Parser(argparse.ArgumentParser):
    """Reads the arguments of a verb, whose options are written in full.

    Raises:
        ConfigError: For what it does not take, where argparse would print its usage and leave the process.
    """

    def __init__(self, **told: Any) -> None:
        super().__init__(**told, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        """Refuse the command line."""
        more = f"{self.prog} --help tells what it takes."
        _, found, unknown = message.partition(UNKNOWN)
        if found:
            option = unknown.partition(" ")[0].partition("=")[0]
            raise ConfigError(f"{self.prog} takes no '{option}'.{nearest(option, self._option_string_actions)} {more}")
        raise ConfigError(f"{message}; {more}")

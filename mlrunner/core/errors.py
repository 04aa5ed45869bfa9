"""Every exception that mlrunner raises on purpose, under one root.

A message is what the user reads: the key, what was found, what is possible, what to change.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class MlrunnerError(Exception):
    """Something the person at the keyboard can mend; printed as one sentence, exit code 2."""

    exit_code = 2

    def _render_traceback_(self) -> list[str]:
        """Show the sentence alone in a notebook too; IPython asks for it."""
        return [f"mlrunner: {line}" for line in str(self).splitlines()]


class ConfigError(MlrunnerError):
    """The composition is wrong: a key, a value or a pair of options."""


class DataError(MlrunnerError):
    """The data set cannot be read, or does not fit the composition."""


class StoreError(MlrunnerError):
    """A store (ZenML, MLflow, the disk) cannot be reached, read or written."""


class DeployError(MlrunnerError):
    """A model cannot be deployed; what was deployed before still is."""


class ProblemsError(MlrunnerError):
    """Several problems found at once, each a sentence of its own.

    Args:
        problems: At least one sentence.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def nearest(word: str, possible: Iterable[str]) -> str:
    """Name the closest possible word, as a sentence to append to a message, or nothing."""
    close = get_close_matches(str(word), [str(p) for p in possible], n=1, cutoff=0.6)
    return f" Did you mean '{close[0]}'?" if close else ""


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, without its last punctuation mark.

    Args:
        error: Any error; one without a message is represented by the name of its class.
    """
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".;: ")


def brief(names: Iterable[object], limit: int = 8) -> str:
    """List names, the first few and how many more there are."""
    told = [str(name) for name in names]
    more = len(told) - limit
    return ", ".join(told[:limit]) + (f" and {more} more" if more > 0 else "")

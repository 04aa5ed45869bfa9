"""Every exception that mlrunner raises on purpose, under one root.

A message is what the user reads: the key, what was found, what is possible, what to change.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

MIN_PREFIX = 3  # letters of a word that may be the start of the wanted one


class MlrunnerError(Exception):
    """A mistake that the user can correct: it is printed as one sentence, and the exit code is 2."""

    exit_code = 2

    def _render_traceback_(self) -> list[str]:
        """Return the lines that IPython shows instead of a traceback."""
        return [f"mlrunner: {line}" for line in str(self).splitlines()]


class ConfigError(MlrunnerError):
    """A key, a value or a pair of options of the composition is wrong."""


class DataError(MlrunnerError):
    """The data set cannot be read, or does not fit the composition."""


class StoreError(MlrunnerError):
    """A store (ZenML, MLflow, the disk) cannot be reached, read or written."""


class DeployError(MlrunnerError):
    """A model cannot be deployed; the model that was deployed before still serves."""


class ModelError(MlrunnerError):
    """A model was fitted, but cannot be used: it predicts NaN."""

    exit_code = 1


class StepError(MlrunnerError):
    """A step has failed in a container."""

    exit_code = 1


class ProblemsError(MlrunnerError):
    """Several problems, each with a sentence of its own.

    Args:
        problems: At least one sentence.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def nearest(word: str, possible: Iterable[str]) -> str:
    """Return a sentence that names the closest possible word, to append to a message; empty when none is close."""
    names = [str(name) for name in possible]
    longer = [name for name in names if len(str(word)) >= MIN_PREFIX and name.startswith(str(word))]
    close = get_close_matches(str(word), names, n=1, cutoff=0.6) or longer
    return f" Did you mean '{close[0]}'?" if close else ""


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, without its last punctuation mark.

    Args:
        error: Any error; one without a message is represented by the name of its class.
    """
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".;: ")


def brief(names: Iterable[object], limit: int = 8) -> str:
    """List the first `limit` names, and the number of the others."""
    texts = [str(name) for name in names]
    more = len(texts) - limit
    return ", ".join(texts[:limit]) + (f" and {more} more" if more > 0 else "")

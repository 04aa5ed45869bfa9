"""Set the home and check lists of overrides, before each function of the Python API."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mlrunner.core import environment
from mlrunner.core.errors import ConfigError
from mlrunner.core.relocation import follow_move


def prepare_home(home: Path | None) -> Path:
    """Set the home of this process and its variables, and return the home.

    Raises:
        ConfigError: When this process has opened the stores of another home.
    """
    if home is not None:
        before = environment.variable(environment.HOME_VARIABLE)
        place = Path(home).resolve()
        if environment.has_stack() and str(place) != before:  # MLflow and ZenML keep the stores that they have opened
            raise ConfigError(f"home={home}: this process has opened the stores of {before}; restart it (the kernel).")
        environment.set_home(place)
    environment.prepare_environment(verbose=False)
    follow_move(environment.home())
    return environment.home()


def to_list(texts: Sequence[str], name: str = "overrides") -> list[str]:
    """Return texts as a list.

    Raises:
        ConfigError: When it is a single text.
    """
    if isinstance(texts, str):
        raise ConfigError(f"{name} must be a list of texts, like ['{texts}'], not a single text.")
    return [str(text) for text in texts]

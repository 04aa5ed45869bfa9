"""The verbs, one file each: `mlrunner VERB …` calls `main` of the file of that name."""

from __future__ import annotations

import importlib
from collections.abc import Callable

from mlrunner.composition.keys import VERBS as VERBS


def load(verb: str) -> Callable[[list[str]], int]:
    """Import a verb's `main`, and nothing of the others."""
    main: Callable[[list[str]], int] = importlib.import_module(f"mlrunner.cli.commands.{verb}").main
    return main

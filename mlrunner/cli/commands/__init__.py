"""Verbs of the command line, one module each: `mlrunner VERB …` calls `main` of the module of that name."""

from __future__ import annotations

import importlib
from collections.abc import Callable

from mlrunner.composition.keys import VERBS as VERBS


def load(verb: str) -> Callable[[list[str]], int]:
    """Import the `main` function of a verb; no other verb is imported."""
    main: Callable[[list[str]], int] = importlib.import_module(f"mlrunner.cli.commands.{verb}").main
    return main

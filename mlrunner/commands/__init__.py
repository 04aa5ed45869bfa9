"""The verbs, one file each: `mlrunner VERB …` calls `main` of the file of that name."""

from __future__ import annotations

import importlib
from collections.abc import Callable

VERBS = (
    "deploy",
    "diff",
    "env",
    "history",
    "playground",
    "predict",
    "prune",
    "report",
    "reproduce",
    "resume",
    "rollback",
    "runs",
    "stack",
    "status",
    "stop",
    "sweeps",
    "ui",
)


def load(verb: str) -> Callable[[list[str]], int]:
    """Import a verb's `main`, and nothing of the others."""
    main: Callable[[list[str]], int] = importlib.import_module(f"mlrunner.commands.{verb}").main
    return main

"""`mlrunner sweeps`: a table of the grids and searches of the tracking store."""

from __future__ import annotations

from mlrunner.cli.commands import runs


def main(arguments: list[str]) -> int:
    """Print the sweeps that a filter finds, newest first."""
    description = "Tell what was swept: what it varied, how its trials ended, its best value and the winner."
    return runs.show(runs.parser("sweeps", description), arguments, sweeps=True)

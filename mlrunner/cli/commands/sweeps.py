"""`mlrunner sweeps`: list the grids and searches of the tracking store."""

from __future__ import annotations

from mlrunner.cli.commands import runs


def main(arguments: list[str]) -> int:
    """List sweeps, newest first."""
    description = "List sweeps: what each varied, how its trials ended, its best value and its winner."
    return runs.show(runs.make_parser("sweeps", description), arguments, sweeps=True)

"""`mlrunner reproduce`: run again what was frozen, and say whether the same numbers come of it."""

from __future__ import annotations

import argparse
import json
import math
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from mlrunner.cli.commands.parser import Parser
from mlrunner.core.errors import ConfigError
from mlrunner.core.terminal import console

if TYPE_CHECKING:
    from mlrunner.execution.reproduction import Inspection, Reproduction

DIFFERENT = 4  # the exit code when it ran and other numbers came of it


def main(arguments: list[str]) -> int:
    """Reproduce a run.

    Returns:
        0 when every metric is as it was, 4 when one is not.
    """
    parser = Parser(
        prog="mlrunner reproduce",
        description="Run again what was frozen when a run was launched, and compare every metric.",
        epilog="example: mlrunner reproduce best --strict; exit code 0: reproduced, 4: other numbers, 2: refused",
    )
    parser.add_argument(
        "run", nargs="?", help="a run (id, name, folder), SWEEP/TRIAL, a sweep for its winner, latest, best"
    )
    parser.add_argument("overrides", nargs="*", help="where things are here: dataset.path=..., stack=...")
    parser.add_argument("--strict", action="store_true", help="refuse when code, data or packages are not as they were")
    parser.add_argument("--tolerance", type=_share, metavar="SHARE", help="by which a metric may differ; 0 by default")
    parser.add_argument("--in-env", action="store_true", help="make the recorded environment first, and run there")
    parser.add_argument("--check", action="store_true", help="only tell what is not as it was")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parsed = parser.parse_intermixed_args(arguments)
    if parsed.run is None:
        raise ConfigError("mlrunner reproduce needs a run: its id, name or folder, SWEEP/TRIAL, latest, best.")
    if parsed.in_env:
        from mlrunner.execution.reproduction import environment

        rest = [text for text in arguments if text != "--in-env"]
        return environment.run_in_environment(parsed.run, rest, parsed.overrides)
    return _reproduce(parsed)


def _share(text: str) -> float:
    """Read a tolerance."""
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not 0 <= found < math.inf:
        raise ConfigError(f"--tolerance {text} is no share; give a number of at least 0, like 1e-9.")
    return found


def _reproduce(parsed: argparse.Namespace) -> int:
    from mlrunner.execution import reproduction
    from mlrunner.steps.progress import PROGRESS

    looked = reproduction.inspect_run(parsed.run, Path(os.environ["MLRUNNER_HOME"]), parsed.overrides, parsed.strict)
    if not parsed.json:
        _show_look(looked)
    if parsed.check:
        if parsed.json:
            print(json.dumps({"run_id": looked.prepared.record.run_id, "differences": looked.differences}))
        return 0
    if not parsed.json:
        PROGRESS.begin(looked.steps)
    found = reproduction.reproduce_run(looked, parsed.tolerance)
    if parsed.json:
        print(json.dumps({**asdict(found), "reproduced": found.is_reproduced}))
    else:
        _show(found)
    return 0 if found.is_reproduced else DIFFERENT


def _show_look(looked: Inspection) -> None:
    out, record = console(), looked.prepared.record
    out.print(Text.assemble(("  run       ", "dim"), f"{record.name} ({record.short})"))
    for told in looked.differences:
        out.print(Text.assemble(("  differs   ", "dim"), (told, "yellow")))
    if not looked.differences:
        out.print(
            Text.assemble(("  differs   ", "dim"), ("nothing: code, data and packages are as they were", "green"))
        )
    out.print()


def _show(found: Reproduction) -> None:
    out = console()
    out.print()
    out.print(_table(found))
    same = sum(one.is_same for one in found.metrics)
    how = "to the last digit" if found.tolerance == 0 else f"within {found.tolerance:g} of their value"
    word, style = ("reproduced", "bold green") if found.is_reproduced else ("not reproduced", "bold red")
    out.print(Text.assemble("\n  ", (word, style), f": {same} of {len(found.metrics)} metrics are the same {how}"))
    if found.note is not None:
        out.print(Text.assemble(("  note      ", "dim"), found.note))
    out.print(Text.assemble(("  new run   ", "dim"), found.new_run_id[:8]))


def _table(found: Reproduction) -> Table:
    """Lay out every metric that was compared."""
    table = Table(box=None, pad_edge=False, padding=(0, 2), header_style="dim")
    for name in ("  metric", "then", "now", "difference"):
        table.add_column(name, justify="left" if name == "  metric" else "right")
    for one in found.metrics:
        cells = ("-", "-") if one.now is None else (repr(one.now), f"{one.now - one.then:.3g}")
        mark = "✓" if one.is_same else "✗"
        table.add_row(f"{mark} {one.name}", repr(one.then), *cells, style="" if one.is_same else "red")
    return table

"""`mlrunner reproduce`: run a recorded composition again, and compare its metrics."""

from __future__ import annotations

import argparse
import json
import math
from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from mlrunner.cli.commands.parser import TRUST_HELP, Parser
from mlrunner.core import environment
from mlrunner.core.errors import ConfigError
from mlrunner.core.table import text_table
from mlrunner.core.terminal import console, show_line

if TYPE_CHECKING:
    from mlrunner.execution.reproduction import Inspection, Reproduction

DIFFERENT = 4  # exit code when a metric differs


def main(arguments: list[str]) -> int:
    """Reproduce a run.

    Returns:
        0 when every metric is the same, 4 when one differs.

    Raises:
        ConfigError: When no run is named, or the tolerance is not a number.
    """
    parsed = _parser().parse_intermixed_args(arguments)
    if parsed.run is None:
        raise ConfigError("mlrunner reproduce needs a run: its id, name or folder, SWEEP/TRIAL, latest, best.")
    if parsed.in_env:
        from mlrunner.execution.reproduction.environment import run_in_environment

        rest = [text for text in arguments if text != "--in-env"]
        return run_in_environment(parsed.run, rest, parsed.overrides)
    return _reproduce(parsed)


def _parser() -> Parser:
    parser = Parser(
        "reproduce",
        "Run the recorded composition of a run again, and compare every metric.",
        "example: mlrunner reproduce best --strict. Exit code 0: reproduced, 4: a metric differs, 2: refused.",
    )
    runs = "run (id, name or folder), SWEEP/TRIAL, sweep (its winner), latest or best"
    overrides = "overrides for this machine: dataset.path=..., dataset.url=..., threads=..., stack=..."
    tolerance = "largest relative difference of a metric (0)"
    parser.add_argument("run", nargs="?", help=runs)
    parser.add_argument("overrides", nargs="*", help=overrides)
    parser.add_argument("--tolerance", type=_tolerance, metavar="SHARE", help=tolerance)
    parser.add_flags(
        strict="refuse when code, data or packages have changed",
        in_env="create the recorded environment, and run in it",
        check="only list what has changed",
        trust=TRUST_HELP,
        json="print one JSON document",
    )
    return parser


def _tolerance(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise ConfigError(f"--tolerance {text} is not a relative difference; write a number of at least 0, like 1e-9.")
    return value


def _reproduce(parsed: argparse.Namespace) -> int:
    from mlrunner.execution import reproduction
    from mlrunner.steps.progress import print_steps

    home = environment.home()
    inspection = reproduction.inspect_run(parsed.run, home, parsed.overrides, parsed.strict, parsed.trust)
    if not parsed.json:
        _show_inspection(inspection)
    if parsed.check:
        if parsed.json:
            run_id = inspection.prepared.record.run_id
            print(json.dumps({"run_id": run_id, "differences": inspection.differences}))
        return 0
    with print_steps(None if parsed.json else inspection.steps):
        result = reproduction.reproduce_run(inspection, parsed.tolerance)
    document = {**asdict(result), "reproduced": result.is_reproduced}
    print(json.dumps(document)) if parsed.json else _show(result)
    return 0 if result.is_reproduced else DIFFERENT


def _show_inspection(inspection: Inspection) -> None:
    record = inspection.prepared.record
    show_line("run", f"{record.name} ({record.short})")
    for sentence in inspection.differences:
        show_line("differs", (sentence, "yellow"))
    if not inspection.differences:
        show_line("differs", ("nothing: code, data and packages are the same", "green"))
    console().print()


def _show(result: Reproduction) -> None:
    out = console()
    out.print()
    out.print(_table(result))
    same = sum(metric.is_same for metric in result.metrics)
    how = "to the last digit" if result.tolerance == 0 else f"within {result.tolerance:g} of their value"
    word, style = ("reproduced", "bold green") if result.is_reproduced else ("not reproduced", "bold red")
    out.print(Text.assemble("\n  ", (word, style), f": {same} of {len(result.metrics)} metrics are the same {how}"))
    if result.note is not None:
        show_line("note", result.note)
    show_line("new run", result.new_run_id[:8])


def _table(result: Reproduction) -> Table:
    """Make a table with a row for each metric that was compared."""
    rows = []
    for metric in result.metrics:
        cells = ("-", "-") if metric.now is None else (repr(metric.now), f"{metric.now - metric.then:.3g}")
        mark, style = ("✓", "") if metric.is_same else ("✗", "red")
        rows.append(((f"{mark} {metric.name}", repr(metric.then), *cells), style))
    return text_table(("  metric", "then", "now", "difference"), rows, ["  metric"])

"""`mlrunner diff`: what differs between runs, sweeps, compositions and files, and the overrides that make it up."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from mlrunner.cli.commands.parser import Parser
from mlrunner.core.errors import ConfigError
from mlrunner.tracking.records import separate_stack_overrides

if TYPE_CHECKING:
    from mlrunner.history.diff import Comparison

DIFFERENT = 1  # with --exit-code, as git has it
EPILOG = """\
a side is a run (its name, the beginning of its id, its folder, SWEEP/TRIAL, latest, latest~1, best, champion), a sweep
(DAY/TIME), a YAML file, or after -- a composition:

  mlrunner diff latest~1 latest
  mlrunner diff best -- model=rf seed=1
  mlrunner diff latest --                 against the default composition
"""


def main(arguments: list[str]) -> int:
    """Compare two sides or more.

    Returns:
        0; with `--exit-code` 1 when they differ.
    """
    arguments, composition = _split(arguments)
    parsed = _parser().parse_intermixed_args(arguments)
    names, stack = separate_stack_overrides(parsed.sides)
    if len(names) + (composition is not None) < 2:
        raise ConfigError(
            "mlrunner diff needs two sides: runs, sweeps or YAML files, or a composition after --, as in "
            "mlrunner diff latest~1 latest, mlrunner diff best -- model=rf."
        )
    found = _compared(names, composition, stack)
    _print(found, parsed)
    return DIFFERENT if parsed.exit_code and not found.is_same else 0


def _split(arguments: list[str]) -> tuple[list[str], list[str] | None]:
    if "--" not in arguments:
        return arguments, None
    place = arguments.index("--")
    return arguments[:place], arguments[place + 1 :]


def _parser() -> Parser:
    parser = Parser(
        prog="mlrunner diff",
        description="Tell what differs: choices, values, scores, data, code and environment; and the overrides.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("sides", nargs="*", help="A B [C ...]; stack=... where the runs are recorded elsewhere")
    parser.add_argument("--all", action="store_true", help="also what follows from something else, and every metric")
    parser.add_argument("--exit-code", action="store_true", help="exit with 1 when something differs, like git")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print one JSON document")
    form.add_argument("--md", action="store_true", help="print Markdown")
    form.add_argument("--html", action="store_true", help="print a page")
    return parser


def _compared(names: list[str], composition: list[str] | None, stack: list[str]) -> Comparison:
    from mlrunner.composition.stores import open_store
    from mlrunner.history.diff import compare
    from mlrunner.history.diff.sides import named, of_composition

    home = Path(os.environ["MLRUNNER_HOME"])
    store = open_store(home, stack)
    sides = [named(store, name, home) for name in names]
    return compare([*sides, *([of_composition(composition)] if composition is not None else [])])


def _print(found: Comparison, parsed: argparse.Namespace) -> None:
    from mlrunner.core.terminal import console
    from mlrunner.history.diff import documents, terminal_output

    if parsed.json:
        print(documents.as_json(found))
    elif parsed.md:
        print(documents.as_markdown(found, parsed.all), end="")
    elif parsed.html:
        print(documents.as_page(found, parsed.all))
    else:
        terminal_output.show(found, console(), parsed.all)

"""`mlrunner diff`: compare runs, sweeps, compositions and files."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from mlrunner.cli.commands.parser import Parser
from mlrunner.core import environment
from mlrunner.core.errors import ConfigError
from mlrunner.tracking.records import separate_stack_overrides

if TYPE_CHECKING:
    from mlrunner.history.diff import Comparison

DIFFERENT = 1  # exit code with --exit-code, as of git
EPILOG = """\
A side is a run (name, first characters of the id, folder, SWEEP/TRIAL, latest, latest~1, best or champion), a sweep
(DAY/TIME) or a YAML file. Overrides after -- are a composition:

  mlrunner diff latest~1 latest
  mlrunner diff best -- model=rf seed=1
  mlrunner diff latest --                 against the default composition
"""


def main(arguments: list[str]) -> int:
    """Compare two or more sides.

    Returns:
        0; with `--exit-code` 1 when the sides differ.

    Raises:
        ConfigError: When there are fewer than two sides.
    """
    arguments, composition = _split(arguments)
    parsed = _parser().parse_intermixed_args(arguments)
    names, stack = separate_stack_overrides(parsed.sides)
    if len(names) + (composition is not None) < 2:
        raise ConfigError(
            "mlrunner diff needs two sides: runs, sweeps or YAML files, or a composition after --, as in "
            "mlrunner diff latest~1 latest, mlrunner diff best -- model=rf."
        )
    comparison = _compare(names, composition, stack)
    _print(comparison, parsed)
    return DIFFERENT if parsed.exit_code and not comparison.is_same else 0


def _split(arguments: list[str]) -> tuple[list[str], list[str] | None]:
    if "--" not in arguments:
        return arguments, None
    place = arguments.index("--")
    return arguments[:place], arguments[place + 1 :]


def _parser() -> Parser:
    what = "Compare runs: options, values, scores, data, code, environment, and the overrides between them."
    parser = Parser("diff", what, EPILOG)
    parser.add_argument("sides", nargs="*", metavar="SIDE", help="two or more, see below; also overrides of the stack")
    parser.add_flags(
        all="show derived values and all metrics as well",
        exit_code="exit with 1 when the sides differ, as git diff does",
    )
    parser.add_formats(json="print one JSON document", md="print Markdown", html="print an HTML page")
    return parser


def _compare(names: list[str], composition: list[str] | None, stack: list[str]) -> Comparison:
    from mlrunner.composition.stores import open_store
    from mlrunner.history.diff import compare
    from mlrunner.history.diff.sides import compose_side, find_side

    home = environment.home()
    store = open_store(home, stack)
    sides = [find_side(store, name, home) for name in names]
    return compare([*sides, *([compose_side(composition)] if composition is not None else [])])


def _print(comparison: Comparison, parsed: argparse.Namespace) -> None:
    from mlrunner.core.terminal import console, print_text
    from mlrunner.history.diff import documents, terminal_output

    if parsed.json:
        print(documents.to_json(comparison))
    elif parsed.md:
        print_text(documents.to_markdown(comparison, parsed.all), end="")
    elif parsed.html:
        print_text(documents.to_page(comparison, parsed.all))
    else:
        terminal_output.print_comparison(comparison, console(), parsed.all)

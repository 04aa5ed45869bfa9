"""`mlrunner runs`: list the runs of the tracking store."""

from __future__ import annotations

import argparse
import sys

from mlrunner.cli.commands.parser import CSV_HELP, MARKDOWN_HELP, Parser, count
from mlrunner.composition.stores import open_store
from mlrunner.core import environment
from mlrunner.core.errors import ConfigError
from mlrunner.core.terminal import console, print_text
from mlrunner.history import listing
from mlrunner.history.listing import columns, formats
from mlrunner.history.listing.entries import Entry
from mlrunner.tracking.records import separate_stack_overrides

LIMIT = 20
RUNS = """
  mlrunner runs --where "metrics.r2 > 0.3 and params.model = 'xgboost'" --sort -metrics.test/r2
  mlrunner runs --columns id,differs,metrics.test/r2,params.model,tags.mlflow.user --limit 0 --csv
  mlrunner runs stack=mlflow_server stack.tracking_uri=http://127.0.0.1:5000"""
SWEEPS = """
  mlrunner sweeps --where "status = 'FINISHED'" --sort -test
  mlrunner sweeps --columns id,kind,trials,objective,winner --limit 0 --csv"""
BEST = """Every verb that takes a run takes latest and best as well: best has the best test score of the runs with the
data and the metric of the newest run; reproductions do not count.

"""
EPILOG = """examples:{examples}

{best}Columns: {columns}; and metrics.X, params.X, tags.X.
Sort keys: {sorts}, or a clause of MLflow such as 'metrics.r2 DESC'; a leading - sorts in descending order."""


def main(arguments: list[str]) -> int:
    """List runs, newest first."""
    description = "List runs: their overrides, scores, duration and status."
    return show(make_parser("runs", description), arguments, sweeps=False)


def make_parser(verb: str, description: str) -> Parser:
    """Make the parser of `runs` and of `sweeps`.

    Args:
        verb: Name of the verb.
        description: First sentence of the help.
    """
    known = columns.SWEEP_COLUMNS if verb == "sweeps" else columns.RUN_COLUMNS
    epilog = EPILOG.format(
        examples=SWEEPS if verb == "sweeps" else RUNS,
        best="" if verb == "sweeps" else BEST,
        columns=", ".join(known),
        sorts=", ".join([*listing.STORED_COLUMNS, *listing.COMPUTED_COLUMNS]),
    )
    parser = Parser(verb, description, epilog)
    sweep = "list only the runs of this sweep (DAY/TIME)" if verb == "runs" else "list only this sweep (DAY/TIME)"
    lines = count("lines")
    parser.add_argument("words", nargs="*", metavar="SWEEP", help=f"{sweep}; also overrides of the stack")
    parser.add_argument("--where", metavar="FILTER", default="", help="filter in MLflow's grammar")
    parser.add_argument("--sort", metavar="KEY", action="append", default=[], help="sort key; newest first by default")
    parser.add_argument("--limit", metavar="N", type=lines, default=LIMIT, help=f"most lines ({LIMIT}); 0 for all")
    parser.add_argument("--columns", metavar="A,B", help="columns to print, see below")
    everything = "print one JSON document, with all fields without --columns"
    parser.add_formats(json=everything, csv=CSV_HELP, md=MARKDOWN_HELP)
    return parser


def join_sort_keys(arguments: list[str]) -> list[str]:
    """Join `--sort -took` into one word, since argparse reads two options."""
    words: list[str] = []
    for text in arguments:
        if words and words[-1] == "--sort" and text.startswith("-"):
            words[-1] = f"--sort={text}"
        else:
            words.append(text)
    return words


def show(parser: Parser, arguments: list[str], sweeps: bool) -> int:
    """Find runs or sweeps, and print them.

    Args:
        parser: Parser from `make_parser`.
        arguments: Arguments after the verb.
        sweeps: True to list sweeps, False to list runs.

    Raises:
        ConfigError: When the filter, a sort key or a column is wrong.
    """
    parsed = parser.parse_intermixed_args(join_sort_keys(arguments))
    within, overrides = separate_stack_overrides(parsed.words)
    if len(within) > 1 or any("=" in text for text in within):
        raise ConfigError(f"{parser.prog} does not take '{within[-1]}'; it takes one sweep, --where and stack=….")
    selected = columns.select_columns(parsed.columns, sweeps, bool(parsed.csv))
    home = environment.home()
    store = open_store(home, overrides)
    limit = parsed.limit + 1 if parsed.limit else None  # one more shows that there are more
    request = listing.Request(sweeps, parsed.where, tuple(parsed.sort), limit, within[0] if within else None)
    entries = listing.find_entries(store, request, home)
    if not entries and not parsed.json and not parsed.csv:
        print(listing.explain_empty(store, request), file=sys.stderr if parsed.md else sys.stdout)
        return 0
    write(entries[: parsed.limit or None], selected, parsed)
    if parsed.limit and len(entries) > parsed.limit:
        these = "this one" if parsed.limit == 1 else f"these {parsed.limit}"
        console(stderr=True).print(f"… there are more than {these}; --limit 0 lists all.", style="dim")
    return 0


def write(entries: list[Entry], selected: list[columns.EntryColumn], parsed: argparse.Namespace) -> None:
    """Print runs or sweeps in the chosen format."""
    if parsed.json:
        formats.print_json(entries, selected if parsed.columns is not None else None)
    elif parsed.csv:
        print_text(formats.make_table(entries, selected).to_csv(), end="")
    elif parsed.md:
        print_text(formats.make_table(entries, selected).to_markdown())
    else:
        formats.print_table(entries, selected, parsed.columns is None)

"""`mlrunner runs`: a table of the runs of the tracking store."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from mlrunner.cli.commands.parser import Parser
from mlrunner.composition.stores import open_store
from mlrunner.core.errors import ConfigError
from mlrunner.core.terminal import console
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
BEST = """latest and best name a run wherever one is asked for: best has the best test score of the runs on the newest
run's data and metric; reproductions do not count.

"""
EPILOG = """examples:{examples}

{best}columns: {columns}; and metrics.X, params.X, tags.X.
sorted by {sorts}, or by a clause of MLflow's such as 'metrics.r2 DESC'; - before it is descending."""


def main(arguments: list[str]) -> int:
    """Print the runs that a filter finds, newest first."""
    description = "Tell what ran: what differs from the default composition, how good, how long, what became of it."
    return show(parser("runs", description), arguments, sweeps=False)


def parser(verb: str, description: str) -> Parser:
    """Make the parser of `runs` and of `sweeps`."""
    known = columns.SWEEPS if verb == "sweeps" else columns.RUNS
    epilog = EPILOG.format(
        examples=SWEEPS if verb == "sweeps" else RUNS,
        best="" if verb == "sweeps" else BEST,
        columns=", ".join(known),
        sorts=", ".join([*listing.STORED, *listing.COMPUTED]),
    )
    made = Parser(
        prog=f"mlrunner {verb}",
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    told = "a sweep, by DAY/TIME or its run: only what it ran" if verb == "runs" else "only this one, by DAY/TIME"
    made.add_argument("words", nargs="*", metavar="SWEEP", help=f"{told}; or overrides of the stack")
    made.add_argument("--where", metavar="FILTER", default="", help="in MLflow's filter grammar")
    made.add_argument("--sort", metavar="KEY", action="append", default=[], help="by what, in place of the newest")
    made.add_argument("--limit", metavar="N", type=_limit, default=LIMIT, help=f"at most ({LIMIT}); 0 for all")
    made.add_argument("--columns", metavar="A,B", help="which columns, see below")
    form = made.add_mutually_exclusive_group()
    form.add_argument(
        "--json", action="store_true", help="print one JSON document: what --columns names, or of each all"
    )
    form.add_argument("--csv", action="store_true", help="print the columns with numbers in full")
    form.add_argument("--md", action="store_true", help="print a Markdown table")
    return made


def _limit(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"'{text}' is no number of lines; write 0 for all, or more")
    return int(text)


def join_sort_keys(arguments: list[str]) -> list[str]:
    """Write `--sort -took` as one word, which argparse would take for two options."""
    found: list[str] = []
    for text in arguments:
        if found and found[-1] == "--sort" and text.startswith("-"):
            found[-1] = f"--sort={text}"
        else:
            found.append(text)
    return found


def show(made: Parser, arguments: list[str], sweeps: bool) -> int:
    """Find what is asked for and print it."""
    parsed = made.parse_intermixed_args(join_sort_keys(arguments))
    within, overrides = separate_stack_overrides(parsed.words)
    if len(within) > 1 or any("=" in text for text in within):
        raise ConfigError(f"'{within[-1]}' has no part in {made.prog}: it takes one sweep, --where and stack=….")
    picked = columns.chosen(parsed.columns, sweeps, bool(parsed.csv))
    home = Path(os.environ["MLRUNNER_HOME"])
    store = open_store(home, overrides)
    limit = parsed.limit + 1 if parsed.limit else None  # one more tells that there are more
    request = listing.Request(sweeps, parsed.where, tuple(parsed.sort), limit, within[0] if within else None)
    entries = listing.find(store, request, home)
    if not entries and not parsed.json and not parsed.csv:
        print(listing.why_nothing(store, request), file=sys.stderr if parsed.md else sys.stdout)
        return 0
    write(entries[: parsed.limit or None], picked, parsed)
    if parsed.limit and len(entries) > parsed.limit:
        these = "this one" if parsed.limit == 1 else f"these {parsed.limit}"
        console(stderr=True).print(f"… there are more than {these}; --limit 0 tells all.", style="dim")
    return 0


def write(entries: list[Entry], picked: list[columns.Column], parsed: argparse.Namespace) -> None:
    """Print in the form that is asked for."""
    if parsed.json:
        formats.as_json(entries, picked if parsed.columns is not None else None)
    elif parsed.csv:
        formats.as_csv(entries, picked)
    elif parsed.md:
        formats.as_markdown(entries, picked)
    else:
        formats.as_table(entries, picked, parsed.columns is None)

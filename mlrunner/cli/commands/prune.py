"""`mlrunner prune`: remove runs by age, status or rank, with all that belongs to them."""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mlrunner.cli.commands.parser import Parser
from mlrunner.composition.stores import open_store
from mlrunner.core.errors import ConfigError
from mlrunner.core.terminal import console
from mlrunner.history import pruning
from mlrunner.history.pruning import Criteria, output
from mlrunner.history.pruning.plan import Plan, named, plan
from mlrunner.tracking.records import Fields, Store, separate_stack_overrides

if TYPE_CHECKING:
    from mlrunner.history.pruning.removing import Removed

EXAMPLES = """examples:
  mlrunner prune --older 30d --worse-than 10
  mlrunner prune --status failed,killed --yes
  mlrunner prune 2026-11-25/17-43-06-708940 42e1ac75 --yes
  mlrunner prune --where "params.model = 'dummy'" --cache

What is given must all hold. A reproduction takes no place among the N best. What a deployment serves, keeps ready or
served before, what an alias of the registry names, and what runs, always stays. Exit code 1 tells that something
could not be removed."""


def main(arguments: list[str]) -> int:
    """Tell what would go, or remove it.

    Returns:
        0, or 1 when something could not be removed.
    """
    parsed = _parser().parse_intermixed_args(arguments)
    names, overrides = separate_stack_overrides(parsed.names)
    home = Path(os.environ["MLRUNNER_HOME"])
    store = open_store(home, overrides)
    criteria = _criteria(parsed, store, names, home)
    if criteria.is_empty and not parsed.cache:
        raise ConfigError(
            "mlrunner prune needs to be told which runs: --older 30d, --status failed,killed, --worse-than 10, "
            "--keep 50, --where FILTER, names, or --cache for what no run uses."
        )
    if parsed.yes and ((home / ".mlrunner").is_dir() or store.search(limit=1, fields=Fields())):
        return _remove(store, home, criteria, parsed, overrides)
    found = plan(store, home, criteria, parsed.cache)
    print(json.dumps(output.document(found))) if parsed.json else output.show(found, parsed.worse_than is not None)
    return 0


def _parser() -> Parser:
    parser = Parser(
        prog="mlrunner prune",
        description="Remove runs with folders, models, artifacts and ZenML runs; without --yes, tell what would go.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    told = "not among the N best on its data and metric: by test score, and what has none by validation or folds"
    parser.add_argument("names", nargs="*", metavar="RUN|SWEEP", help="only these; or overrides of the stack")
    parser.add_argument("--older", metavar="AGE", help="ended longer ago, like 12h, 30d, 4w")
    parser.add_argument("--status", metavar="A,B", help="finished, failed, killed (which pruned trials are), running")
    parser.add_argument("--worse-than", type=_count, metavar="N", help=told)
    parser.add_argument("--keep", type=_count, metavar="N", help="not among the N newest")
    parser.add_argument("--where", metavar="FILTER", help="in MLflow's filter grammar")
    parser.add_argument("--cache", action="store_true", help="also what no run uses, if no sweep runs")
    parser.add_argument("--yes", action="store_true", help="do it")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"'{text}' is no number of runs; write 0 or more")
    return int(text)


def _criteria(parsed: argparse.Namespace, store: Store, names: list[str], home: Path) -> Criteria:
    matching = None
    if parsed.where is not None:
        if not parsed.where.strip():
            raise ConfigError("--where is empty, which would mean every run; write a filter, or leave it out.")
        matching = frozenset(one.run_id for one in store.search(parsed.where, fields=Fields()))
    return Criteria(
        older=None if parsed.older is None else pruning.seconds(parsed.older),
        status=() if parsed.status is None else pruning.statuses(parsed.status),
        worse_than=parsed.worse_than,
        keep=parsed.keep,
        matching=matching,
        named=named(store, names, home),
    )


def _remove(store: Store, home: Path, criteria: Criteria, parsed: argparse.Namespace, overrides: list[str]) -> int:
    from mlrunner.cli.commands import stack

    stack.activate(overrides)
    from rich.progress import Progress

    from mlrunner.history.pruning.protection import protected
    from mlrunner.history.pruning.removing import Remover, alone

    with alone(home):
        chosen = plan(store, home, criteria, parsed.cache)
        remover = Remover(home, lambda: protected(store, home))
        out = console(stderr=True)
        silent = parsed.json or not chosen.items or not out.is_terminal
        try:
            with Progress(console=out, transient=True, disable=silent) as bar:
                remover.carry_out(bar.track(chosen.items, description="removing"))
            if parsed.cache and not chosen.waits:
                remover.empty_cache()
        finally:  # also when it is interrupted
            _report(remover.removed, chosen, parsed.json)
    return int(bool(remover.removed.problems))


def _report(removed: Removed, chosen: Plan, as_json: bool) -> None:
    gone = replace(chosen, items=removed.items, leftovers=removed.leftovers)
    problems, for_good = removed.problems, removed.for_good
    if as_json:
        print(json.dumps({**output.document(gone, done=True), "problems": problems, "for_good": for_good}))
    else:
        output.report(gone, problems, for_good)

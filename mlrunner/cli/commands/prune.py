"""`mlrunner prune`: remove runs by age, status or rank, with all that belongs to them."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from mlrunner.cli.commands.parser import Parser, count
from mlrunner.composition.stores import open_store
from mlrunner.core import environment
from mlrunner.core.errors import ConfigError, StoreError
from mlrunner.core.terminal import console
from mlrunner.history.pruning import output
from mlrunner.history.pruning.criteria import Criteria, parse_age, parse_statuses
from mlrunner.history.pruning.images import find_leftovers
from mlrunner.history.pruning.plan import Plan, find_named, make_plan
from mlrunner.tracking.records import Fields, Store, separate_stack_overrides

if TYPE_CHECKING:
    from mlrunner.history.pruning.removal import Remover

LOCK_FILE = "prune.lock"
EXAMPLES = """examples:
  mlrunner prune --older 30d --worse-than 10
  mlrunner prune --status failed,killed --yes
  mlrunner prune 2026-11-25/17-43-06-708940 42e1ac75 --yes
  mlrunner prune --where "params.model = 'dummy'" --cache
  mlrunner prune --images --yes

A run must meet all conditions that are given. Reproductions do not count among the N best. A run always stays while a
deployment serves it, keeps it ready or served it before, while an alias of the registry names it, and while it is
running. Only folders under multirun/ are removed, and only images that commands of this home have built and not used
for a day; the last image of the steps stays. The exit code is 1 if something could not be removed."""


def main(arguments: list[str]) -> int:
    """Print what would be removed, or remove it.

    Returns:
        0, or 1 if something could not be removed.
    """
    parsed = _parser().parse_intermixed_args(arguments)
    names, overrides = separate_stack_overrides(parsed.names)
    home = environment.home()
    store = open_store(home, overrides)
    conditions = (parsed.older, parsed.status, parsed.worse_than, parsed.keep, parsed.where)
    if not names and not parsed.cache and not parsed.images and all(condition is None for condition in conditions):
        raise ConfigError(
            "mlrunner prune needs a condition: --older 30d, --status failed,killed, --worse-than 10, "
            "--keep 50, --where FILTER, names, --cache for files that no run uses, or --images for Docker images."
        )
    if parsed.yes and ((home / ".mlrunner").is_dir() or store.search(limit=1, fields=Fields())):
        return _remove(store, home, lambda: _criteria(parsed, store, names, home), parsed, overrides)
    plan = make_plan(store, home, _criteria(parsed, store, names, home), parsed.cache)
    if parsed.images:
        plan = replace(plan, leftovers=find_leftovers(home))
    print(json.dumps(output.document(plan))) if parsed.json else output.print_plan(plan)
    return 0


def _parser() -> Parser:
    what = "Remove runs with folders, models, artifacts and ZenML runs; without --yes, only list them."
    parser, runs = Parser("prune", what, EXAMPLES), count("runs")
    age = "runs that ended longer ago, such as 12h, 30d or 4w"
    rank = "runs not among the N best of their metric, target and judged rows, by test score, else by validation score"
    statuses = "runs with these statuses: finished, failed, killed (also pruned trials), running"
    parser.add_argument("names", nargs="*", metavar="RUN|SWEEP", help="remove only these; also overrides of the stack")
    parser.add_argument("--older", type=parse_age, metavar="AGE", help=age)
    parser.add_argument("--status", type=parse_statuses, metavar="A,B", help=statuses)
    parser.add_argument("--worse-than", type=runs, metavar="N", help=rank)
    parser.add_argument("--keep", type=runs, metavar="N", help="runs not among the N newest")
    parser.add_argument("--where", metavar="FILTER", help="runs that match a filter in MLflow's grammar")
    parser.add_flags(
        cache="also cached files that no run uses, unless a sweep is running",
        images="also Docker images that no deployment and no newer image uses, and containers of killed commands",
        yes="remove them",
        json="print one JSON document",
    )
    return parser


def _criteria(parsed: argparse.Namespace, store: Store, names: list[str], home: Path) -> Criteria:
    matching = None
    if parsed.where is not None:
        if not parsed.where.strip():
            raise ConfigError("--where is empty, which would mean every run; write a filter, or leave it out.")
        matching = frozenset(run.run_id for run in store.search(parsed.where, fields=Fields()))
    return Criteria(
        older=parsed.older,
        status=parsed.status or (),
        worse_than=parsed.worse_than,
        keep=parsed.keep,
        matching=matching,
        named=find_named(store, names, home),
    )


@contextmanager
def exclusive(home: Path) -> Iterator[None]:
    """Lock the home against other prunes.

    Raises:
        StoreError: If another prune holds the lock.
    """
    try:
        with FileLock(home / ".mlrunner" / LOCK_FILE, timeout=0):
            yield
    except Timeout as error:
        raise StoreError(f"Another mlrunner prune is removing runs of {home}; wait until it has ended.") from error


def _remove(
    store: Store, home: Path, find: Callable[[], Criteria], parsed: argparse.Namespace, overrides: list[str]
) -> int:
    from mlrunner.cli.commands import stack

    stack.activate(overrides)
    from rich.progress import Progress

    from mlrunner.history.pruning.protection import protected
    from mlrunner.history.pruning.removal import Remover

    with exclusive(home):
        remover = Remover(home, lambda: protected(store, home))
        remover.complete()
        plan = make_plan(store, home, find(), parsed.cache)
        out = console(stderr=True)
        is_silent = parsed.json or not plan.items or not out.is_terminal
        try:
            with Progress(console=out, transient=True, disable=is_silent) as bar:
                remover.remove(bar.track(plan.items, description="removing"))
            if parsed.cache and not plan.is_cache_busy:
                remover.empty_cache()
            if parsed.images:
                remover.remove_leftovers()
        finally:  # after an interruption too
            _report(plan, remover, parsed.json)
    return int(bool(remover.problems))


def _report(plan: Plan, remover: Remover, as_json: bool) -> None:
    result = replace(plan, items=remover.items, cache=remover.cache, leftovers=remover.leftovers)
    if as_json:
        document = output.document(result, dry_run=False)
        print(json.dumps({**document, "problems": remover.problems, "for_good": remover.can_collect}))
    else:
        output.print_result(result, remover.problems, remover.can_collect)

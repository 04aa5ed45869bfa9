"""List what may follow on a command line: flags, runs, sweeps and deployments of a verb, and what Hydra completes."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator

from mlrunner.cli import commands
from mlrunner.cli.commands import parser
from mlrunner.cli.hydra_app import compose_and_run
from mlrunner.core import environment

# Verbs that take a run or a sweep, and those of them that take overrides of the stack only.
RUN_VERBS = ("deploy", "diff", "explain", "prune", "report", "reproduce", "tag", "ui")
SWEEP_VERBS = ("resume", "runs", "sweeps", "watch")
STACK_ONLY = ("diff", "explain", "prune", "report", "tag", "ui")
DEPLOYMENT_VERBS = ("history", "playground", "status", "stop")
DEPLOYMENT_FLAGS = ("--name", "--restart")  # flags that take a deployment
VALUE_FLAGS = ("--columns", "--sort", "--status")  # flags with known values
NEWEST, MOST = 30, 200  # number of runs to offer for an empty word, and for another word


def ask_hydra(arguments: list[str], line: str | None = None) -> list[str]:
    """Return Hydra's completions.

    Args:
        arguments: `-sc query=SHELL`.
        line: Line to complete; None takes the line of the shell.
    """
    if line is not None:
        environment.set_variables({"COMP_LINE": line})
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        compose_and_run(arguments)
    return out.getvalue().split()


def list_candidates(verb: str, words: list[str], word: str) -> Iterator[str]:
    """List what may follow after a verb.

    Args:
        verb: Name of the verb.
        words: Words between the verb and the cursor.
        word: Word at the cursor.
    """
    last = words[-1] if words else ""
    if verb == "diff" and "--" in words:  # a composition follows
        yield from ask_hydra(["-sc", "query=fish"], f"mlrunner {word}")
    elif last in VALUE_FLAGS:
        yield from _values(last, verb, word)
    elif last in DEPLOYMENT_FLAGS:
        yield from list_deployments()
    elif word.startswith("-"):
        yield from list_flags(verb)
    elif last.startswith("-") and re.search(rf"{re.escape(last)} [A-Z]", parser.find_options(_help(verb))):
        return  # a value without known completions; the shell completes files
    elif _is_override(verb, words, word):
        yield from ask_hydra(["-sc", "query=fish"], f"mlrunner {word}")
    elif verb == "tag" and words:
        yield "invalid="
    elif verb in RUN_VERBS:
        yield from list_runs(word)
    elif verb in SWEEP_VERBS:
        yield from read_labels(word, sweeps=True)
    elif verb in DEPLOYMENT_VERBS:
        yield from list_deployments()


def _is_override(verb: str, words: list[str], word: str) -> bool:
    """Check whether Hydra completes a word; the name of a run may hold `=` as well."""
    if verb in STACK_ONLY:
        from mlrunner.tracking.records.store import STACK_PREFIXES

        return word.startswith(STACK_PREFIXES)
    return verb == "check" or ("=" in word and (bool(words) or verb not in RUN_VERBS))


def list_flags(verb: str) -> list[str]:
    """List the flags of a verb."""
    return parser.list_flags(_help(verb))


def _help(verb: str) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
        commands.load(verb)(["--help"])
    return out.getvalue()


def _values(flag: str, verb: str, word: str) -> list[str]:
    """List the values of a flag; in a comma-separated list, those of its last item."""
    from mlrunner.history import listing
    from mlrunner.history.listing import columns
    from mlrunner.tracking.records import STATUSES

    known = columns.SWEEP_COLUMNS if verb == "sweeps" else columns.RUN_COLUMNS
    names = {
        "--columns": [*known, "metrics.", "params.", "tags."],
        "--sort": [*listing.STORED_COLUMNS, *listing.COMPUTED_COLUMNS, "metrics.", "params.", "tags."],
        "--status": [status.lower() for status in STATUSES],
    }
    before = "" if flag == "--sort" else "".join(word.rpartition(",")[:2])
    return [f"{before}{name}" for name in names[flag]]


def list_deployments() -> list[str]:
    """List the names of the deployments."""
    folder = environment.home() / ".mlrunner" / "deployments"
    return sorted(file.parent.name for file in folder.glob("*/history.jsonl"))


def list_runs(word: str) -> Iterator[str]:
    """List the names of runs, with their aliases."""
    from mlrunner.tracking.records import lookup

    yield from lookup.ALIASES
    yield from read_labels(word)


def read_labels(word: str, sweeps: bool = False) -> list[str]:
    """Read names of runs and sweeps from the store, if it is SQLite; another store would take seconds.

    Args:
        word: Word at the cursor.
        sweeps: True to read sweeps only.
    """
    from mlrunner.composition.stores import open_store, tracking_uri
    from mlrunner.core.errors import MlrunnerError
    from mlrunner.tracking.records import SQLITE

    home = environment.home()
    with contextlib.suppress(MlrunnerError):
        if tracking_uri(home).startswith(SQLITE):
            store = open_store(home)
            champions = [] if sweeps else [f"{model}@champion" for model in store.find_champions()]
            return [*champions, *store.list_labels(word, MOST if word else NEWEST, sweeps)]
    return []

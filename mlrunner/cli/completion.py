"""What a shell completes beside Hydra's groups: verbs, their flags, and the runs, sweeps and deployments they take.

Hydra's shell function asks `mlrunner -sc query=SHELL`, with the line in COMP_LINE. Nothing heavy is imported.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
from collections.abc import Iterator
from pathlib import Path

from mlrunner.cli import commands
from mlrunner.cli.hydra_app import compose_and_run
from mlrunner.core.environment import PROJECT

ASKS = ("-sc", "--shell-completion")
SHELLS = ("query=bash", "query=fish", "query=zsh")
RUNS = ("deploy", "diff", "prune", "report", "reproduce", "ui")  # verbs that take a run or a sweep
SWEEPS = ("resume", "runs", "sweeps")
BARE = ("diff", "prune", "report", "ui")  # of these, those that take no overrides but of the stack, first or last
DEPLOYMENTS = ("history", "playground", "status", "stop")
NAMES = ("--name", "--restart")  # flags that take a deployment
VALUES = ("--columns", "--sort", "--status")  # flags whose values are known
NEWEST, MOST = 30, 200  # runs that are offered when nothing is typed, and else
FLAG = re.compile(r"(?:^ +|, )(--?[\w-]+)", re.MULTILINE)
BREAKS = re.compile(r".*(?=@)|.*:")  # bash completes what begins with the last @, or follows the last colon


def is_request(arguments: list[str]) -> bool:
    """Tell whether a shell asks."""
    return len(arguments) == 2 and arguments[0] in ASKS and arguments[1] in SHELLS and "COMP_LINE" in os.environ


def print_candidates(arguments: list[str]) -> int:
    """Print what the word under the cursor may become."""
    words, word = split_line()
    if words and words[0] in commands.VERBS:
        found = dict.fromkeys(text for text in list_candidates(words[0], words[1:], word) if text.startswith(word))
    else:
        verbs = [] if words or "=" in word else [verb for verb in commands.VERBS if verb.startswith(word)]
        ours = verbs and not (word == "" or any(group.startswith(word) for group in list_groups()))
        found = dict.fromkeys([*verbs, *([] if ours else ask_hydra(arguments))])
    print(("\n" if arguments[1] == "query=fish" else " ").join(strip_bash_prefix(found, word, arguments[1])))
    return 0


def split_line() -> tuple[list[str], str]:
    """Read the words before the cursor, without the program's name, and the one that is being typed."""
    line = os.environ["COMP_LINE"]
    point = os.environ.get("COMP_POINT", "")
    line = line[: int(point)] if point.isdigit() else line
    words = line.split()
    word = "" if not words or line[-1:].isspace() else words.pop()
    return words[1:], word


def list_groups() -> list[str]:
    """Name what Hydra completes at the beginning of a line."""
    keys = re.findall(r"^(\w+):", (PROJECT / "conf" / "config.yaml").read_text(), re.MULTILINE)
    return [*keys, *(folder.name for folder in (PROJECT / "conf").iterdir() if folder.is_dir())]


def ask_hydra(arguments: list[str], line: str | None = None) -> list[str]:
    """Ask Hydra, as if there were no verbs."""
    if line is not None:
        os.environ["COMP_LINE"] = line
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        compose_and_run(arguments)
    return told.getvalue().split()


def list_candidates(verb: str, words: list[str], word: str) -> Iterator[str]:
    """Name all that may follow."""
    last = words[-1] if words else ""
    if verb == "diff" and "--" in words:  # a composition follows
        yield from ask_hydra([ASKS[0], "query=fish"], f"mlrunner {word}")
    elif last in VALUES:
        yield from _values(last, verb, word)
    elif last in NAMES:
        yield from list_deployments()
    elif word.startswith("-"):
        yield from list_flags(verb)
    elif last.startswith("-") and re.search(rf"{re.escape(last)} [A-Z]", _options(verb)):
        return  # a value that nobody knows but who types it; a shell completes files then
    elif _is_override(verb, words, word):
        yield from ask_hydra([ASKS[0], "query=fish"], f"mlrunner {word}")
    elif verb in RUNS:
        yield from list_runs(word)
    elif verb in SWEEPS:
        yield from read_labels(word, sweeps=True)
    elif verb in DEPLOYMENTS:
        yield from list_deployments()


def _is_override(verb: str, words: list[str], word: str) -> bool:
    """Tell whether it is Hydra that knows what follows: the name of a run may hold `=` as well."""
    if verb in BARE:
        from mlrunner.tracking.records.store import STACK_PREFIXES

        return word.startswith(STACK_PREFIXES)
    return "=" in word and (bool(words) or verb not in RUNS)


def list_flags(verb: str) -> list[str]:
    """Read a verb's flags from its help."""
    return FLAG.findall(_options(verb))


def _options(verb: str) -> str:
    told = io.StringIO()
    with contextlib.redirect_stdout(told), contextlib.suppress(SystemExit):
        commands.load(verb)(["--help"])
    _, _, options = told.getvalue().partition("\noptions:\n")
    return options.partition("\n\n")[0]


def _values(flag: str, verb: str, word: str) -> list[str]:
    """Name the values of a flag; those of a list after the ones that are typed."""
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
    """Name the deployments of this home."""
    folder = Path(os.environ["MLRUNNER_HOME"]) / ".mlrunner" / "deployments"
    return sorted(file.parent.name for file in folder.glob("*/history.jsonl"))


def list_runs(word: str) -> Iterator[str]:
    """Name runs in every way that can be typed."""
    from mlrunner.tracking.records import lookup

    yield from lookup.ALIASES
    yield from read_labels(word)


def read_labels(word: str, sweeps: bool = False) -> list[str]:
    """Ask the store; one that is not SQLite would take seconds, and is not asked."""
    from mlrunner.composition.stores import open_store, tracking_uri
    from mlrunner.core.errors import MlrunnerError
    from mlrunner.tracking.records import SQLITE

    home = Path(os.environ["MLRUNNER_HOME"])
    with contextlib.suppress(MlrunnerError):
        if tracking_uri(home).startswith(SQLITE):
            store = open_store(home)
            champions = [] if sweeps else [f"{model}@champion" for model in store.find_champions()]
            return [*champions, *store.list_labels(word, MOST if word else NEWEST, sweeps)]
    return []


def strip_bash_prefix(found: dict[str, None], word: str, shell: str) -> list[str]:
    """Leave out what bash regards as an earlier word."""
    before = BREAKS.match(word)
    if before is None or shell != "query=bash" or _is_zsh():
        return list(found)
    return [text.removeprefix(before[0]) for text in found]


def _is_zsh() -> bool:
    """Tell whether it is zsh that asks, by bash's function: it breaks words at spaces only."""
    import subprocess

    try:
        asked = ["ps", "-o", "comm=", "-p", str(os.getppid())]
        return "zsh" in subprocess.run(asked, capture_output=True, text=True, check=False).stdout
    except OSError:
        return False

"""Complete a command line in a shell: verbs, flags, runs, sweeps and deployments, beside what Hydra completes.

Hydra's shell function calls `mlrunner -sc query=SHELL` with the line in COMP_LINE. Nothing heavy is imported.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from mlrunner.cli import commands
from mlrunner.core import environment
from mlrunner.core.conf_files import list_folders
from mlrunner.core.formatting import remove_controls
from mlrunner.core.project import CONF, PRIMARY

COMPLETION_FLAGS = ("-sc", "--shell-completion")
QUERIES = ("query=bash", "query=fish", "query=zsh")
BREAKS = re.compile(r".*(?=@)|.*:")  # bash completes from the last @, or after the last colon


def is_request(arguments: list[str]) -> bool:
    """Check whether a shell asks for completions."""
    is_query = len(arguments) == 2 and arguments[0] in COMPLETION_FLAGS and arguments[1] in QUERIES
    return is_query and environment.variable("COMP_LINE") is not None


def print_candidates(arguments: list[str]) -> int:
    """Print the completions of the word at the cursor.

    Args:
        arguments: `-sc query=SHELL`.

    Returns:
        0.
    """
    words, word = split_line()
    from mlrunner.cli import candidates  # which a command that completes nothing does not need

    if words and words[0] in commands.VERBS:
        completions = dict.fromkeys(
            text for text in candidates.list_candidates(words[0], words[1:], word) if text.startswith(word)
        )
    else:
        verbs = [] if words or "=" in word else [verb for verb in commands.VERBS if verb.startswith(word)]
        is_verb = verbs and not (word == "" or any(group.startswith(word) for group in list_groups()))
        completions = dict.fromkeys([*verbs, *([] if is_verb else candidates.ask_hydra(arguments))])
    shown = map(remove_controls, strip_bash_prefix(completions, word, arguments[1]))  # the shell writes them
    print(("\n" if arguments[1] == "query=fish" else " ").join(shown))
    return 0


def split_line() -> tuple[list[str], str]:
    """Split COMP_LINE at the cursor: the words before it, without the program's name, and the word at it."""
    line = environment.variable("COMP_LINE") or ""
    point = environment.variable("COMP_POINT") or ""
    line = line[: int(point)] if point.isdigit() else line
    words = line.split()
    word = "" if not words or line[-1:].isspace() else words.pop()
    return words[1:], word


def list_groups() -> list[str]:
    """List the groups and keys that Hydra completes at the start of a line."""
    keys = re.findall(r"^(\w+):", (CONF / f"{PRIMARY}.yaml").read_text(), re.MULTILINE)
    return [*keys, *(place.name for folder in list_folders() for place in folder.iterdir() if place.is_dir())]


def strip_bash_prefix(candidates: Iterable[str], word: str, query: str) -> list[str]:
    """Remove the prefix that bash regards as an earlier word.

    Args:
        candidates: Completions.
        word: Word at the cursor.
        query: `query=SHELL`.
    """
    before = BREAKS.match(word)
    if before is None or query != "query=bash" or _is_zsh():
        return list(candidates)
    return [text.removeprefix(before[0]) for text in candidates]


def _is_zsh() -> bool:
    """Check whether zsh runs bash's completion function; zsh splits words at spaces only."""
    import subprocess

    try:
        command = ["ps", "-o", "comm=", "-p", str(os.getppid())]
        return "zsh" in subprocess.run(command, capture_output=True, text=True, check=False).stdout
    except OSError:
        return False

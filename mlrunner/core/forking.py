"""Whether this process can fork: its children then start with everything that it has imported."""

from __future__ import annotations

import sys
import threading

_COMMAND = threading.Event()


def mark_command() -> None:
    """Note that this process runs a command, so that all that runs in it before its stores open is ours."""
    _COMMAND.set()


def can_fork() -> bool:
    """Check whether a fork of this process would work.

    A fork lacks the threads of its parent: it waits for ever for a lock that one of them holds, and for OpenMP's
    threads once its parent has used them. A command has neither before it fits, unless modules of the user have run.
    Threads that only wait for the end of something are daemons and hold no lock. On macOS, system libraries may end
    a fork.
    """
    from mlrunner.core.user_code import has_user_modules

    others = [thread for thread in threading.enumerate() if thread is not threading.main_thread()]
    is_alone = all(thread.daemon for thread in others)
    return sys.platform == "linux" and _COMMAND.is_set() and is_alone and not has_user_modules()

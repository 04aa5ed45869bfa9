"""A fork of the warm process becomes a command, and ends as an interpreter does."""

from __future__ import annotations

import atexit
import importlib
import os
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NoReturn

from mlrunner.cli.warm import messages
from mlrunner.core import environment


def run_command(request: dict[str, Any], files: list[int], connection: socket.socket) -> NoReturn:
    """Run the command of a request, and end this process.

    Args:
        request: Result of `client.describe_command`.
        files: Descriptors of its stdin, stdout and stderr.
        connection: Connection to the client; when it ends, this process is killed.
    """
    become(request, files)
    threading.Thread(target=_end_with_client, args=[connection], daemon=True).start()
    sys.modules["__main__"] = importlib.import_module("mlrunner.__main__")  # which other processes import
    command_line = importlib.import_module("mlrunner.cli.command_line")
    exit_at_once(command_line.run, lambda code: messages.answer(connection, code=code))


def become(request: dict[str, Any], files: list[int]) -> None:
    """Give this process the streams, directory, environment and arguments of a command."""
    os.setsid()  # a shell gives each command a process group
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    _open_streams()
    os.chdir(request["folder"])
    os.umask(request["mask"])
    os.environ.clear()
    environment.set_variables(request["variables"])
    sys.path[:] = request["path"]
    sys.argv[:] = request["arguments"]
    for number in request["ignored"]:
        signal.signal(number, signal.SIG_IGN)
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed()  # each fork has the state that was drawn at import


def _open_streams() -> None:
    """Open the streams of Python anew: whether they are a terminal decides on their buffers."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        before, mode = getattr(sys, name), "w" if number else "r"
        buffering = 1 if number == 2 or os.isatty(number) else -1
        stream = os.fdopen(number, mode, buffering, encoding=before.encoding, errors=before.errors)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def _end_with_client(connection: socket.socket) -> None:
    """Kill this process when its client is killed."""
    with suppress(OSError):
        connection.recv(1)
    os.kill(os.getpid(), signal.SIGKILL)


def exit_at_once(main: Callable[[], Any], report: Callable[[int], object] | None = None) -> NoReturn:
    """Call a main function and end this process with its exit code, as an interpreter does but for freeing its memory.

    Freeing it would first copy all pages that this fork shares with the warm process: a quarter of a second.

    Args:
        main: Function that returns an exit code.
        report: It is called with the exit code just before the end.
    """
    code: Any = 1
    try:
        code = main()
    except SystemExit as end:
        code = end.code
        if not isinstance(code, int | None):
            print(code, file=sys.stderr)
            code = 1
    except BaseException:
        traceback.print_exc()
    threading._shutdown()  # type: ignore[attr-defined] # waits for the threads
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # a closed pipe
            stream.flush()
    if report is not None:
        with suppress(OSError):  # its reader was killed
            report(code or 0)
    os._exit(code or 0)

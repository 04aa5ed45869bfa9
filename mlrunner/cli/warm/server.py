"""The warm process: it imports what commands need, and forks for each command."""

from __future__ import annotations

import fcntl
import gc
import importlib
import os
import signal
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from mlrunner.cli.warm import messages, state
from mlrunner.core import environment
from mlrunner.core.exit_signals import exit_on_signals
from mlrunner.core.installed import list_packages
from mlrunner.core.skops_format import import_skops

Command = tuple[dict[str, Any], list[int], socket.socket]
MODULES = Path(__file__).with_name("modules.txt")  # what a run, a search or a deployment imports at some point


def preload() -> None:
    """Import what commands need, under the variables that every stack sets before it imports ZenML and MLflow.

    What each run would compute once more and with the same result is computed as well.
    """
    from mlrunner.groups.stack.variables import FIXED_VARIABLES, QUIET_LOGGING

    environment.set_variables({**environment.DEFAULTS, **FIXED_VARIABLES, **QUIET_LOGGING})
    gc.disable()
    for name in MODULES.read_text().split():
        with suppress(ImportError):  # of an extra that is not installed
            importlib.import_module(name)
    import_skops()
    _compute_constants()
    gc.freeze()
    gc.enable()


def _compute_constants() -> None:
    """Compute what depends on the installed packages and our own code alone."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from zenml.environment import Environment
    from zenml.integrations.mlflow import MlflowIntegration
    from zenml.integrations.registry import integration_registry

    from mlrunner.composition.code_digest import STEP_CODE, source_digests
    from mlrunner.groups.stack import zenml_patches

    sys.modules["sqlalchemy.orm"].configure_mappers()
    len(integration_registry.integrations)  # imports their 60 modules
    zenml_patches.cache_constant_answers()
    Environment.get_python_packages()
    MlflowIntegration.check_installation()
    list_packages("mlrunner")  # reads the records of all packages
    source_digests([], [*STEP_CODE, "mlrunner.execution.runner"])  # parses our own code
    OverridesParser.create().parse_overrides(["model=ridge", "a.b=1.5", "+c=[1,'d']", "~e", "f=choice(1,2)"])


def listen() -> tuple[socket.socket, int]:
    """Bind the socket, and lock the file beside it until this process ends.

    Raises:
        OSError: When another warm process has locked it, or the folder is not private.
    """
    file = state.socket_file()
    file.parent.mkdir(mode=0o700, exist_ok=True)
    if not state.is_private(file.parent):
        raise PermissionError(file.parent)
    lock = os.open(file.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    file.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(file))
    return listener, lock


def serve(listener: socket.socket, process: dict[str, Any], idle_seconds: float) -> Command | None:
    """Fork for each command, until none has come for a while.

    Args:
        listener: Socket that commands connect to.
        process: Result of `describe_process` before anything was imported.
        idle_seconds: Time since the last command after which it ends.

    Returns:
        In a fork, its command; in the server, None when it ends.
    """
    stamps, since, n_commands, last = state.stamp_code(), time.time(), 0, time.monotonic()
    with suppress(TimeoutError):
        while (left := last + idle_seconds - time.monotonic()) > 0:
            listener.settimeout(left)
            connection = listener.accept()[0]
            try:
                request, files = messages.receive_request(connection)
                is_fit = request["do"] == "run" and request["state"] == process
                if request["do"] == "stop" or (is_fit and state.stamp_code() != stamps):
                    break  # the connection closes with this process
                pid = os.fork() if is_fit else None
                if pid == 0:
                    return request, files, connection
                if is_fit:
                    n_commands, last = n_commands + 1, time.monotonic()
                messages.answer(connection, pid=pid, server=os.getpid(), since=since, commands=n_commands)
                for file in files:
                    os.close(file)
            except (OSError, ValueError):
                pass  # the client was killed
            connection.close()
    return None


def main() -> None:
    """Serve until nothing has happened for the minutes of the first argument, and be a command in each fork."""
    process = state.describe_process()
    listener, lock = listen()
    exit_on_signals()  # a fork keeps this until it runs its command
    preload()
    listener.listen()  # until now, commands start cold
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nothing waits for the forks: they report their own exit codes
    command = serve(listener, process, 60 * float(sys.argv[1]))
    if command is None:
        os._exit(0)
    listener.close()
    os.close(lock)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    from mlrunner.cli.warm import fork

    fork.run_command(*command)


if __name__ == "__main__":
    os.chdir("/")
    main()

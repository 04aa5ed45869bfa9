"""Start the children that `multiprocessing` gives a command as forks, which have imported the third-party packages.

A worker of a search or a background writer imports for five seconds in a new interpreter, here for a third of one. Our
own modules are imported anew. That new interpreters work as well is tested in `tests/unit/search/test_workers.py` and
`tests/unit/tracking/test_background_writer.py`, and by a search that `front_door.run_cold` runs.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import traceback
from collections.abc import Sequence
from itertools import pairwise
from multiprocessing import forkserver, process, resource_tracker, util
from types import ModuleType
from typing import Any

OURS = ("mlrunner", "pipelines", "hydra_plugins")
FORKED = ("multiprocessing.forkserver", "multiprocessing.spawn")
_spawn = util.spawnv_passfds


def install() -> None:
    """Use forks in this process and its children."""
    util.spawnv_passfds = start  # type: ignore[assignment]


def start(path: Any, args: Sequence[Any], files: Sequence[int]) -> int:
    """Start a child as `multiprocessing.util.spawnv_passfds` does, and return its process ID."""
    place = args.index("-c") + 1 if "-c" in args else 0
    if not any(f"from {name} import" in str(args[place]) for name in FORKED):
        return _spawn(path, args, files)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    pid = os.fork()
    if pid == 0:
        os._exit(_run(str(args[place]), list(map(str, args[place + 1 :])), files))
    return pid


def _run(code: str, arguments: list[str], files: Sequence[int]) -> int:
    """Run code as a new interpreter does; return the exit code."""
    try:
        _reset(files)
        kept = forget_modules()  # deleting an object of the parent could close a file of this process
        sys.modules["__main__"] = ModuleType("__main__")
        sys.argv = ["-c", *arguments]
        exec(code, vars(sys.modules["__main__"]))
        del kept
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    return 0


def forget_modules() -> list[ModuleType]:
    """Let the next import load our own modules again; return the modules that were loaded."""
    names = [name for name in sys.modules if name.partition(".")[0] in OURS]
    return [sys.modules.pop(name) for name in names]


def _reset(files: Sequence[int]) -> None:
    """Close the parent's files, and undo what it set for its signals and children."""
    gc.freeze()
    inherited = [0, 1, 2, *map(int, files)]
    for first, last in pairwise(sorted([*inherited, os.sysconf("SC_OPEN_MAX")])):
        os.closerange(first + 1, last)
    for number in signal.valid_signals():
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    tracker: Any = resource_tracker._resource_tracker
    tracker._fd = tracker._pid = None
    server: Any = forkserver._forkserver
    server._lock = threading.Lock()
    process._children.clear()  # type: ignore[attr-defined]
    util._finalizer_registry.clear()  # type: ignore[attr-defined]

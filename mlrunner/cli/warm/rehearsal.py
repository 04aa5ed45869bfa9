"""Run a composition in the warm process itself, so that its forks find done what only the first run of a process does.

Most of that is SQLAlchemy's: it compiles some 200 statements of ZenML and MLflow, a third of a run in a new process.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from tempfile import TemporaryDirectory
from typing import Any

from mlrunner.cli.warm.statement_cache import close_connections
from mlrunner.core import environment

COMPOSITION = ("model=ridge", "dataset=diabetes")
OURS = ("mlrunner", "pipelines", "hydra_plugins")
USED_VARIABLES = ("MLRUNNER_", "ZENML_", "MLFLOW_", "HYDRA_")  # those of the user must not lead to their stores


def rehearse() -> bool:
    """Run a composition with stores that are removed afterwards, and restore what it has changed in this process.

    Returns:
        Whether it succeeded; where it did not, each fork does its work itself.
    """
    from mlrunner.cli import hydra_app
    from mlrunner.composition.hydra_private import temporary_singletons
    from mlrunner.groups.stack.variables import FIXED_VARIABLES, QUIET_LOGGING

    folder = TemporaryDirectory(prefix="mlrunner-warm-")
    with folder as home, _restored_process(), temporary_singletons(), _silenced(), suppress(Exception, SystemExit):
        for name in [name for name in os.environ if name.startswith(USED_VARIABLES)]:
            del os.environ[name]
        own = {environment.HOME_VARIABLE: home, environment.PROJECT_VARIABLE: home}
        environment.set_variables({**FIXED_VARIABLES, **QUIET_LOGGING, **own})
        environment.prepare_environment(False)
        return hydra_app.compose_and_run(COMPOSITION) == 0
    return False


@contextmanager
def _restored_process() -> Iterator[None]:
    """Restore variables, arguments, import path, logging and caches after a block, and close the stores it opened."""
    from mlrunner.groups.stack.zenml_patches import forget_store

    variables, arguments, path = environment.variables(), list(sys.argv), list(sys.path)
    loggers = [(logger, _describe_logger(logger)) for logger in _list_loggers()]
    filled = {name for name, function in _list_caches().items() if function.cache_info().currsize}
    try:
        yield
    finally:
        os.environ.clear()
        environment.set_variables(variables)
        sys.argv[:], sys.path[:] = arguments, path
        for logger, state in loggers:
            _restore_logger(logger, state)
        for name, function in _list_caches().items():
            if name not in filled:
                function.cache_clear()
        forget_store()
        close_connections()


def _list_loggers() -> list[logging.Logger]:
    named = logging.root.manager.loggerDict.values()
    return [logging.root, *(logger for logger in named if isinstance(logger, logging.Logger))]


def _describe_logger(logger: logging.Logger) -> tuple[int, bool, bool, list[logging.Handler]]:
    return logger.level, logger.propagate, logger.disabled, list(logger.handlers)


def _restore_logger(logger: logging.Logger, state: tuple[int, bool, bool, list[logging.Handler]]) -> None:
    level, logger.propagate, logger.disabled, handlers = state
    logger.setLevel(level)
    for handler in set(logger.handlers) - set(handlers):
        handler.close()
    logger.handlers[:] = handlers


def _list_caches() -> dict[str, Any]:
    """List the functions of ours that remember results, by module and name."""
    modules = [(name, module) for name, module in list(sys.modules.items()) if name.partition(".")[0] in OURS]
    return {
        f"{name}.{attribute}": value
        for name, module in modules
        for attribute, value in vars(module).items()
        if callable(getattr(value, "cache_clear", None)) and callable(getattr(value, "cache_info", None))
    }


@contextmanager
def _silenced() -> Iterator[None]:
    """Drop what a block prints, also from other processes."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    kept = [os.dup(number) for number in (1, 2)]
    nothing = os.open(os.devnull, os.O_WRONLY)
    try:
        for number in (1, 2):
            os.dup2(nothing, number)
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        for number, file in enumerate(kept, 1):
            os.dup2(file, number)
        for file in (*kept, nothing):
            os.close(file)

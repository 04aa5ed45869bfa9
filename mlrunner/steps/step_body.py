"""The function of a step: it prints a line, and records completely before it ends in a process of its own."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import ParamSpec, TypeVar

from mlrunner.core import environment, one_step
from mlrunner.core.errors import StoreError
from mlrunner.steps.progress import show_step
from mlrunner.tracking import outage
from mlrunner.tracking.background_writer import RECORDER, silence_database_log

P = ParamSpec("P")
R = TypeVar("R")


def step_body(function: Callable[P, R]) -> Callable[P, R]:
    """Print a line for a step where the run prints its steps; in a process of its own, wait for what it records."""

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        if one_step.is_here():
            return _run_alone(function, *args, **kwargs)
        with show_step(function.__name__):
            return function(*args, **kwargs)

    return wrapper


def _run_alone(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    prepare_process()
    try:
        result = function(*args, **kwargs)
    except BaseException:
        with suppress(StoreError):  # the error of the step matters more
            RECORDER.flush(hurry=True)
        raise
    RECORDER.flush()  # the next step loads the model, and reads what this one has tagged
    return result


@cache
def prepare_process() -> None:
    """Prepare a process that an orchestrator has started for one step; in other processes, do nothing.

    The user's modules are imported last, as in a command. MLflow's address is that of the stack's tracker where the
    environment has none, because it needs a login.

    Raises:
        StoreError: When neither has it.
    """
    if not one_step.is_here():
        return
    sys.path.append(str(environment.project()))
    outage.announce_waiting()
    silence_database_log()
    if environment.tracking_uri() is None:
        from zenml.client import Client

        from mlrunner.groups.stack.components import follow_tracker

        client = Client()
        if not follow_tracker(client, client.active_stack_model.id):
            raise StoreError("The active stack has no MLflow experiment tracker; give it one.")

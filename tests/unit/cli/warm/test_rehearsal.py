"""A run of the warm process before it serves, which must leave no trace in its forks but what is done already."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.front_door import run_program

pytestmark = pytest.mark.slow
PROGRAM = """
import json, logging, os, sys
from mlrunner.cli import hydra_app
from mlrunner.cli.warm import rehearsal, statement_cache
from mlrunner.tracking.records.liveness import describe_process
from zenml.utils.source_utils import get_source_root

def describe():
    loggers = [logging.getLogger(name) for name in (None, "alembic", "mlflow.store.db.utils")]
    states = [(logger.level, logger.propagate, logger.disabled, len(logger.handlers)) for logger in loggers]
    files = [os.readlink(f"/proc/self/fd/{each}") for each in os.listdir("/proc/self/fd") if os.path.exists(
        f"/proc/self/fd/{each}")]
    files = [name for name in files if "mlrunner-warm" in name]
    return dict(os.environ), list(sys.argv), list(sys.path), states, files, get_source_root()

os.environ["MLFLOW_TRACKING_URI"] = "http://127.0.0.1:9"  # of the user: nothing answers there
if sys.argv[1:] == ["fail"]:
    hydra_app.compose_and_run = lambda arguments: [][0]
before = describe()
succeeded = rehearsal.rehearse()
same = [old == new for old, new in zip(before, describe())]
print(json.dumps([succeeded, same, len(statement_cache.STATEMENTS), describe_process.cache_info().currsize]))
"""


@pytest.mark.parametrize(("arguments", "succeeds"), [([], True), (["fail"], False)])
def test_a_rehearsal_restores_the_process(tmp_path: Path, arguments: list[str], succeeds: bool) -> None:
    done = run_program(tmp_path, PROGRAM, *arguments)
    assert done.code == 0, done.err
    succeeded, same, statements, cached = done.json
    assert (succeeded, same, cached) == (succeeds, [True] * 6, 0)
    assert statements > 100  # those of the rehearsal of the tests' own warm process, at least

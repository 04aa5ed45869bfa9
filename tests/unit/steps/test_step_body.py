"""A step in a process of its own ends when everything is recorded; in a pipeline's process it does not wait."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mlrunner.core.environment import child_environment
from mlrunner.core.errors import StoreError
from mlrunner.core.one_step import VARIABLE
from mlrunner.steps.progress import print_steps
from mlrunner.steps.step_body import step_body
from mlrunner.tracking.background_writer import RECORDER

ALONE = """
import sys, time
from mlrunner.steps.step_body import step_body
from mlrunner.tracking.background_writer import RECORDER

def write(seconds):
    time.sleep(seconds)
    print("recorded", flush=True)

def fail():
    raise OSError("the disk is gone")

@step_body
def train(kind):
    RECORDER.submit(write, 0.3)
    if kind == "raises":
        raise ValueError("no convergence")
    if kind == "unrecorded":
        RECORDER.submit(fail)
    return 3

print(train(sys.argv[1]), sys.path[-1])
"""


def run_alone(kind: str, folder: Path) -> tuple[list[str], str]:
    """Run a step in a process of its own; return the lines that it printed, and its last error."""
    variables = {VARIABLE: "1", "MLFLOW_TRACKING_URI": "sqlite:///unused.db", "MLRUNNER_PROJECT": str(folder)}
    command = [sys.executable, "-c", ALONE, kind]
    done = subprocess.run(command, env=child_environment(**variables), capture_output=True, text=True, check=False)
    return done.stdout.splitlines(), (done.stderr.splitlines() or [""])[-1]


def test_the_step_ends_after_its_records_and_sees_the_modules_of_the_user(tmp_path: Path) -> None:
    assert run_alone("good", tmp_path) == (["recorded", f"3 {tmp_path}"], "")


def test_a_step_that_fails_records_first_and_raises_its_own_error(tmp_path: Path) -> None:
    assert run_alone("raises", tmp_path) == (["recorded"], "ValueError: no convergence")


def test_a_step_whose_records_fail_fails(tmp_path: Path) -> None:
    lines, error = run_alone("unrecorded", tmp_path)
    assert lines == ["recorded"]
    assert error.startswith("mlrunner.core.errors.StoreError: A run was not recorded completely: OSError: the disk is")


def test_a_step_of_a_pipeline_in_this_process_does_not_wait(capsys: pytest.CaptureFixture[str]) -> None:
    @step_body
    def train() -> str:
        RECORDER.submit(int, "no number")
        return "fitted"

    with print_steps(["train"]):
        assert train() == "fitted"
    assert "✓ train" in capsys.readouterr().out
    with pytest.raises(StoreError, match="no number"):
        RECORDER.flush()

"""How a worker ended decides whether its trial has failed, or runs again."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlrunner.search.trial import TrialResult
from mlrunner.search.worker_exit import count_oom_kills, judge_exit, limit_losses


@pytest.mark.parametrize(
    ("code", "oom_kills", "state", "error"),
    [
        (3, 0, "FAIL", "the worker ended with code 3"),
        (0, 0, "FAIL", "the worker ended with code 0"),
        (-11, 0, "FAIL", "the worker was killed by SIGSEGV"),
        (-6, 0, "FAIL", "the worker was killed by SIGABRT"),
        (-9, 1, "FAIL", "the worker was killed by SIGKILL: the machine ran out of memory"),
        (-9, 0, "LOST", "the worker was killed by SIGKILL"),
        (-15, 1, "LOST", "the worker was killed by SIGTERM"),
    ],
)
def test_a_worker_that_something_else_ends_is_lost(code: int, oom_kills: int, state: str, error: str) -> None:
    result = judge_exit(7, code, oom_kills)
    assert (result.number, result.state, result.error) == (7, state, error)


def test_the_kernel_counts_what_it_kills_for_memory(tmp_path: Path) -> None:
    file = tmp_path / "vmstat"
    assert count_oom_kills(file) is None
    file.write_text("pgfault 12\noom_kill 41\noom_kill_other 3\n")
    assert count_oom_kills(file) == 41
    file.write_text("pgfault 12\n")
    assert count_oom_kills(file) is None


def test_a_trial_is_lost_three_times_at_most() -> None:
    lost = TrialResult(2, "LOST", error="gone")
    assert [limit_losses(lost, losses).state for losses in range(4)] == ["LOST", "LOST", "LOST", "FAIL"]
    error = "gone, 4 times with these parameters; the trial may need more memory than there is"
    assert limit_losses(lost, 3).error == error
    complete = TrialResult(2, "COMPLETE")
    assert limit_losses(complete, 3) is complete

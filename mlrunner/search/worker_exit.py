"""Tell how a worker process has ended: its trial ended it, the memory was not enough, or it was lost."""

from __future__ import annotations

import re
import signal
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from mlrunner.search.trial import TrialResult

CRASHES = {signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGILL, signal.SIGFPE}  # by the trial's own code
MAX_LOSSES = 3  # further attempts of a trial whose worker is gone
VMSTAT = Path("/proc/vmstat")  # of the whole machine, also within a container
OOM_KILLS = re.compile(r"^oom_kill (\d+)$", re.MULTILINE)


def count_oom_kills(file: Path = VMSTAT) -> int | None:
    """Count the processes that the kernel has killed for lack of memory; None where it does not count them."""
    with suppress(OSError):
        match = OOM_KILLS.search(file.read_text())
        return None if match is None else int(match[1])
    return None


def judge_exit(number: int, code: int | None, oom_kills: int) -> TrialResult:
    """Describe the trial of a worker that has ended: a failure, or a loss that is not the trial's fault.

    Args:
        number: Number of the trial.
        code: Exit code; negative for a signal.
        oom_kills: Number of processes that were killed for lack of memory since the trial began.
    """
    if code is None or code >= 0:
        return TrialResult(number, "FAIL", error=f"the worker ended with code {code}")
    reason = f"the worker was killed by {signal.Signals(-code).name}"
    if -code == signal.SIGKILL and oom_kills > 0:
        return TrialResult(number, "FAIL", error=f"{reason}: the machine ran out of memory")
    return TrialResult(number, "FAIL" if -code in CRASHES else "LOST", error=reason)


def limit_losses(result: TrialResult, losses: int) -> TrialResult:
    """Fail a trial that was lost too often; return any other result as it is.

    Args:
        result: Result of the trial.
        losses: Number of earlier losses with the same parameters.
    """
    if result.state != "LOST" or losses < MAX_LOSSES:
        return result
    hint = "the trial may need more memory than there is"
    return replace(result, state="FAIL", error=f"{result.error}, {losses + 1} times with these parameters; {hint}")

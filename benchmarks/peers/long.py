"""One long search of ours: whether a late trial costs as much as an early one, and how memory develops."""

from __future__ import annotations

import json
import statistics
import subprocess
import time
from pathlib import Path
from typing import Any

from peers.ours import PROJECT, Ours

EVERY = 0.5  # seconds between looks at the memory
JOBS = 2
Sample = tuple[float, float, float]  # when, MB of the main process, MB of it and all its children


def long(ours: Ours, trials: int) -> dict[str, Any]:
    """Run the search, Ridge with two workers on the default storage.

    Returns:
        Milliseconds between the ends of trials, early and late, and the memory at times.
    """
    ours.restore()
    samples = watched(ours, trials, ours.folder / "long.json")
    result = json.loads((ours.folder / "long.json").read_text().strip().splitlines()[-1])
    files = sorted(Path(result["folder"]).glob("*/trial_result.json"), key=lambda file: file.stat().st_mtime_ns)
    ends = [file.stat().st_mtime for file in files]
    fits = [found["fit_seconds"] + found["score_seconds"] for found in (json.loads(one.read_text()) for one in files)]
    return {
        "trials": len(ends),
        "timing": result.get("timing"),
        "early": window(ends, fits, 5, 15),
        "late": window(ends, fits, len(ends) - 10, len(ends)),
        "early_hundred": window(ends, fits, 5, 105),
        "late_hundred": window(ends, fits, len(ends) - 100, len(ends)),
        "memory": memory(samples, ends),
    }


def watched(ours: Ours, trials: int, out: Path) -> list[Sample]:
    """Run the search, writing its output to a file, and sample its memory.

    Raises:
        CalledProcessError: When the search fails.
    """
    import psutil

    command, samples = ours.command("ridge", trials, JOBS), []
    errors = out.with_suffix(".err")
    with out.open("w") as sink, errors.open("w") as error_file:
        process = subprocess.Popen(command, stdout=sink, stderr=error_file, cwd=PROJECT, env=ours.environment)
        watch = psutil.Process(process.pid)
        while process.poll() is None:
            samples += look(watch)
            time.sleep(EVERY)
    if process.returncode != 0:
        raise subprocess.CalledProcessError(process.returncode, command, stderr=errors.read_text())
    return samples


def look(process: Any) -> list[Sample]:
    """Look at the memory once; nothing where the process has just ended."""
    import psutil

    try:
        main = process.memory_info().rss / 1e6
        rest = [one.memory_info().rss / 1e6 for one in process.children(recursive=True)]
    except psutil.Error:
        return []
    return [(time.time(), round(main, 1), round(main + sum(rest), 1))]


def window(ends: list[float], fits: list[float], first: int, last: int) -> dict[str, float] | None:
    """Look at the gaps between the ends of trials `first` to `last`; two workers end by turns, so both averages.

    Returns:
        Milliseconds: median and mean gap, and the median fit and score; None where the search was too short.
    """
    if first < 1 or last > len(ends):
        return None
    gaps = [(ends[number] - ends[number - 1]) * 1000 for number in range(first, last)]
    return {
        "median_gap_ms": round(statistics.median(gaps), 2),
        "mean_gap_ms": round(statistics.fmean(gaps), 2),
        "median_fit_ms": round(statistics.median(fits[first:last]) * 1000, 2),
    }


def memory(samples: list[Sample], ends: list[float]) -> list[dict[str, float]]:
    """Tell the memory when the tenth trial had ended, and at each tenth of the search; whole samples are too many."""
    numbers = sorted({min(10, len(ends)), *(max(1, len(ends) * part // 10) for part in range(1, 11))})
    found = []
    for number in numbers:
        _, main, all_of_it = min(samples, key=lambda one: abs(one[0] - ends[number - 1]))
        found.append({"trial": number, "main_mb": main, "with_children_mb": all_of_it})
    return found

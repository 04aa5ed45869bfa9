"""Records of runs and sweeps, made without a store."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from mlrunner.history.pruning.criteria import DAY
from mlrunner.tracking.records import DATA_TAG, FOLDER_TAG, SWEEP_TAG, TRIAL_TAG, Record

NOW = 1_800_000_000.0  # seconds since 1970


def make_id(name: str) -> str:
    """Complete a name to the id of a run."""
    return name.ljust(32, "0")


def make_record(**fields: Any) -> Record:
    """Make a run; fields replace the defaults."""
    defaults: dict[str, Any] = {
        "run_id": "a" * 32,
        "name": "model=rf,max_depth=3",
        "status": "FINISHED",
        "start": 1_700_000_000_000,
        "end": 1_700_000_001_000,
        "experiment": "mlrunner",
        "artifact_uri": "",
        "params": {"objective.metric": "r2", "tracking.name": "null"},
        "metrics": {"r2": 0.5},
        "tags": {"mlrunner.folder": "/runs/a"},
    }
    return Record(**{**defaults, **fields})


def make_run(name: str, days: float = 10, status: str = "FINISHED", **options: Any) -> Record:
    """Make a run that ended some days ago; its name is the beginning of its id.

    Args:
        name: Name.
        days: Days between its end and `NOW`.
        status: MLflow status.
        options: `score`, its `metric` and `part`, and `tags`, of which None removes one.
    """
    score, metric, part = options.pop("score", None), options.pop("metric", "r2"), options.pop("part", "test")
    tags = {FOLDER_TAG: f"/home/multirun/day/{name}", DATA_TAG: "data", **options.pop("tags", {})}
    end = int((NOW - days * DAY) * 1000)
    return make_record(
        run_id=make_id(name),
        name=name,
        status=status,
        start=end - 1000,
        end=None if status == "RUNNING" else end,
        artifact_uri=f"file:///store/{make_id(name)}/artifacts",
        params={"objective.metric": metric},
        metrics={} if score is None else {f"{part}/{metric}": score},
        tags={key: value for key, value in tags.items() if value is not None},
    )


def make_sweep(name: str, *runs: Record, days: float = 10, status: str = "FINISHED", **tags: Any) -> list[Record]:
    """Make the parent of a sweep, and add the tags of the sweep to its runs."""
    parent = make_run(name, days, status, tags={SWEEP_TAG: f"day/{name}", DATA_TAG: None, **tags})
    for number, run in enumerate(runs):
        run.tags.update({SWEEP_TAG: f"day/{name}", TRIAL_TAG: str(number)})
    return [parent, *runs]


def make_cache(home: Path, *days: float) -> Path:
    """Make cached tables of some ages in days, in a folder as old as the oldest."""
    folder = home / ".mlrunner" / "cache"
    folder.mkdir(parents=True)
    for number, age in enumerate(days):
        file = folder / f"{number}.arrow"
        file.write_text("table")
        os.utime(file, (time.time() - age * DAY,) * 2)
    os.utime(folder, (time.time() - max(days) * DAY,) * 2)
    return folder

"""What a run costs beside the estimator's own fit: ours and the same work by hand, in turn.

python benchmarks/run.py [--rounds 3] [--rows 100000] prints a table and writes benchmarks/results/run.json.
Ratios of medians count; the machine is noisy, so each round runs every case once, in turn.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PROJECT = HERE.parent
DEPTHS = [3, 4, 5, 6, 7, 8, 9, 10]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive"}


def main() -> None:
    """Run every case in turn, several times, and print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=100_000)
    parsed = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        table = make_table(Path(folder) / "table.csv", parsed.rows)
        rounds = [one_round(Path(folder) / f"round{number}", table) for number in range(parsed.rounds)]
    medians = {name: statistics.median(found[name] for found in rounds) for name in rounds[0]}
    report(medians)
    (HERE / "results").mkdir(exist_ok=True)
    (HERE / "results" / "run.json").write_text(json.dumps({"medians": medians, "rounds": rounds}, indent=1))


def make_table(path: Path, rows: int) -> Path:
    """Write a table of 20 numeric columns with a learnable target."""
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, 20))
    target = 3 * x[:, 0] + 2 * x[:, 1] * x[:, 2] + np.sin(3 * x[:, 3]) + rng.normal(size=rows) / 2
    x[rng.random(x.shape) < 0.01] = np.nan
    frame = pd.DataFrame(x.round(6), columns=[f"f{number:02d}" for number in range(20)])
    frame.assign(target=target.round(6)).to_csv(path, index=False)
    return path


def one_round(home: Path, table: Path) -> dict[str, float]:
    """Time a first run, a second run, a grid, and the same by hand."""
    (home / "ours").mkdir(parents=True)
    (home / "hand").mkdir()
    depths = ",".join(map(str, DEPTHS))
    first = ours(home / "ours", table, "model.estimator.max_depth=6")
    second = ours(home / "ours", table, "model.estimator.max_depth=6")
    grid = ours(home / "ours", table, "--multirun", f"model.estimator.max_depth={depths}")
    short = ours(home / "ours", table, "--multirun", f"model.estimator.max_depth={DEPTHS[0]},{DEPTHS[1]}")
    hand_first, hand_second = by_hand(home / "hand", table, "6"), by_hand(home / "hand", table, "6")
    hand_grid = by_hand(home / "hand", table, depths)
    hand_short = by_hand(home / "hand", table, f"{DEPTHS[0]},{DEPTHS[1]}")
    return {
        **{f"first_{key}": value for key, value in first.items()},
        **{f"second_{key}": value for key, value in second.items()},
        **{f"grid_{key}": value for key, value in grid.items()},
        "grid_overhead": marginal(grid, short),
        **{f"hand_first_{key}": value for key, value in hand_first.items()},
        **{f"hand_second_{key}": value for key, value in hand_second.items()},
        **{f"hand_grid_{key}": value for key, value in hand_grid.items()},
        "hand_grid_overhead": marginal(hand_grid, hand_short),
    }


def marginal(long: dict[str, float], short: dict[str, float]) -> float:
    """Seconds that one more composition costs over its own fit, from two sweep lengths."""
    more = len(DEPTHS) - 2
    return ((long["wall"] - long["fit"]) - (short["wall"] - short["fit"])) / more


def ours(home: Path, table: Path, *overrides: str) -> dict[str, float]:
    """Run mlrunner in a new process; seconds of wall, and of the estimators' fits."""
    command = [
        sys.executable, "-m", "mlrunner", "dataset=csv", f"dataset.path={table}", "dataset.target=target",
        "dataset.task=regression", "model.estimator.n_estimators=50", "output=json", *overrides,
    ]  # fmt: skip
    wall, result = timed(command, {"MLRUNNER_HOME": str(home)})
    outcomes = result if isinstance(result, list) else [result]
    return {"wall": wall, "fit": sum(one["fit_seconds"] + one["score_seconds"] for one in outcomes)}


def by_hand(home: Path, table: Path, depths: str) -> dict[str, float]:
    """Run the peer in a new process."""
    command = [sys.executable, str(HERE / "by_hand.py"), "--data", str(table), "--home", str(home), "--depths", depths]
    wall, result = timed(command, {})
    return {"wall": wall, "fit": result["fit_s"]}


def timed(command: list[str], variables: dict[str, str]) -> tuple[float, Any]:
    """Run a command; its seconds, and the JSON of its last line."""
    began = time.perf_counter()
    done = subprocess.run(
        command, capture_output=True, text=True, env={**ENVIRONMENT, **variables}, cwd=PROJECT, check=False
    )
    seconds = time.perf_counter() - began
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    return seconds, json.loads(done.stdout.strip().splitlines()[-1])


def report(medians: dict[str, float]) -> None:
    """Print seconds and ratios."""
    for case in ("first", "second", "grid"):
        mine, hand = medians[f"{case}_wall"], medians[f"hand_{case}_wall"]
        print(f"{case:<8} ours {mine:6.2f} s   by hand {hand:6.2f} s   ratio {mine / hand:.2f}")
    mine, hand = medians["grid_overhead"], medians["hand_grid_overhead"]
    print(f"one more composition over its fit: ours {mine:.2f} s, by hand {hand:.2f} s, ratio {mine / hand:.2f}")


if __name__ == "__main__":
    main()

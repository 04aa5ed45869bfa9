"""What looking back costs: runs, sweeps, prune, completion and diff over 10,000 runs, beside MLflow's own client.

python benchmarks/records.py [--rounds 3] [--runs 10000] prints a table and writes benchmarks/results/records.json.
The store has the tables that MLflow makes and copies of two real runs; the rows are written by SQLite.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parent
PROJECT = HERE.parent
PEER = """
import sys, json
from mlflow import MlflowClient
client = MlflowClient(sys.argv[1])
ids = [one.experiment_id for one in client.search_experiments()]
found, token = [], None
limit = int(sys.argv[2])
while len(found) < limit:
    page = client.search_runs(ids, sys.argv[3], max_results=min(1000, limit - len(found)), order_by=sys.argv[4:],
                              page_token=token)
    found += page
    token = page.token
    if not token:
        break
print(len(found))
"""
WHERE = "metrics.`test/r2` > 0.3 and params.model = 'ridge'"
TRIALS = 50  # runs of each sweep; one in ten is the trial of one


def main() -> None:
    """Make the store, time every case in turn, and print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--runs", type=int, default=10_000)
    parsed = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        newest = make_store(home, parsed.runs)
        rounds = [one_round(home, newest) for _ in range(parsed.rounds)]
    medians = {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}
    report(medians)
    (HERE / "results").mkdir(exist_ok=True)
    document = {"runs": parsed.runs, "medians": medians, "rounds": rounds}
    (HERE / "results" / "records.json").write_text(json.dumps(document, indent=1))


def make_store(home: Path, size: int) -> list[str]:
    """Run two compositions, and copy them to the wanted number of runs.

    Returns:
        The ids of the two, which are the newest and have their artifacts.
    """
    home.mkdir(parents=True)
    unsaved = ("tracking.log_model=false", "tracking.plots=false", "output=json")
    made = [json.loads(typed(home, "model=ridge", f"seed={seed}", *unsaved)[1])["run_id"] for seed in (0, 1)]
    database = sqlite3.connect(home / ".mlrunner" / "mlflow.db")
    tables = {name: template(database, name, made[0]) for name in ("runs", "params", "latest_metrics", "tags")}
    rows: dict[str, list[dict[str, object]]] = {name: [] for name in tables}
    draw = random.Random(0)
    for number in range(size - len(made)):
        for name, copied in one_run(tables, number, draw).items():
            rows[name] += copied
    for name, copied in rows.items():
        columns = list(copied[0])
        marks = ", ".join(f":{column}" for column in columns)
        database.executemany(f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({marks})", copied)
    database.commit()
    database.close()
    return made


def template(database: sqlite3.Connection, table: str, run_id: str) -> list[dict[str, object]]:
    """Read what a table has of a run."""
    database.row_factory = sqlite3.Row
    return [dict(row) for row in database.execute(f"SELECT * FROM {table} WHERE run_uuid = ?", (run_id,))]


def one_run(
    tables: dict[str, list[dict[str, object]]], number: int, draw: random.Random
) -> dict[str, list[dict[str, object]]]:
    """Copy a run with other numbers, a day and more before it; some are trials of sweeps, some failed."""
    run_id = f"{draw.getrandbits(128):032x}"
    run = tables["runs"][0]
    start = int(str(run["start_time"])) - (number + 1) * 86_400
    sweep, trial = divmod(number, TRIALS)
    added = {"mlrunner.sweep_id": f"2026-01-01/00-00-00-{sweep:06d}"} if sweep % 10 == 0 else {}
    if added and trial > 0:
        added["mlrunner.trial_number"] = str(trial - 1)
    model, alpha = draw.choice(["ridge", "rf", "xgboost"]), f"{draw.random():.6f}"
    name = f"model={model},alpha={alpha}"
    added |= {"mlflow.runName": name, "mlrunner.overrides": json.dumps([f"model={model}", f"alpha={alpha}"])}
    changed = {"run_uuid": run_id}
    status = draw.choice(["FINISHED"] * 9 + ["FAILED"])
    head = {"name": name, "start_time": start, "end_time": start + draw.randrange(100, 90_000), "status": status}
    params = [{**one, **changed, "value": model if one["key"] == "model" else one["value"]} for one in tables["params"]]
    kept = [one for one in tables["tags"] if one["key"] not in added]
    return {
        "runs": [{**run, **changed, **head}],
        "params": params,
        "latest_metrics": [{**one, **changed, "value": draw.random()} for one in tables["latest_metrics"]],
        "tags": [{**one, **changed} for one in kept] + [{"key": key, "value": added[key], **changed} for key in added],
    }


def environment(home: Path, **more: str) -> dict[str, str]:
    """The environment of a user with this home."""
    return {**os.environ, "MLRUNNER_HOME": str(home), "OMP_NUM_THREADS": "1", **more}


def typed(home: Path, *arguments: str, **more: str) -> tuple[float, str]:
    """Type a command of ours; its seconds and its output."""
    return timed([sys.executable, "-m", "mlrunner", *arguments], environment(home, **more))


def asked(home: Path, limit: int, where: str = "", *order: str) -> tuple[float, str]:
    """Ask MLflow's client the same."""
    uri = f"sqlite:///{home}/.mlrunner/mlflow.db"
    return timed([sys.executable, "-c", PEER, uri, str(limit), where, *order], environment(home))


def timed(command: list[str], variables: dict[str, str]) -> tuple[float, str]:
    """Run a command; its seconds and its output."""
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, env=variables, cwd=PROJECT, check=False)
    seconds = time.perf_counter() - began
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    return seconds, done.stdout


def one_round(home: Path, newest: list[str]) -> dict[str, float]:
    """Time every case once, each in a new process, ours and MLflow's in turn."""
    cases: dict[str, Callable[[], tuple[float, str]]] = {
        "runs": lambda: typed(home, "runs"),
        "peer_runs": lambda: asked(home, 20),
        "where": lambda: typed(home, "runs", "--where", WHERE),
        "peer_where": lambda: asked(home, 20, WHERE),
        "sort": lambda: typed(home, "runs", "--sort", "metrics.r2 DESC"),
        "peer_sort": lambda: asked(home, 20, "", "metrics.r2 DESC"),
        "took": lambda: typed(home, "runs", "--sort=-took"),
        "thousand": lambda: typed(home, "runs", "--json", "--limit", "1000"),
        "peer_thousand": lambda: asked(home, 1000),
        "all": lambda: typed(home, "runs", "--json", "--limit", "0"),  # MLflow's client takes minutes
        "sweeps": lambda: typed(home, "sweeps"),
        "prune": lambda: typed(home, "prune", "--worse-than", "100"),
        "completion": lambda: completed(home, "mlrunner deploy "),
        "completion_old": lambda: completed(home, "mlrunner deploy 2026-01-01/00-00-00-0000"),
    }
    if "diff" in shown_verbs():
        cases["diff"] = lambda: typed(home, "diff", *newest)
    return {name: case()[0] for name, case in cases.items()}


def completed(home: Path, line: str) -> tuple[float, str]:
    """Ask for completions, as a shell does."""
    program = shutil.which("mlrunner", path=str(Path(sys.executable).parent)) or "mlrunner"
    seconds, output = timed([program, "-sc", "query=bash"], environment(home, COMP_LINE=line))
    if not output.strip():
        sys.exit(f"nothing completes '{line}'")
    return seconds, output


def shown_verbs() -> tuple[str, ...]:
    """The verbs there are."""
    sys.path.insert(0, str(PROJECT))
    from mlrunner.cli.commands import VERBS

    return VERBS


def report(medians: dict[str, float]) -> None:
    """Print seconds and ratios, as rows of benchmarks/README.md."""
    print("| case | ours | MLflow's client | ours / MLflow |\n|---|---|---|---|")
    for name, mine in medians.items():
        if name.startswith("peer_"):
            continue
        peer = medians.get(f"peer_{name}")
        cells = f"{peer:.2f} s | {mine / peer:.2f}" if peer is not None else "- | -"
        print(f"| {name} | {mine:.2f} s | {cells} |")


if __name__ == "__main__":
    main()

"""What a search costs beside the estimators' own fits: ours and what people would otherwise run, in turn.

python benchmarks/sweep.py [--rounds 3] [--rows 100000] [--peers ours,a,b,c,d,e,f,g] [--xgb-trials 20]
[--ridge-trials 30] [--slope 200] [--long N] prints tables and writes benchmarks/results/sweep.json.
Ratios of medians count; the machine is noisy, so each round runs every case once, in turn, in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from peers import environments, make_table, report
from peers import ours as our_side
from peers.long import long
from peers.ours import PROJECT, Ours

HERE = Path(__file__).absolute().parent
VARIABLES = {**os.environ, "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive"}
LIMIT = 3600  # seconds after which a case has failed
OURS = {"ours": 2, "ours_1": 1}  # trials at once
PEERS = {
    "a": ["a_bare_optuna.py"],
    "b": ["b_optuna_mlflow.py", "--log-model", "best", "--pip-req", "given"],
    "c": ["c_hydra_official.py"],
    "c_mlflow": ["c_hydra_official.py", "--mlflow"],
    "d": ["d_ray_tune.py"],
    "d_reuse": ["d_ray_tune.py", "--reuse"],
    "e": ["e_zenml_naive.py"],
    "f": ["f_optuna_parallel.py"],
    "f_processes": ["f_optuna_parallel.py", "--mode", "processes"],
    "g": ["g_zenml_lean.py"],
    "g_run": ["g_zenml_lean.py", "--trial", "run"],
}
SLOPES = ("ours", "ours_1", "b", "f", "f_processes")  # whose marginal trial is measured
Run = dict[str, Any]
Round = dict[str, dict[str, Run]]  # model or `slope`, then case


def main() -> None:
    """Run every case in turn, several times, and print medians, ratios and slopes."""
    parsed = arguments()
    settings = {key: value for key, value in vars(parsed).items() if key != "out"}
    found: dict[str, Any] = {"settings": settings, "machine": machine(), "absent": {}, "rounds": [], "long": None}
    with tempfile.TemporaryDirectory(prefix="sweep-") as folder:
        bench = prepare(Path(folder), parsed, found["absent"])
        for number in range(parsed.rounds):
            found["rounds"].append(one_round(bench, parsed, number))
            save(parsed.out, found)
        if parsed.long:
            found["long"] = attempt(lambda: long(bench.ours, parsed.long))
    save(parsed.out, found)
    report.show(found)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="0 with --long: only that")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--peers", default="ours,a,b,c,d,e,f,g", help="a letter takes all its variants")
    parser.add_argument("--xgb-trials", type=int, default=20)
    parser.add_argument("--ridge-trials", type=int, default=30)
    parser.add_argument("--slope", type=int, default=200, help="more Ridge trials, for what one costs; 0 skips it")
    parser.add_argument("--long", type=int, default=0, help="trials of one long Ridge search of ours; 0 skips it")
    parser.add_argument("--out", default=str(HERE / "results" / "sweep.json"))
    return parser.parse_args()


def machine() -> dict[str, Any]:
    """Describe where and with what this runs."""
    from importlib.metadata import version

    packages = ("mlrunner", "optuna", "mlflow", "zenml", "xgboost", "scikit-learn")
    machine = {
        "date": time.strftime("%Y-%m-%d"),
        "cores": len(os.sched_getaffinity(0)),
        "python": sys.version.split()[0],
    }
    return {**machine, **{name: version(name) for name in packages}}


@dataclass(frozen=True)
class Bench:
    """What the cases share.

    Args:
        folder: For everything that is written.
        table: What is learned from.
        cases: The chosen ones.
        pythons: The interpreter of each peer's letter.
        ours: Our side, warm.
    """

    folder: Path
    table: Path
    cases: list[str]
    pythons: dict[str, Path]
    ours: Ours


def prepare(folder: Path, parsed: argparse.Namespace, absent: dict[str, str]) -> Bench:
    """Make the tables, the environments and our stores; say which peers are absent."""
    table = make_table.write(parsed.rows, str(folder / "table"))
    ours = Ours(folder / "ours", table, VARIABLES)
    chosen = [one.strip() for one in parsed.peers.split(",")]
    cases = [one for one in (*OURS, *PEERS) if one in chosen or one.partition("_")[0] in chosen]
    pythons: dict[str, Path] = {}
    for letter in dict.fromkeys(one.partition("_")[0] for one in cases):
        python = environments.python_of(letter)
        if isinstance(python, Path):
            pythons[letter] = python
        else:
            absent[letter] = python
            say(f"{letter} is absent: {python}")
    if "ours" in pythons or parsed.long:
        ours.warm(make_table.write(2000, str(folder / "other")))
    return Bench(folder, table, [one for one in cases if one.partition("_")[0] in pythons], pythons, ours)


def one_round(bench: Bench, parsed: argparse.Namespace, number: int) -> Round:
    """Run every case once."""
    plan = {"xgb": ("xgb", parsed.xgb_trials, bench.cases), "ridge": ("ridge", parsed.ridge_trials, bench.cases)}
    if parsed.slope:
        steep = [one for one in bench.cases if one in SLOPES]
        plan["slope"] = ("ridge", parsed.ridge_trials + parsed.slope, steep)
    found: Round = {part: {} for part in plan}
    for part, (model, trials, cases) in plan.items():
        for case in cases:
            found[part][case] = run = one_case(bench, case, model, trials)
            say(f"round {number + 1}  {part:<5}  {case:<11}  {report.brief(run)}")
    return found


def one_case(bench: Bench, case: str, model: str, trials: int) -> Run:
    """Run a case in new processes with new stores; its line, the seconds of its process and the load before it."""
    load = round(os.getloadavg()[0], 2)
    if case in OURS:
        bench.ours.restore()
        jobs, read = OURS[case], our_side.read_seconds(bench.table)
        command, variables = bench.ours.command(model, trials, jobs), bench.ours.environment
        run = attempt(
            lambda: timed(command, variables, PROJECT, lambda result, s: our_side.line(result, jobs, s, read))
        )
        return {**run, "load": load}
    script, *options = PEERS[case]
    command = [str(bench.pythons[case.partition("_")[0]]), str(HERE / "peers" / script), "--data", str(bench.table)]
    command += ["--model", model, "--n-trials", str(trials), *options]
    with tempfile.TemporaryDirectory(prefix="peer-", dir=bench.folder, ignore_cleanup_errors=True) as scratch:
        variables = {**VARIABLES, "PEER_TMP": scratch}
        return {**attempt(lambda: timed(command, variables, Path(scratch), lambda result, _: result)), "load": load}


def timed(command: list[str], variables: dict[str, str], cwd: Path, line: Callable[[Any, float], Run]) -> Run:
    """Run a command; the JSON of its last line as a run, with the seconds of the process."""
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, env=variables, cwd=cwd, check=True, timeout=LIMIT)
    seconds = time.perf_counter() - began
    return {**line(json.loads(done.stdout.strip().splitlines()[-1]), seconds), "process_s": seconds}


def attempt(work: Callable[[], Run]) -> Run:
    """Work, or tell what went wrong: one failure does not end an hour's measurement."""
    try:
        return work()
    except (subprocess.SubprocessError, OSError, ValueError, KeyError, IndexError) as error:
        return {"error": f"{type(error).__name__}: {error} {str(getattr(error, 'stderr', '') or '')[-1500:]}"}


def save(out: str, found: dict[str, Any]) -> None:
    """Write everything down; after each round, so that a sweep that is ended early leaves what it has."""
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    Path(out).write_text(json.dumps({**found, "medians": report.medians(found["rounds"])}, indent=1) + "\n")


def say(text: str) -> None:
    """Tell how far it is."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()

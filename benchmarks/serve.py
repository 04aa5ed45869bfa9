"""Benchmark of model servers: ours, MLflow's scoring server and BentoML, with one model on one machine.

python benchmarks/serve.py [--rounds 3] [--peers ours,behind,mlflow,bento] [--starts 3] [--quick] prints tables and
writes benchmarks/results/serve.json. Compare ratios of medians: absolute numbers vary, so each round sends every
load to every server in turn, while all of them run.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
import time
import urllib.error
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from serving import machine_load, measuring, report, servers
from serving.measuring import CELLS
from serving.model import Absent, Model, fit
from serving.starting import Running

HERE = Path(__file__).absolute().parent
PEERS = ("ours", "behind", "mlflow", "bento")
QUICK_FACTOR = 5  # divides the number of requests and the time
Result = dict[str, Any]


def main() -> None:
    """Time the starts, compare predictions, run the loads, and print medians and ratios."""
    options = parse_arguments()
    for number in (signal.SIGINT, signal.SIGTERM):  # background jobs of a shell ignore SIGINT by default
        signal.signal(number, signal.default_int_handler)
    settings = {key: value for key, value in vars(options).items() if key != "out"}
    results: Result = {
        "settings": settings,
        "machine": describe_machine(),
        "absent": {},
        "starts": {},
        "answers": {},
        "rounds": [],
    }
    with tempfile.TemporaryDirectory(prefix="serve-", ignore_cleanup_errors=True) as folder:
        try:
            model = fit(Path(folder))
            results["starts"] = time_starts(model, options, results["absent"])
            with run_servers(model, options.peers, results["absent"]) as servers_by_name:
                measure(model, servers_by_name, options, results)
        except (KeyboardInterrupt, Absent) as error:
            log(f"stopped early: {str(error) or 'interrupted'}")
    if results["rounds"] or any(results["starts"].values()):  # otherwise keep the earlier results
        save(options.out, results)
    report.print_report(results)
    sys.exit(0 if results["rounds"] and all(answer["equal"] for answer in results["answers"].values()) else 1)


def parse_arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", default=",".join(PEERS), help="behind: our server without its gateway")
    parser.add_argument("--starts", type=int, default=3, help="timed starts of each server; 0 skips them")
    parser.add_argument("--seconds", type=float, default=8.0, help="maximum duration of a load")
    parser.add_argument(
        "--tries", type=int, default=3, help="maximum repetitions of a disturbed load; the least disturbed one counts"
    )
    parser.add_argument(
        "--calm", type=float, default=60.0, help="maximum seconds to wait for an idle machine before each load"
    )
    parser.add_argument("--quick", action="store_true", help="one round of short loads")
    parser.add_argument("--out", default=str(HERE / "results" / "serve.json"))
    options = parser.parse_args()
    options.peers = [peer for peer in PEERS if peer in options.peers.split(",")]
    if options.quick:
        options.rounds = options.starts = options.tries = 1
        options.seconds, options.calm = options.seconds / QUICK_FACTOR, 2.0
    return options


def describe_machine() -> Result:
    """Describe machine and package versions."""
    from importlib.metadata import version

    packages = ("mlrunner", "mlflow", "xgboost", "scikit-learn", "pandas", "aiohttp")
    result = {
        "date": time.strftime("%Y-%m-%d"),
        "cores": len(os.sched_getaffinity(0)),
        "python": sys.version.split()[0],
    }
    return {**result, **{name: version(name) for name in packages}}


def time_starts(model: Model, options: argparse.Namespace, absent: dict[str, str]) -> dict[str, list[Result]]:
    """Start and stop every server in turn; the first start is not counted, as its files are not cached."""
    names = [name for name in servers.STARTS if name in ("bare" if "ours" in options.peers else "", *options.peers)]
    results: dict[str, list[Result]] = {name: [] for name in names}
    for number in range(options.starts + 1 if options.starts else 0):
        for name in [name for name in names if name not in absent]:
            result = time_start(name, model, options, absent)
            if result is not None and number:
                results[name].append(result)
                log(f"start {number}  {name:<7} {result['healthy_s']:6.2f} s  others {result['others']:.2f} cores")
    return results


def time_start(name: str, model: Model, options: argparse.Namespace, absent: dict[str, str]) -> Result | None:
    """Start and stop a server; repeat while other processes use the processor before or after the start."""
    results: list[Result] = []
    while len(results) < options.tries and (not results or results[-1]["others"] > measuring.DISTURBED):
        others_before = machine_load.wait_until_idle(options.calm)
        server = try_start(name, absent, partial(servers.STARTS[name], model))
        if server is None:
            return None
        server.stop()
        others = max(others_before, machine_load.wait_until_idle(0.0))
        result = {"healthy_s": server.seconds, "command_s": server.command, "deployer_s": server.deployer}
        results.append({**result, "others": others})
    return min(results, key=lambda start: float(start["others"])) | {"tries": len(results)}


def try_start(name: str, absent: dict[str, str], work: Callable[[], Running]) -> Running | None:
    """Start a server, or record why it is absent."""
    try:
        return work()
    except (Absent, OSError) as error:
        absent[name] = str(error)
        log(f"{name} is absent: {error}")
        return None


@contextmanager
def run_servers(model: Model, peers: list[str], absent: dict[str, str]) -> Iterator[dict[str, Running]]:
    """Run all servers, and stop them at the end."""
    servers_by_name: dict[str, Running] = {}
    try:
        for name in [name for name in peers if name not in absent]:
            if name == "behind":
                server = (
                    servers.find_server_behind(model, servers_by_name["ours"]) if "ours" in servers_by_name else None
                )
            else:
                server = try_start(name, absent, partial(servers.STARTS[name], model))
            if server is not None:
                servers_by_name[name] = server
        yield servers_by_name
    finally:
        for server in servers_by_name.values():
            server.stop()


def measure(model: Model, servers_by_name: dict[str, Running], options: argparse.Namespace, results: Result) -> None:
    """Compare predictions once, then run the loads in rounds."""
    for name, server in servers_by_name.items():
        try:
            results["answers"][name] = measuring.check(server, model.folder)
        except (urllib.error.URLError, ValueError) as error:
            results["answers"][name] = {"equal": False, "error": str(error)}
    for number in range(options.rounds):
        results["rounds"].append(run_round(model, servers_by_name, options, number))
        save(options.out, results)


def run_round(model: Model, servers_by_name: dict[str, Running], options: argparse.Namespace, number: int) -> Result:
    """Run every load on every server; the first server changes from round to round."""
    names = list(servers_by_name)
    turn = names[number % len(names) :] + names[: number % len(names)]
    server_pids = {pid for server in servers_by_name.values() for pid in server.pids}
    results: Result = {}
    for title, cell in CELLS.items():
        load = replace(cell, requests=cell.requests // QUICK_FACTOR) if options.quick else cell
        results[title] = {}
        for name in turn:
            setting = (load, servers_by_name[name], server_pids, model.folder, options.seconds, options.calm)
            results[title][name] = result = measuring.repeat_disturbed(options.tries, partial(measuring.load, *setting))
            log(f"round {number + 1}  {title:<21}  {name:<7} {report.format_line(result)}")
    return results


def save(out: str, results: Result) -> None:
    """Save the results; called after each round, so that an interrupted benchmark keeps them."""
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    result = {**results, "medians": report.medians(results["rounds"]), "ratios": report.ratios(results)}
    Path(out).write_text(json.dumps(result, indent=1) + "\n")


def log(text: str) -> None:
    """Log progress."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()

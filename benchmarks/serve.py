"""What a served model costs: ours, MLflow's own scoring server and BentoML on one model and machine, in one go.

python benchmarks/serve.py [--rounds 3] [--peers ours,behind,mlflow,bento] [--starts 3] [--quick] prints tables and
writes benchmarks/results/serve.json. Ratios of medians count; the machine is noisy, so in each round every load is
put on every server in turn, all of them running.
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

from serving import measuring, noise, report, servers
from serving.measuring import CELLS
from serving.model import Absent, Model, fit
from serving.starting import Running

HERE = Path(__file__).absolute().parent
PEERS = ("ours", "behind", "mlflow", "bento")
QUICK = 5  # times less of everything
Told = dict[str, Any]


def main() -> None:
    """Time the starts, compare the answers, put on the loads, and print medians and ratios."""
    parsed = arguments()
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell's background jobs would ignore Ctrl-C
        signal.signal(number, signal.default_int_handler)
    settings = {key: value for key, value in vars(parsed).items() if key != "out"}
    found: Told = {"settings": settings, "machine": machine(), "absent": {}, "starts": {}, "answers": {}, "rounds": []}
    with tempfile.TemporaryDirectory(prefix="serve-", ignore_cleanup_errors=True) as folder:
        try:
            model = fit(Path(folder))
            found["starts"] = time_starts(model, parsed, found["absent"])
            with running(model, parsed.peers, found["absent"]) as up:
                measure(model, up, parsed, found)
        except (KeyboardInterrupt, Absent) as error:
            say(f"ended early: {str(error) or 'asked to stop'}")
    if found["rounds"] or any(found["starts"].values()):  # or an earlier go's figures stay
        save(parsed.out, found)
    report.show(found)
    sys.exit(0 if found["rounds"] and all(one["equal"] for one in found["answers"].values()) else 1)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", default=",".join(PEERS), help="behind: our server without the gateway before it")
    parser.add_argument("--starts", type=int, default=3, help="of each server, timed; 0 skips them")
    parser.add_argument("--seconds", type=float, default=8.0, help="that a load lasts at most")
    parser.add_argument("--tries", type=int, default=3, help="of a load that others disturb; the quietest counts")
    parser.add_argument("--calm", type=float, default=60.0, help="seconds to wait for a quiet moment before each load")
    parser.add_argument("--quick", action="store_true", help="one round of short loads: does it work?")
    parser.add_argument("--out", default=str(HERE / "results" / "serve.json"))
    parsed = parser.parse_args()
    parsed.peers = [one for one in PEERS if one in parsed.peers.split(",")]
    if parsed.quick:
        parsed.rounds, parsed.starts, parsed.tries, parsed.seconds, parsed.calm = 1, 1, 1, parsed.seconds / QUICK, 2.0
    return parsed


def machine() -> Told:
    """Describe where and with what this runs."""
    from importlib.metadata import version

    packages = ("mlrunner", "mlflow", "xgboost", "scikit-learn", "pandas", "aiohttp")
    told = {"date": time.strftime("%Y-%m-%d"), "cores": len(os.sched_getaffinity(0)), "python": sys.version.split()[0]}
    return {**told, **{name: version(name) for name in packages}}


def time_starts(model: Model, parsed: argparse.Namespace, absent: dict[str, str]) -> dict[str, list[Told]]:
    """Start and end every server in turn; the first of each is not counted, for it finds the disk cold."""
    names = [one for one in servers.STARTS if one in ("bare" if "ours" in parsed.peers else "", *parsed.peers)]
    found: dict[str, list[Told]] = {name: [] for name in names}
    for number in range(parsed.starts + 1 if parsed.starts else 0):
        for name in [one for one in names if one not in absent]:
            told = one_start(name, model, parsed, absent)
            if told is not None and number:
                found[name].append(told)
                say(f"start {number}  {name:<7} {told['healthy_s']:6.2f} s  others {told['others']:.2f} cores")
    return found


def one_start(name: str, model: Model, parsed: argparse.Namespace, absent: dict[str, str]) -> Told | None:
    """Start and end a server; again while others disturb that, by what they use just before and just after."""
    found: list[Told] = []
    while len(found) < parsed.tries and (not found or found[-1]["others"] > measuring.DISTURBED):
        before = noise.wait(parsed.calm)
        server = attempt(name, absent, partial(servers.STARTS[name], model))
        if server is None:
            return None
        server.stop()
        others = max(before, noise.wait(0.0))
        told = {"healthy_s": server.seconds, "command_s": server.command, "deployer_s": server.deployer}
        found.append({**told, "others": others})
    return min(found, key=lambda one: float(one["others"])) | {"tries": len(found)}


def attempt(name: str, absent: dict[str, str], work: Callable[[], Running]) -> Running | None:
    """Start a server, or note why it is absent: one of them does not end the others' measurement."""
    try:
        return work()
    except (Absent, OSError) as error:
        absent[name] = str(error)
        say(f"{name} is absent: {error}")
        return None


@contextmanager
def running(model: Model, peers: list[str], absent: dict[str, str]) -> Iterator[dict[str, Running]]:
    """Run all servers; they are ended whatever happens."""
    up: dict[str, Running] = {}
    try:
        for name in [one for one in peers if one not in absent]:
            if name == "behind":
                server = servers.behind(model, up["ours"]) if "ours" in up else None
            else:
                server = attempt(name, absent, partial(servers.STARTS[name], model))
            if server is not None:
                up[name] = server
        yield up
    finally:
        for server in up.values():
            server.stop()


def measure(model: Model, up: dict[str, Running], parsed: argparse.Namespace, found: Told) -> None:
    """Compare answers once, then put on the loads round by round."""
    for name, server in up.items():
        try:
            found["answers"][name] = measuring.check(server, model.folder)
        except (urllib.error.URLError, ValueError) as error:
            found["answers"][name] = {"equal": False, "error": str(error)}
    for number in range(parsed.rounds):
        found["rounds"].append(one_round(model, up, parsed, number))
        save(parsed.out, found)


def one_round(model: Model, up: dict[str, Running], parsed: argparse.Namespace, number: int) -> Told:
    """Put every load on every server; who is first changes from round to round."""
    names = list(up)
    turn = names[number % len(names) :] + names[: number % len(names)]
    everybody = {pid for server in up.values() for pid in server.pids}
    found: Told = {}
    for title, cell in CELLS.items():
        asked = replace(cell, requests=cell.requests // QUICK) if parsed.quick else cell
        found[title] = {}
        for name in turn:
            setting = (asked, up[name], everybody, model.folder, parsed.seconds, parsed.calm)
            found[title][name] = told = measuring.quietest(parsed.tries, partial(measuring.load, *setting))
            say(f"round {number + 1}  {title:<21}  {name:<7} {report.brief(told)}")
    return found


def save(out: str, found: Told) -> None:
    """Write everything down; after each round, so that a go that is ended early leaves what it has."""
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    told = {**found, "medians": report.medians(found["rounds"]), "ratios": report.ratios(found)}
    Path(out).write_text(json.dumps(told, indent=1) + "\n")


def say(text: str) -> None:
    """Tell how far it is."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()

"""`mlrunner status`: what serves where, since when, from which run, and how it is."""

from __future__ import annotations

import json
from dataclasses import asdict

from rich.text import Text

from mlrunner.cli.commands.deploy import deployments_folder
from mlrunner.cli.commands.parser import Parser
from mlrunner.core.terminal import console, number
from mlrunner.groups.deployer import operations, state

STYLES = {operations.SERVING: "bold green", operations.DOWN: "bold red"}


def main(arguments: list[str]) -> int:
    """Print how deployments are.

    Returns:
        0 when none of them is down, 1 otherwise.
    """
    parser = Parser(prog="mlrunner status", description="Tell what serves where, and how it is.")
    parser.add_argument("name", nargs="?", help="of a deployment; all of them without one")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parsed = parser.parse_args(arguments)
    known = (
        state.ledgers(deployments_folder()) if parsed.name is None else [state.find(deployments_folder(), parsed.name)]
    )
    found = [operations.status(one) for one in known]
    if parsed.json:
        print(json.dumps([asdict(one) for one in found]))
    elif not found:
        console().print("Nothing is deployed yet; deploy a run with mlrunner deploy RUN.")
    else:
        for one in found:
            _show(one)
    return int(any(one.health == operations.DOWN for one in found))


def _show(one: operations.Status) -> None:
    out = console()
    out.print(Text.assemble((one.name, "bold"), "  ", (one.health, STYLES.get(one.health, "dim"))))
    facts = one.facts or {}
    metric = facts.get("metric")
    score = facts.get("metrics", {}).get(f"test/{metric}")
    requests = one.requests or {}
    failed = sum(count for code, count in requests.items() if code >= "5")
    told = {
        "problem": one.problem,
        "address": None if one.url is None else f"{one.url}/invocations",
        "version": None if one.version is None else _version(one),
        "model": None if not facts else f"{facts.get('model')}, {facts.get('task')} of {facts.get('target')}",
        "score": None if score is None else f"test {metric} {number(score)}",
        "gate": facts.get("gate"),
        "run": None if not facts else f"{facts.get('run_name')} ({str(facts.get('run_id'))[:8]})",
        "config": None if "folder" not in facts else f"{facts['folder']}/.hydra/config.yaml",
        "requests": None if one.requests is None else f"{sum(requests.values()):,}, {failed:,} of them failed",
    }
    for label, value in told.items():
        if value is not None:
            style = "red" if label == "problem" else ""
            out.print(Text.assemble((f"  {label:<10}", "dim"), (str(value), style)))


def _version(one: operations.Status) -> str:
    since = "" if one.since is None else f", since {one.since}"
    return f"{one.version}{since}" + ("" if one.ready is None else f"; version {one.ready} is ready for a rollback")

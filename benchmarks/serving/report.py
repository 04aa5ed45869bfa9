"""Markdown tables: medians of the rounds, and ratios of medians with their targets."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import Any

Result = dict[str, Any]
KEYS = ("p50_ms", "p99_ms", "requests_s", "rows_s", "cpu_ms", "others")
NAMES = {
    "ours": "ours", "behind": "ours, no gateway", "mlflow": "MLflow", "bento": "BentoML", "bare": "ours, no deployment",
}  # fmt: skip


@dataclass(frozen=True)
class Target:
    """Describe a ratio and its target.

    Args:
        title: Title of the row.
        cell: Title of the load; `start` for the seconds until the server is healthy.
        key: Key of the medians.
        most: Maximum ratio to MLflow; None for no target.
        least: Minimum ratio to MLflow; None for no target.
        peer_key: Key of the medians of the peers; None for the same key.
    """

    title: str
    cell: str
    key: str
    most: float | None = None
    least: float | None = None
    peer_key: str | None = None


TARGETS = (
    Target("p50, 1 row, 1 client", "1 row, 1 client", "p50_ms", most=1.2),
    Target("p99, 1 row, 1 client", "1 row, 1 client", "p99_ms"),
    Target("requests/s, 1 row, 16 clients", "1 row, 16 clients", "requests_s", least=4.0),
    Target("p99, 1 row, 16 clients", "1 row, 16 clients", "p99_ms"),
    Target("rows/s, 1,000 rows, 1 client", "1,000 rows, 1 client", "rows_s", least=1.0),
    Target("rows/s, 1,000 rows, 4 clients", "1,000 rows, 4 clients", "rows_s", least=1.0),
    Target("seconds of the deploy step", "start", "deployer_s", most=1.3, peer_key="healthy_s"),
    Target("seconds of mlrunner deploy", "start", "healthy_s", most=1.3),
)


def medians(rounds: list[Result]) -> Result:
    """Compute the medians of all rounds and the sum of their errors."""
    return {
        cell: {name: _median([cells[cell][name] for cells in rounds]) for name in rounds[0][cell]}
        for cell in (rounds[0] if rounds else ())
    }


def _median(runs: list[Result]) -> Result:
    results = {key: statistics.median(run[key] for run in runs) for key in KEYS}
    return {**results, "errors": sum(sum(run["errors"].values()) for run in runs)}


def ratios(results: Result) -> dict[str, Result]:
    """Compute the ratio of our median to that of each peer."""
    by_cell = {**medians(results["rounds"]), "start": starts(results["starts"])}
    result: dict[str, Result] = {}
    for target in TARGETS:
        cell = by_cell.get(target.cell, {})
        mine = cell.get("ours", {}).get(target.key)
        others = {name: cell.get(name, {}).get(target.peer_key or target.key) for name in ("mlflow", "bento")}
        result[target.title] = {name: mine / value if mine and value else None for name, value in others.items()}
        ratio = result[target.title]["mlflow"]
        if ratio is not None and (target.most or target.least):
            result[target.title]["met"] = ratio <= target.most if target.most else ratio >= (target.least or 0.0)
    return result


def starts(results: dict[str, list[Result]]) -> Result:
    """Compute the medians of the starts."""
    keys = ("healthy_s", "command_s", "deployer_s")
    return {
        name: {key: statistics.median(run[key] for run in runs) for key in keys if runs[0].get(key) is not None}
        for name, runs in results.items()
        if runs
    }


def print_report(results: Result) -> None:
    """Print all tables."""
    for name, result in results["answers"].items():
        comparison = (
            f"equal those of the model within {result['worst']:.1g}"
            if result["equal"]
            else f"DIFFER from those of the model: {result}"
        )
        print(f"{NAMES[name]}: {result.get('rows', 0)} rows, alone and together: predictions {comparison}")
    print_cells(results)
    print_starts(starts(results["starts"]))
    print_ratios(ratios(results))
    for name, reason in results["absent"].items():
        print(f"\n{NAMES[name]} is absent: {reason}")
    others = [values["others"] for cells in results["rounds"] for peers in cells.values() for values in peers.values()]
    if others:
        print(f"\nothers used {statistics.median(others):.2f} cores during a load (median), {max(others):.2f} at most")


def print_cells(results: Result) -> None:
    """Print the table of loads."""
    print(f"\nmedians of {len(results['rounds'])} rounds\n")
    rows = [
        [
            cell, NAMES[name], f"{values['p50_ms']:.1f}", f"{values['p99_ms']:.1f}", f"{values['requests_s']:.1f}",
            f"{values['rows_s']:,.0f}", f"{values['cpu_ms']:.1f}", str(values["errors"]),
        ]
        for cell, peers in medians(results["rounds"]).items()
        for name, values in sorted(peers.items(), key=lambda pair: list(NAMES).index(pair[0]))
    ]  # fmt: skip
    print_table(("load", "server", "p50 ms", "p99 ms", "requests/s", "rows/s", "CPU ms a request", "errors"), rows)


def print_starts(results: Result) -> None:
    """Print the seconds until the servers are healthy."""
    if results:
        print()
        rows = [
            [
                NAMES[name],
                *(f"{values[key]:.2f}" if key in values else "-" for key in ("healthy_s", "command_s", "deployer_s")),
            ]
            for name, values in results.items()
        ]
        print_table(("start", "healthy after s", "command ended after s", "of which the deploy step"), rows)


def print_ratios(results: dict[str, Result]) -> None:
    """Print the ratios with their targets."""
    print()
    rows = []
    for target in TARGETS:
        result = results[target.title]
        limit = f"at most {target.most:g}" if target.most else f"at least {target.least:g}" if target.least else "-"
        met = {True: "met", False: "NOT met"}.get(result.get("met"), "-")  # type: ignore[arg-type]
        rows.append([target.title, *(format_ratio(result[name]) for name in ("mlflow", "bento")), limit, met])
    print_table(("what", "ours / MLflow", "ours / BentoML", "target for MLflow", ""), rows)


def format_ratio(ratio: float | None) -> str:
    """Format a ratio; a dash for None."""
    return "-" if ratio is None else f"{ratio:.2f}"


def print_table(heads: tuple[str, ...], rows: list[list[str]]) -> None:
    """Print a table."""
    for cells in (heads, ["---"] * len(heads), *rows):
        print(f"| {' | '.join(cells)} |")


def format_line(result: Result) -> str:
    """Summarize a measurement in one line."""
    errors = f"  errors {result['errors']}" if result["errors"] else ""
    figures = f"p50 {result['p50_ms']:7.1f} ms  p99 {result['p99_ms']:7.1f} ms  {result['rows_s']:9.1f} rows/s"
    return f"{figures}  others {result['others']:.2f} cores{errors}"

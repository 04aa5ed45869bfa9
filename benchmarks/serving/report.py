"""The tables, as Markdown: medians of the rounds, and ratios of medians beside what was aimed at."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import Any

Told = dict[str, Any]
KEYS = ("p50_ms", "p99_ms", "requests_s", "rows_s", "cpu_ms", "others")
NAMES = {
    "ours": "ours", "behind": "ours, no gateway", "mlflow": "MLflow", "bento": "BentoML", "bare": "ours, no deployment",
}  # fmt: skip


@dataclass(frozen=True)
class Aim:
    """A figure that is compared.

    Args:
        what: In words.
        cell: Of the load; `start` for the seconds until health.
        key: Of the cell's medians.
        most: At most so many times MLflow's, or None.
        least: At least so many times MLflow's, or None.
        beside: The peers' key, where it is another one.
    """

    what: str
    cell: str
    key: str
    most: float | None = None
    least: float | None = None
    beside: str | None = None


AIMS = (
    Aim("p50, 1 row, 1 client", "1 row, 1 client", "p50_ms", most=1.2),
    Aim("p99, 1 row, 1 client", "1 row, 1 client", "p99_ms"),
    Aim("requests/s, 1 row, 16 clients", "1 row, 16 clients", "requests_s", least=4.0),
    Aim("p99, 1 row, 16 clients", "1 row, 16 clients", "p99_ms"),
    Aim("rows/s, 1,000 rows, 1 client", "1,000 rows, 1 client", "rows_s", least=1.0),
    Aim("rows/s, 1,000 rows, 4 clients", "1,000 rows, 4 clients", "rows_s", least=1.0),
    Aim("seconds of the deploy step", "start", "deployer_s", most=1.3, beside="healthy_s"),
    Aim("seconds of mlrunner deploy", "start", "healthy_s", most=1.3),
)


def medians(rounds: list[Told]) -> Told:
    """Take the medians of all rounds, and add their errors up."""
    return {
        cell: {name: _median([one[cell][name] for one in rounds]) for name in rounds[0][cell]}
        for cell in (rounds[0] if rounds else ())
    }


def _median(runs: list[Told]) -> Told:
    found = {key: statistics.median(one[key] for one in runs) for key in KEYS}
    return {**found, "errors": sum(sum(one["errors"].values()) for one in runs)}


def ratios(found: Told) -> dict[str, Told]:
    """Divide ours by each peer's."""
    known = {**medians(found["rounds"]), "start": starts(found["starts"])}
    told: dict[str, Told] = {}
    for aim in AIMS:
        cell = known.get(aim.cell, {})
        mine = cell.get("ours", {}).get(aim.key)
        others = {name: cell.get(name, {}).get(aim.beside or aim.key) for name in ("mlflow", "bento")}
        told[aim.what] = {name: mine / value if mine and value else None for name, value in others.items()}
        ratio = told[aim.what]["mlflow"]
        if ratio is not None and (aim.most or aim.least):
            told[aim.what]["met"] = ratio <= aim.most if aim.most else ratio >= (aim.least or 0.0)
    return told


def starts(found: dict[str, list[Told]]) -> Told:
    """Take the medians of the starts."""
    keys = ("healthy_s", "command_s", "deployer_s")
    return {
        name: {key: statistics.median(one[key] for one in runs) for key in keys if runs[0].get(key) is not None}
        for name, runs in found.items()
        if runs
    }


def show(found: Told) -> None:
    """Print everything."""
    for name, told in found["answers"].items():
        says = f"the model's own within {told['worst']:.1g}" if told["equal"] else f"NOT the model's own: {told}"
        print(f"{NAMES[name]}: {told.get('rows', 0)} rows, alone and together, answers {says}")
    show_cells(found)
    show_starts(starts(found["starts"]))
    show_ratios(ratios(found))
    for name, why in found["absent"].items():
        print(f"\n{NAMES[name]} is absent: {why}")
    noisy = [one["others"] for cells in found["rounds"] for peers in cells.values() for one in peers.values()]
    if noisy:
        print(f"\nothers used {statistics.median(noisy):.2f} cores during a load (median), {max(noisy):.2f} at most")


def show_cells(found: Told) -> None:
    """Print the loads."""
    print(f"\nmedians of {len(found['rounds'])} rounds\n")
    rows = [
        [
            cell, NAMES[name], f"{one['p50_ms']:.1f}", f"{one['p99_ms']:.1f}", f"{one['requests_s']:.1f}",
            f"{one['rows_s']:,.0f}", f"{one['cpu_ms']:.1f}", str(one["errors"]),
        ]
        for cell, peers in medians(found["rounds"]).items()
        for name, one in sorted(peers.items(), key=lambda pair: list(NAMES).index(pair[0]))
    ]  # fmt: skip
    table(("load", "server", "p50 ms", "p99 ms", "requests/s", "rows/s", "its CPU ms a request", "errors"), rows)


def show_starts(found: Told) -> None:
    """Print the seconds until health."""
    if found:
        print()
        rows = [
            [
                NAMES[name],
                *(f"{one[key]:.2f}" if key in one else "-" for key in ("healthy_s", "command_s", "deployer_s")),
            ]
            for name, one in found.items()
        ]
        table(("start", "healthy after s", "command ended after s", "of which the deploy step"), rows)


def show_ratios(found: dict[str, Told]) -> None:
    """Print ratios beside what was aimed at."""
    print()
    rows = []
    for aim in AIMS:
        told = found[aim.what]
        wanted = f"at most {aim.most:g}" if aim.most else f"at least {aim.least:g}" if aim.least else "-"
        met = {True: "met", False: "NOT met"}.get(told.get("met"), "-")  # type: ignore[arg-type]
        rows.append([aim.what, *(shown(told[name]) for name in ("mlflow", "bento")), wanted, met])
    table(("what", "ours / MLflow", "ours / BentoML", "aim beside MLflow", ""), rows)


def shown(ratio: float | None) -> str:
    """Write a ratio; a dash where there is none."""
    return "-" if ratio is None else f"{ratio:.2f}"


def table(heads: tuple[str, ...], rows: list[list[str]]) -> None:
    """Print a table."""
    for one in (heads, ["---"] * len(heads), *rows):
        print(f"| {' | '.join(one)} |")


def brief(told: Told) -> str:
    """Say in a line how a load went."""
    errors = f"  errors {told['errors']}" if told["errors"] else ""
    figures = f"p50 {told['p50_ms']:7.1f} ms  p99 {told['p99_ms']:7.1f} ms  {told['rows_s']:9.1f} rows/s"
    return f"{figures}  others {told['others']:.2f} cores{errors}"

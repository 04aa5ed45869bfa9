"""The tables of a sweep of sweeps, as Markdown: medians of the rounds, and ratios of medians."""

from __future__ import annotations

import statistics
from typing import Any

Run = dict[str, Any]
Round = dict[str, dict[str, Run]]  # model or `slope`, then case
KEYS = ("wall_s", "whole_s", "process_s", "overhead_ms_per_trial", "fit_s", "best")
HEADS = (
    "case",
    "search s",
    "whole s",
    "process s",
    "overhead ms a trial",
    "search / f",
    "whole / b",
    "best rmse",
    "ok",
)


def show(found: dict[str, Any]) -> None:
    """Print everything."""
    settings, rounds = found["settings"], found["rounds"]
    for part in ("xgb", "ridge") if rounds else ():
        print(f"\n{part}, {settings[part + '_trials']} trials, medians of {len(rounds)}\n")
        table(HEADS, [row(case, rounds, part) for case in cases_of(rounds, part)])
    if any("slope" in one for one in rounds):
        show_slopes(rounds, settings)
    for letter, why in found["absent"].items():
        print(f"\n{letter} is absent: {why}")
    if any(
        one.get("clock") == "process" for all_of_it in rounds for part in all_of_it.values() for one in part.values()
    ):
        print("\n* mlrunner reported no timing: seconds of its whole process, with imports")
    for case, why in failures(rounds):
        print(f"\n{case} failed: {why}")
    if found["long"] is not None:
        show_long(found["long"])


def table(heads: tuple[str, ...], rows: list[list[str]]) -> None:
    """Print a table."""
    for one in (heads, ["---"] * len(heads), *rows):
        print(f"| {' | '.join(one)} |")


def cases_of(rounds: list[Round], part: str) -> list[str]:
    """List the cases in the order that they ran."""
    return list(dict.fromkeys(case for one in rounds for case in one[part]))


def runs_of(rounds: list[Round], part: str, case: str) -> list[Run]:
    """List the runs of a case that came to their end."""
    runs = [one[part][case] for one in rounds if case in one[part]]
    return [one for one in runs if "error" not in one]


def median(runs: list[Run], key: str) -> float | None:
    """Take the median; what has no `whole_s` is whole by `wall_s`; None where there is no run."""
    values = [one.get(key, one["wall_s"] if key == "whole_s" else None) for one in runs]
    known = [one for one in values if one is not None]
    return statistics.median(known) if known else None


def medians(rounds: list[Round]) -> dict[str, dict[str, dict[str, float | None]]]:
    """Take all medians."""
    return {
        part: {case: {key: median(runs_of(rounds, part, case), key) for key in KEYS} for case in cases_of(rounds, part)}
        for part in (rounds[0] if rounds else ())
    }


def row(case: str, rounds: list[Round], part: str) -> list[str]:
    """Write a case as a row."""
    mine, f, b = (runs_of(rounds, part, name) if name in rounds[0][part] else [] for name in (case, "f", "b"))
    search, whole = median(mine, "wall_s"), median(mine, "whole_s")
    star = "*" if any(one.get("clock") == "process" for one in mine) else ""
    return [
        case + star,
        shown(search, ".2f"),
        shown(whole, ".2f"),
        shown(median(mine, "process_s"), ".2f"),
        shown(median(mine, "overhead_ms_per_trial"), ".0f"),
        ratio(search, median(f, "wall_s")),
        ratio(whole, median(b, "wall_s")),
        shown(median(mine, "best"), ".4f"),
        f"{len(mine)}/{len(rounds)}",
    ]


def shown(value: float | None, form: str) -> str:
    """Write a figure; a dash for a missing one."""
    return "-" if value is None else format(value, form)


def ratio(one: float | None, other: float | None) -> str:
    """Write a ratio."""
    return "-" if one is None or not other else f"{one / other:.2f}"


def show_slopes(rounds: list[Round], settings: dict[str, Any]) -> None:
    """Print what one more Ridge trial costs, whole and over its fit and score."""
    short, more = settings["ridge_trials"], settings["slope"]
    print(f"\none more Ridge trial, from sweeps of {short} and of {short + more}, medians of {len(rounds)}\n")
    rows = []
    for case in cases_of(rounds, "slope"):
        pairs = [(one["ridge"][case], one["slope"][case]) for one in rounds]
        steep = [slope(*pair) for pair in pairs if not any("error" in one for one in pair)]
        columns = [list(column) for column in zip(*steep, strict=True)] or [[], []]
        rows.append([case, *(shown(statistics.median(column) if column else None, ".1f") for column in columns)])
    table(("case", "ms a trial", "of these over fit and score"), rows)


def slope(short: Run, long: Run) -> tuple[float, float]:
    """Tell the milliseconds of one more trial, whole and over fit and score, from two lengths."""
    more = long["trials"] - short["trials"]
    wall = long["wall_s"] - short["wall_s"]
    fit = (long["fit_s"] - short["fit_s"]) / long["parallel"]
    return wall / more * 1000, (wall - fit) / more * 1000


def failures(rounds: list[Round]) -> list[tuple[str, str]]:
    """List what did not come to its end."""
    found = [
        (f"{part} {case}", one)
        for all_of_it in rounds
        for part, runs in all_of_it.items()
        for case, one in runs.items()
    ]
    return [(name, one["error"]) for name, one in found if "error" in one]


def show_long(result: Run) -> None:
    """Print whether a late trial costs as much as an early one, and the memory."""
    if "error" in result:
        print(f"\nlong failed: {result['error']}")
        return
    print(f"\none Ridge sweep of {result['trials']} trials, two at once: ms between the ends of trials\n")
    names = ("early", "late", "early_hundred", "late_hundred")
    windows = [(name, result[name]) for name in names if result[name] is not None]
    rows = [
        [name, *(str(one[key]) for key in ("median_gap_ms", "mean_gap_ms", "median_fit_ms"))] for name, one in windows
    ]
    table(("window", "median gap", "mean gap", "median fit and score"), rows)
    print()
    table(
        ("trial", "main process MB", "with workers MB"),
        [[str(value) for value in one.values()] for one in result["memory"]],
    )


def brief(run: Run) -> str:
    """Say in a line how a run went."""
    if "error" in run:
        return f"FAILED {run['error'][-300:]}"
    return f"{run['wall_s']:7.2f} s  overhead {run['overhead_ms_per_trial']:8.1f} ms  process {run['process_s']:7.2f} s"

"""What a person sees: the composition, a line a step, a table of metrics, where to look next."""

from __future__ import annotations

import io
import os
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from mlrunner.options import shell

if TYPE_CHECKING:
    from typing import Any

    from mlrunner.composition.checks import Checked
    from mlrunner.errors import MlrunnerError
    from mlrunner.outcome import Outcome

PARTS = ("train", "validation", "cv", "test")
HUGE = 1e12  # digits beyond these are counted, not read
PIPED_WIDTH = 240  # columns where there is no terminal


def console(stderr: bool = False) -> Console:
    """Make a console on today's stdout or stderr: plain and wide when it is piped."""
    stream = sys.stderr if stderr else sys.stdout
    if stream is None:  # it is closed
        return Console(file=io.StringIO())
    width = None if stream.isatty() else PIPED_WIDTH
    return Console(file=stream, highlight=False, soft_wrap=not stream.isatty(), width=width)


def show_composition(checked: Checked) -> None:
    """Print what is about to run."""
    composition, data = checked.composition, checked.data
    choices = composition.launch.choices
    inferred = " (inferred)" if data.dataset.task is None else ""
    rows, columns = data.table.shape
    out = console()
    out.print(Text.assemble(("mlrunner  ", "bold"), (composition.name, "bold cyan")))
    few = "a few dozen of " if composition.settings.blueprint else ""
    size = f"{data.dataset.label}, {few}{rows:,} rows x {columns} columns"
    lines: dict[str, str] = {
        "dataset": f"{size}, {data.task}{inferred} on {data.dataset.target}",
        **{group: choices[group] for group in ("cleaning", "split", "model") if group in choices},
        "stack": f"{choices.get('stack')}, gate {choices.get('gate')}, deployer {choices.get('deployer')}",
    }
    for group, told in lines.items():
        out.print(Text.assemble((f"  {group:<10}", "dim"), told))
    out.print()


def metrics_table(metrics: dict[str, float], chosen: str) -> Table:
    """Lay metrics out: a line a metric, a column a part; the objective's first and marked."""
    names = list(dict.fromkeys(name.partition("/")[2] for name in metrics if "/" in name))
    names = [chosen, *[name for name in names if name != chosen and not name.endswith("_std")]]
    parts = [part for part in PARTS if any(name.startswith(f"{part}/") for name in metrics)]
    table = Table(box=None, pad_edge=False, padding=(0, 2))
    table.add_column("  metric")
    for part in parts:
        table.add_column(part, justify="right")
    for name in names:
        cells = [number(metrics.get(f"{part}/{name}"), metrics.get(f"{part}/{name}_std")) for part in parts]
        table.add_row(f"  {name}", *cells, style="bold" if name == chosen else "")
    return table


def number(value: float | None, spread: float | None = None) -> str:
    """Write a number in four significant digits, with its spread; a dash for none."""
    if value is None or value != value:
        return "-"
    told = f"{value:,.0f}" if 9999.5 <= abs(value) < HUGE else f"{value:,.4g}"
    return told if spread is None else f"{told} ± {spread:.2g}"


def show_outcome(outcome: Outcome, checked: Checked) -> None:
    """Print a run's metrics and where to look next."""
    out = console()
    launch = checked.composition.launch
    out.print()
    out.print(metrics_table(outcome.metrics, outcome.metric))
    out.print()
    part = "mean over the folds" if "cv/" + outcome.metric in outcome.metrics else "validation"
    out.print(
        Text.assemble(
            ("  objective ", "dim"),
            (f"{outcome.metric} {number(outcome.objective)}", "bold green"),
            f" ({part}, {outcome.direction})",
        )
    )
    show_hand_over(outcome.gate, outcome.deployment)
    for label, told in where_next(outcome, typed(launch.overrides)).items():
        out.print(Text.assemble((f"  {label:<10}", "dim"), told))


def show_hand_over(gate: dict[str, Any] | None, deployment: dict[str, Any] | None) -> None:
    """Print what the gate said, and where the model serves."""
    out = console()
    if gate is not None:
        word, style = ("open", "bold green") if gate["open"] else ("closed", "bold yellow")
        out.print(Text.assemble(("  gate      ", "dim"), (word, style), f": {gate['reason']}"))
    if deployment is not None and "error" not in deployment:
        named = f"{deployment['name']} version {deployment['version']}"
        out.print(Text.assemble(("  deployed  ", "dim"), (named, "bold green"), f" {deployment['where']}"))


def where_next(outcome: Outcome, overrides: list[str]) -> dict[str, str]:
    """Name the places and commands that follow a run; each can be pasted."""
    short = str(outcome.run_id)[:8]
    deployed = outcome.deployment is not None and "error" not in outcome.deployment
    deploy = f"mlrunner deploy {short}"
    after = {"next": "mlrunner status, rollback, history, stop"} if deployed else {"deploy": deploy}
    compare = {"diff": f"mlrunner diff latest~1 {short}"}
    return {
        "mlflow": f"mlrunner ui {short}  # run {outcome.run_id}",
        "folder": relative(outcome.folder),
        **(compare if _has_previous(Path(outcome.folder)) else {}),
        "again": shell(["mlrunner", *overrides]),
        "reproduce": f"mlrunner reproduce {short}",
        **(after if outcome.model_uri is not None else {}),
    }


def typed(overrides: list[str]) -> list[str]:
    """What was typed after the program's name, flags as well; the overrides when that is not known."""
    names = [Path(text).stem for text in sys.orig_argv]
    return sys.orig_argv[names.index("mlrunner") + 1 :] if "mlrunner" in names else overrides


def relative(path: str) -> str:
    """Shorten a path below the working folder."""
    found = os.path.relpath(path)
    return path if found.startswith("..") else found


def _has_previous(folder: Path) -> bool:
    """Whether there is a run before this one to compare it with."""
    return any(found.parent != folder for found in folder.parent.parent.glob("*/*/.hydra"))


def show_problems(error: MlrunnerError, prefix: str = "mlrunner: ") -> None:
    """Print what is wrong, a line a problem, to stderr."""
    out = console(stderr=True)
    for sentence in getattr(error, "problems", [str(error)]):
        out.print(Text.assemble((prefix, "bold red"), sentence))


def show_job(outcome: Outcome) -> None:
    """Print one line for a composition of a grid."""
    mark, style = ("✓", "green") if outcome.error is None else ("✗", "red")
    told = f"{outcome.metric} {number(outcome.objective)}" if outcome.error is None else outcome.error
    console().print(
        Text.assemble(
            (f"{mark} ", style),
            (f"{outcome.job:>3}  ", "dim"),
            f"{outcome.name}  ",
            (told, style),
            (f"  {outcome.seconds:.2f} s", "dim"),
        )
    )


def show_ranking(outcomes: list[Outcome], folder: str) -> None:
    """Print a sweep's compositions, best first, then those that were pruned or failed."""
    table = Table(box=None, pad_edge=False, padding=(0, 2), title_justify="left")
    metric = next((outcome.metric for outcome in outcomes if outcome.error is None), "objective")
    tested = [f"test/{metric}"] if any(f"test/{metric}" in outcome.metrics for outcome in outcomes) else []
    for name in ("rank", "job", "composition", metric, *(["test"] if tested else []), "fit", "total", "run or error"):
        table.add_column(name, justify="left" if name in ("composition", "run or error") else "right")
    for rank, outcome in enumerate(outcomes, 1):
        ended = outcome.status != "PRUNED" and outcome.error is None
        table.add_row(
            str(rank) if ended else "-",
            str(outcome.job),
            outcome.name,
            number(outcome.objective, spread(outcome.metrics, metric)),
            *[number(outcome.metrics.get(name)) for name in tested],
            "-" if outcome.error is not None else f"{outcome.fit_seconds:.2f} s",
            f"{outcome.seconds:.2f} s",
            textwrap.shorten(outcome.error or "", 60) or (str(outcome.run_id)[:8] if ended else "pruned"),
            style="red" if outcome.error is not None else "bold" if rank == 1 else "" if ended else "yellow",
        )
    out = console()
    out.print()
    out.print(table)
    out.print(Text.assemble(("\n  folder    ", "dim"), relative(folder)))


def spread(metrics: dict[str, float], metric: str) -> float | None:
    """Find the deviation of a metric over folds or repeats; None where it was scored once."""
    return metrics.get(f"cv/{metric}_std", metrics.get(f"validation/{metric}_std"))

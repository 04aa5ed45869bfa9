"""TODO."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from mlrunner.core.overrides import shell
from mlrunner.core.terminal import PARTS, console, number, relative, show_hand_over

if TYPE_CHECKING:
    from mlrunner.composition.checks import Checked
    from mlrunner.core.outcome import Outcome


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


def make_metrics_table(metrics: dict[str, float], chosen: str) -> Table:
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


def show_outcome(outcome: Outcome, checked: Checked) -> None:
    """Print a run's metrics and where to look next."""
    out = console()
    launch = checked.composition.launch
    out.print()
    out.print(make_metrics_table(outcome.metrics, outcome.metric))
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
    for label, told in list_next_steps(outcome, typed(launch.overrides)).items():
        out.print(Text.assemble((f"  {label:<10}", "dim"), told))


def list_next_steps(outcome: Outcome, overrides: list[str]) -> dict[str, str]:
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


def _has_previous(folder: Path) -> bool:
    """Whether there is a run before this one to compare it with."""
    return any(found.parent != folder for found in folder.parent.parent.glob("*/*/.hydra"))

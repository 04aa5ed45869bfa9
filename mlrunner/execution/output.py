"""Print a run for people: its composition before, its metrics and the next commands after."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from mlrunner.core.formatting import format_number
from mlrunner.core.metric_names import DATA_PARTS, THRESHOLD, TRIVIAL
from mlrunner.core.overrides import join_words
from mlrunner.core.redaction import hint_hidden, redact_override
from mlrunner.core.table import text_table
from mlrunner.core.terminal import console, relative_path, show_deployment, show_line, show_warnings
from mlrunner.core.warning_names import SCORE_WARNINGS

if TYPE_CHECKING:
    from mlrunner.composition.checks import Checked
    from mlrunner.composition.findings import Data
    from mlrunner.core.outcome import Outcome


def show_composition(checked: Checked) -> None:
    """Print the composition of a run that starts now."""
    composition, data = checked.composition, checked.data
    choices = composition.launch.choices
    inferred = " (inferred)" if data.dataset.task is None else ""
    rows, columns = data.table.shape
    labeled = len(data.labeled_rows)
    out = console()
    out.print(Text.assemble(("mlrunner  ", "bold"), (composition.name, "bold cyan")))
    few = "a few dozen of " if composition.settings.blueprint else ""
    counted = f"{rows:,}" if labeled == rows else f"{labeled:,} of {rows:,}"
    size = f"{data.dataset.label}, {few}{counted} rows x {columns} columns"
    lines: dict[str, str] = {
        "dataset": f"{size}, {data.task}{inferred} {_describe_target(data)}",
        "columns": checked.columns.line,
        **({"dates": checked.columns.date_line} if checked.columns.dates else {}),
        **{group: choices[group] for group in ("cleaning", "split", "model") if group in choices},
        "stack": f"{choices.get('stack')}, gate {choices.get('gate')}, deployer {choices.get('deployer')}",
    }
    for label, text in lines.items():
        show_line(label, text)
    show_warnings([notice._asdict() for notice in checked.notices])
    out.print()


def _describe_target(data: Data) -> str:
    """Write the target, the number of its classes, and which of two is the positive one."""
    target = data.dataset.target
    if data.task != "classification":
        return f"on {target}"
    labels = data.labeled_rows[target].unique()
    positive = sorted(labels)[-1] if data.dataset.positive is None else data.dataset.positive
    return f"on {len(labels):,} classes of {target}" + (f", {positive} is positive" if len(labels) == 2 else "")


def make_metrics_table(metrics: dict[str, float], objective: str) -> Table:
    """Make a table with a row for each metric and a column for each part of the data.

    Args:
        metrics: Values by part and name, like `test/r2`.
        objective: Name of the metric that stands first, in bold.
    """
    names = list(dict.fromkeys(name.partition("/")[2] for name in metrics if "/" in name))
    names = [objective, *[name for name in names if name != objective and not name.endswith("_std")]]
    parts = [part for part in DATA_PARTS if any(name.startswith(f"{part}/") for name in metrics)]
    rows = []
    for name in names:
        cells = [format_number(metrics.get(f"{part}/{name}"), metrics.get(f"{part}/{name}_std")) for part in parts]
        rows.append(([f"  {name}", *cells], "bold" if name == objective else ""))
    return text_table(["  metric", *parts], rows, ["  metric"])


def show_outcome(outcome: Outcome, command_line: Sequence[str]) -> None:
    """Print the metrics of a run, its deployment and the next commands.

    Args:
        outcome: Outcome of the run.
        command_line: Arguments that repeat the run.
    """
    out = console()
    out.print()
    out.print(make_metrics_table(outcome.metrics, outcome.metric))
    out.print()
    part = "mean over the folds" if "cv/" + outcome.metric in outcome.metrics else "validation"
    value = (f"{outcome.metric} {format_number(outcome.objective)}", "bold green")
    show_line("objective", value, f" ({part}, {outcome.direction}{_trivial(outcome)}{_threshold(outcome)})")
    show_warnings([warning for warning in outcome.warnings if warning["name"] in SCORE_WARNINGS])
    show_deployment(outcome.gate, outcome.deployment)
    for label, text in list_next_steps(outcome, command_line).items():
        show_line(label, text)


def _trivial(outcome: Outcome) -> str:
    """Describe the score of a model that predicts one value."""
    value = outcome.metrics.get(f"{TRIVIAL}/{outcome.metric}")
    return "" if value is None else f"; a constant has {format_number(value)}"


def _threshold(outcome: Outcome) -> str:
    """Describe the threshold of two classes."""
    value = outcome.metrics.get(THRESHOLD)
    return "" if value is None else f"; threshold {format_number(value)}"


def list_next_steps(outcome: Outcome, command_line: Sequence[str]) -> dict[str, str]:
    """List the places and commands that follow a run, by label; each command can be pasted into a shell.

    Args:
        outcome: Outcome of the run.
        command_line: Arguments that repeat the run.
    """
    short = str(outcome.run_id)[:8]
    is_deployed = outcome.deployment is not None and "error" not in outcome.deployment
    deploy = f"mlrunner deploy {short}"
    after = {"next": "mlrunner status, rollback, history, stop"} if is_deployed else {"deploy": deploy}
    compare = {"diff": f"mlrunner diff latest~1 {short}"}
    is_here = Path(outcome.folder) == Path.cwd()  # with hydra.job.chdir
    return {
        "mlflow": f"mlrunner ui {short}  # run {outcome.run_id}",
        "folder": outcome.folder if is_here else relative_path(outcome.folder),
        **(compare if _has_previous(Path(outcome.folder)) else {}),
        "again": hint_hidden(join_words(["mlrunner", *map(redact_override, command_line)])),
        "reproduce": f"mlrunner reproduce {short}",
        **(after if outcome.model_uri is not None else {}),
    }


def _has_previous(folder: Path) -> bool:
    """Check whether there is an earlier run, or a grid or a search, to compare with."""
    places = (folder.parent.parent.glob(f"*/*/{name}") for name in (".hydra", "multirun.yaml"))
    return any(place.parent != folder for place in chain.from_iterable(places))

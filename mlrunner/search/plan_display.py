"""Print the plan of a search, for a dry run."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from mlrunner.core.outcome import OUTCOME_FILE
from mlrunner.core.terminal import console

if TYPE_CHECKING:
    from mlrunner.search.plan import SearchPlan
    from mlrunner.search.space import Space

RECENT_RUNS = 200  # enough for an estimate


def show_plan(plan: SearchPlan, trials: list[tuple[str, ...]]) -> None:
    """Print a plan.

    Args:
        plan: Plan of the search.
        trials: Overrides of the first trials.
    """
    out = console()
    size = plan.space.size
    total = f" of {size:,.0f} combinations" if math.isfinite(size) else ""
    out.print(Text.assemble(("mlrunner  ", "bold"), ("plan", "bold cyan"), f"  {plan.limit} trials{total}"))
    for name, direction in zip(plan.objectives.metrics, plan.objectives.directions, strict=True):
        out.print(Text.assemble(("  objective  ", "dim"), f"{direction} {name}"))
    out.print(Text.assemble(("  sampler    ", "dim"), str(plan.settings.sampler["_target_"]).rpartition(".")[2]))
    out.print(_build_table(plan.space))
    out.print(Text("\n  first compositions", "dim"))
    fixed = {text for text, _ in plan.space.fixed}
    for overrides in trials:
        out.print(f"    {' '.join(text for text in overrides if text not in fixed) or 'default'}")
    out.print(Text.assemble(("\n  time       ", "dim"), estimate_time(plan)))
    out.print(Text("  Nothing was started (hydra.sweeper.dry_run=true).", "dim"))


def _build_table(space: Space) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2))
    for name in ("  dimension", "values", "model"):
        table.add_column(name)
    for dimension in space.dimensions:
        table.add_row(f"  {dimension.key}", dimension.text, dimension.model or "all")
    return table


def estimate_time(plan: SearchPlan) -> str:
    """Estimate the duration of a search from the median of earlier runs of the same models on the same data set."""
    seconds = sorted(_read_seconds(plan))
    if not seconds:
        return "unknown: no earlier run with these models and this data; run one first"
    each = seconds[len(seconds) // 2]
    whole = each * plan.limit * plan.settings.repeats / plan.settings.n_jobs
    return (
        f"about {whole:,.0f} s: {plan.limit} trials of {each:.2f} s, {plan.settings.n_jobs} at a time "
        f"(median fit and score of {len(seconds)} earlier runs)"
    )


def _read_seconds(plan: SearchPlan) -> Iterator[float]:
    """Read how long recent fits of these models took on this data set."""
    files = sorted((plan.home / "multirun").glob(f"*/*/**/{OUTCOME_FILE}"), reverse=True)[:RECENT_RUNS]
    label = f"name: {plan.first.composition['dataset']['name']}\n"
    for file in files:
        config = file.parent / ".hydra" / "config.yaml"
        text = config.read_text() if config.exists() else ""
        if label in text and any(f"name: {model}\n" in text for model in plan.space.models):
            outcome = json.loads(file.read_text())
            if outcome.get("fit_seconds") is not None:
                yield outcome["fit_seconds"] + outcome["score_seconds"]

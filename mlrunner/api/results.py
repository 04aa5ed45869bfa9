"""Results of `mlrunner.run` and `mlrunner.sweep`; a notebook shows them as tables."""

from __future__ import annotations

import html
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import pandas as pd

from mlrunner.core.formatting import format_number
from mlrunner.core.metric_names import DATA_PARTS
from mlrunner.core.outcome import Outcome

COLUMNS = ["number", "name", "status", "objective", "seconds", "run_id", "error"]  # before the metrics


@dataclass(frozen=True)
class Run:
    """A finished run.

    Args:
        run_id: Id of the MLflow run.
        name: Overrides of the run, or the name that was set.
        metric: Name of the objective's metric.
        objective: Value of that metric on the validation rows, or its mean over the folds.
        metrics: All metrics by part and name, like `test/r2`.
        folder: Folder of the run.
        model_uri: Address of the saved model in MLflow; None when no model was saved.
        gate: Decision of the gate, with the keys `open` and `reason`; None without gate and deployer.
        deployment: Deployment, with the keys `name`, `version`, `url` and `where`; None when nothing was deployed.
        seconds: Wall time.
        warnings: Warnings about the data and the scores, with the keys `name` and `text`.
        columns: `used` columns, `left_out` ones by reason, the format of each of `dates`, and `unreadable` values.
    """

    run_id: str
    name: str
    metric: str
    objective: float
    metrics: dict[str, float] = field(repr=False)
    folder: Path = field(repr=False)
    model_uri: str | None = None
    gate: dict[str, Any] | None = None
    deployment: dict[str, Any] | None = None
    seconds: float = field(default=float("nan"), repr=False)
    warnings: list[dict[str, str]] = field(default_factory=list, repr=False)
    columns: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def frame(self) -> pd.DataFrame:
        """Metrics, with a row for each metric and a column for each part (train, validation or cv, test)."""
        import pandas as pd

        parts = [part for part in DATA_PARTS if any(name.startswith(f"{part}/") for name in self.metrics)]
        names = list(dict.fromkeys(name.partition("/")[2] for name in self.metrics if "/" in name))
        rows = {name: [self.metrics.get(f"{part}/{name}") for part in parts] for name in names}
        return pd.DataFrame.from_dict(rows, orient="index", columns=parts, dtype=float)

    @property
    def model(self) -> Any:
        """The saved pipeline, from raw rows to predictions.

        Raises:
            ConfigError: When the run saved no model.
        """
        return load_model(self.run_id, self.model_uri)

    def _repr_html_(self) -> str:
        name = html.escape(self.name)
        head = f"<p><b>{name}</b> ({self.run_id[:8]}): {html.escape(self.metric)} {format_number(self.objective)}</p>"
        return head + str(self.frame.to_html(float_format=format_number, na_rep="-"))


def load_model(run_id: str, model_uri: str | None) -> Any:
    """Load the saved pipeline of a run.

    Args:
        run_id: Id of the run, for the message.
        model_uri: Address of the model; None when the run saved none.

    Raises:
        ConfigError: When the run saved no model.
        StoreError: When it cannot be read, or holds types that are not trusted.
    """
    from mlrunner.core.errors import ConfigError

    if model_uri is None:
        raise ConfigError(
            f"Run {run_id[:8]} saved no model; set tracking.log_model=true for a run, or tracking.keep_models=all for "
            "the trials of a search."
        )
    from mlrunner.tracking import model_registry

    return model_registry.load_model(model_uri)


def make_run(outcome: Outcome) -> Run:
    """Make the result of a single run.

    Args:
        outcome: Outcome of the run.
    """
    values = {item.name: getattr(outcome, item.name) for item in fields(Run)}
    return Run(**{**values, "folder": Path(outcome.folder)})


@dataclass(frozen=True)
class Sweep:
    """A finished grid or search.

    Args:
        folder: Folder of the sweep.
        metric: Name of the first objective's metric.
        best: Best trial; None when no trial finished.
        winner: Refit of a search's best trial, with its model and test scores; None for a grid.
        frame: Table of the trials, best first: number, name, status, objective, seconds, run_id, error, and all
            metrics.
    """

    folder: Path
    metric: str
    best: Run | None
    winner: Run | None
    frame: pd.DataFrame = field(repr=False)

    @property
    def id(self) -> str:
        """Name of the sweep on the command line, DAY/TIME."""
        return "/".join(self.folder.parts[-2:])

    def _repr_html_(self) -> str:
        best = "no trial finished" if self.best is None else f"best {html.escape(self.best.name)}"
        best += "" if self.winner is None else f", refitted as run {self.winner.run_id[:8]}"
        table = self.frame[["number", "name", "status", "objective", "seconds", "run_id"]]
        head = f"<p><b>{html.escape(self.id)}</b>: {best}</p>"
        return head + str(table.to_html(index=False, float_format=format_number, na_rep="-"))


def parse_sweep(document: Any) -> Sweep:
    """Make the result of a sweep from its JSON output.

    Args:
        document: List of a grid's outcomes, or summary of a search.
    """
    import pandas as pd

    from mlrunner.core.outcome import parse_outcome

    trials = document if isinstance(document, list) else document["trials"]
    outcomes = [parse_outcome(trial) for trial in trials]
    rows = [
        {"number": outcome.job, **{name: getattr(outcome, name) for name in COLUMNS[1:]}, **outcome.metrics}
        for outcome in outcomes
    ]
    first = next((outcome for outcome in outcomes if outcome.status == "FINISHED" and outcome.run_id is not None), None)
    folder = Path(document["folder"]) if isinstance(document, dict) else Path(trials[0]["folder"]).parent
    metric = outcomes[0].metric if outcomes else "objective"
    best = None if first is None else make_run(first)
    refit = document.get("winner") if isinstance(document, dict) else None
    winner = None
    if best is not None and refit is not None:
        winner = replace(best, name=f"winner,{best.name}", seconds=float("nan"), **refit)
    return Sweep(folder, metric, best, winner, pd.DataFrame(rows, columns=None if rows else COLUMNS))


def name_of(run: str | Run | Sweep) -> str:
    """Return the name of a run or a sweep on the command line; a text is returned as it is."""
    return run.run_id if isinstance(run, Run) else run.id if isinstance(run, Sweep) else str(run)

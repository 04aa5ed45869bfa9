"""What Python gets from `mlrunner.run` and `mlrunner.sweep`; a notebook shows them as tables."""

from __future__ import annotations

import html
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlrunner.core.formatting import format_number
from mlrunner.core.metric_names import DATA_PARTS

if TYPE_CHECKING:
    import pandas as pd

    from mlrunner.core.outcome import Outcome


COLUMNS = ["number", "name", "status", "objective", "seconds", "run_id", "error"]  # of a table of trials


@dataclass(frozen=True)
class Run:
    """A run that came to its end.

    Args:
        run_id: Of MLflow.
        name: What differs from the default composition, or the name that was given.
        metric: The objective's.
        objective: Its value: of the validation rows, or the mean over the folds.
        metrics: All of them, by part and name.
        folder: Of the run.
        model_uri: MLflow's address of the saved model; None when none was saved.
        gate: `open` and `reason`; None when no gate and no deployer was chosen.
        deployment: `name`, `version`, `url` and `where`; None when nothing was deployed.
        seconds: Wall time.
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

    @property
    def frame(self) -> pd.DataFrame:
        """The metrics: a row a metric, a column a part (train, validation or cv, test)."""
        import pandas as pd

        parts = [part for part in DATA_PARTS if any(name.startswith(f"{part}/") for name in self.metrics)]
        names = list(dict.fromkeys(name.partition("/")[2] for name in self.metrics if "/" in name))
        rows = {name: [self.metrics.get(f"{part}/{name}") for part in parts] for name in names}
        return pd.DataFrame.from_dict(rows, orient="index", columns=parts, dtype=float)

    @property
    def model(self) -> Any:
        """The saved pipeline, from raw rows to predictions.

        Raises:
            ConfigError: When the run saved none.
        """
        from mlrunner.core.errors import ConfigError

        if self.model_uri is None:
            raise ConfigError(
                f"Run {self.run_id[:8]} saved no model; a run does with tracking.log_model=true, a trial with "
                "tracking.keep_models=all, and the winner of a search by itself."
            )
        import mlflow

        return mlflow.sklearn.load_model(self.model_uri)

    def _repr_html_(self) -> str:
        name = html.escape(self.name)
        head = f"<p><b>{name}</b> ({self.run_id[:8]}): {html.escape(self.metric)} {format_number(self.objective)}</p>"
        return head + str(self.frame.to_html(float_format=format_number, na_rep="-"))


def make_run(outcome: Outcome) -> Run:
    """Turn what became of a composition into a result."""
    return Run(
        run_id=str(outcome.run_id),
        name=outcome.name,
        metric=outcome.metric,
        objective=outcome.objective,
        metrics=dict(outcome.metrics),
        folder=Path(outcome.folder),
        model_uri=outcome.model_uri,
        gate=outcome.gate,
        deployment=outcome.deployment,
        seconds=outcome.seconds,
    )


@dataclass(frozen=True)
class Sweep:
    """A grid or a search that came to its end.

    Args:
        folder: Of the sweep.
        metric: The first objective's.
        best: The best trial; None when none came to its end.
        winner: The refit of a search's best trial, with the model and the scores of the test; None of a grid.
        frame: A row a trial, best first: number, name, status, objective, seconds, run_id, error, and every metric.
    """

    folder: Path
    metric: str
    best: Run | None
    winner: Run | None
    frame: pd.DataFrame = field(repr=False)

    @property
    def id(self) -> str:
        """What the verbs call it: DAY/TIME."""
        return "/".join(self.folder.parts[-2:])

    def _repr_html_(self) -> str:
        best = "no trial came to its end" if self.best is None else f"best {html.escape(self.best.name)}"
        best += "" if self.winner is None else f", refitted as run {self.winner.run_id[:8]}"
        shown = self.frame[["number", "name", "status", "objective", "seconds", "run_id"]]
        head = f"<p><b>{html.escape(self.id)}</b>: {best}</p>"
        return head + str(shown.to_html(index=False, float_format=format_number, na_rep="-"))


def parse_sweep(told: Any) -> Sweep:
    """Turn what a sweep printed as JSON into a result.

    Args:
        told: The list of a grid's outcomes, or the summary of a search.
    """
    import pandas as pd

    from mlrunner.core.outcome import Outcome

    trials = told if isinstance(told, list) else told["trials"]
    nan = float("nan")
    numbers = ("objective", "seconds", "fit_seconds", "score_seconds")
    outcomes = [Outcome(**{**one, **{key: nan if one[key] is None else one[key] for key in numbers}}) for one in trials]
    rows = [
        {
            "number": one.job,
            "name": one.name,
            "status": one.status,
            "objective": one.objective,
            "seconds": one.seconds,
            "run_id": one.run_id,
            "error": one.error,
            **one.metrics,
        }
        for one in outcomes
    ]
    first = next((one for one in outcomes if one.status == "FINISHED" and one.run_id is not None), None)
    folder = Path(told["folder"]) if isinstance(told, dict) else Path(trials[0]["folder"]).parent
    metric = outcomes[0].metric if outcomes else "objective"
    best = None if first is None else make_run(first)
    refit = told.get("winner") if isinstance(told, dict) else None
    winner = None if best is None or refit is None else replace(best, name=f"winner,{best.name}", seconds=nan, **refit)
    return Sweep(folder, metric, best, winner, pd.DataFrame(rows, columns=None if rows else COLUMNS))


def name_of(what: str | Run | Sweep) -> str:
    """Say what the verbs call a run or a sweep; a text is that already."""
    return what.run_id if isinstance(what, Run) else what.id if isinstance(what, Sweep) else str(what)

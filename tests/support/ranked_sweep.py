"""A study with the folders of its trials, without any fit."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import FloatDistribution
from optuna.storages import InMemoryStorage
from optuna.trial import TrialState, create_trial

from mlrunner.core.outcome import Outcome
from mlrunner.search import study_setup
from mlrunner.search.dimension import Dimension
from mlrunner.search.objective import Objectives
from mlrunner.search.space import Space
from mlrunner.search.trial import TRIAL_RESULT_FILE, TrialResult
from mlrunner.search.trial_attributes import FOLDER, OVERRIDES, VOID
from tests.support.sweeps import build_settings

NAN = math.nan
COMPLETE, PRUNED, FAIL = TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL
RUNNING, WAITING = TrialState.RUNNING, TrialState.WAITING
UP, DOWN = Objectives(("r2",), ("maximize",)), Objectives(("rmse",), ("minimize",))
BOTH = Objectives(("r2", "fit_seconds"), ("maximize", "minimize"))
X = FloatDistribution(0, 1)
SPACE = Space((("dataset=olist", None),), (Dimension("rf:model.x", "model.x", X, "interval(0,1)", "rf"),), "rf")


@dataclass
class RankedSweep:
    """A study and the folders of its trials."""

    folder: Path
    objectives: Objectives = UP
    study: optuna.Study = field(init=False)

    def __post_init__(self) -> None:
        directions: Any = list(self.objectives.directions)
        self.study = study_setup.open_study(InMemoryStorage(), "day/time", directions, build_settings())

    def add(self, *values: float, state: TrialState = COMPLETE, void: str | None = None, **more: Any) -> int:
        """Add a trial; `scores` and `error` go into its folder."""
        number = len(self.study.get_trials())
        folder = self.folder / str(number)
        attributes: dict[str, Any] = {FOLDER: str(folder), OVERRIDES: ["dataset=olist", f"model.x={number / 100}"]}
        attributes |= more.get("attributes", {})
        trial = create_trial(
            state=state,
            values=list(values) if state == COMPLETE else None,
            params={"rf:model.x": number / 100},
            distributions={"rf:model.x": X},
            user_attrs={**attributes, **({VOID: void} if void is not None else {})},
        )
        self.study.add_trial(trial)
        if state in (COMPLETE, PRUNED, FAIL) and not more.get("lost"):
            self.write(folder, number, values[0] if values else NAN, state, more)
        return number

    def write(self, folder: Path, number: int, value: float, state: TrialState, more: dict[str, Any]) -> None:
        folder.mkdir()
        result = TrialResult(
            number,
            state.name,
            scores=more.get("scores", [value]),
            held_out_ratio=1.0,
            replicates=more.get("replicates"),  # type: ignore[arg-type]
        )
        (folder / TRIAL_RESULT_FILE).write_text(json.dumps(asdict(result)))
        outcome = Outcome(
            f"x={number}", state.name, "r2", "maximize", value, 1.5, 1.0, 0.5, {}, f"run{number}", None, str(folder),
            number, more.get("error"),
        )  # fmt: skip
        outcome.write(folder)

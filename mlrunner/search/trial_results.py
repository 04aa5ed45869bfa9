"""The results of trials: in their folders, and for other machines also in a study that they may share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pydantic

from mlrunner.core.outcome import OUTCOME_FILE
from mlrunner.core.redaction import redact
from mlrunner.search.trial import TRIAL_RESULT_FILE, TrialResult
from mlrunner.search.trial_attributes import FOLDER
from mlrunner.search.trial_progress import describe_result
from mlrunner.tracking import sweep_runs

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial, Trial

    from mlrunner.search.objective import Objectives

RESULT = "result"  # attribute of a trial in a study that other machines may share
ADAPTER = pydantic.TypeAdapter(TrialResult)


def store_result(trial: Trial, result: TrialResult, folder: Path, is_shared: bool) -> None:
    """Store the result of a trial.

    Args:
        trial: Trial that has finished.
        result: Its result.
        folder: Its folder.
        is_shared: Whether the study may be shared with other machines, which do not have the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    result.write(folder)
    trial.set_user_attr(FOLDER, str(folder))
    if is_shared:
        texts = {name: text and redact(text) for name, text in (("error", result.error), ("trace", result.trace))}
        trial.set_user_attr(RESULT, {**asdict(result), **texts})


def restore_results(study: Study, parent: str, objectives: Objectives) -> None:
    """Write the results of trials that ran on other machines into the folder of the search.

    A trial without a run in MLflow gets no `result.json`, so that it is recorded as any that a killed session has left.
    """
    missing = list(_list_missing(study))
    runs = sweep_runs.list_recorded(parent) if missing else {}
    for trial, result in missing:
        folder = Path(trial.user_attrs[FOLDER])
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / TRIAL_RESULT_FILE).exists():
            result.write(folder)
        if trial.number in runs:
            run_id, name = runs[trial.number]
            replace(describe_result(result, name, folder, objectives), run_id=run_id).write(folder)


def _list_missing(study: Study) -> Iterator[tuple[FrozenTrial, TrialResult]]:
    """List the trials whose record is not in the folder of the search; what lies elsewhere, a stranger has written."""
    sweep = Path(str(study.user_attrs.get(FOLDER)))
    for trial in study.get_trials(deepcopy=False):
        folder = Path(str(trial.user_attrs.get(FOLDER)))
        is_below = folder.is_relative_to(sweep) and ".." not in folder.parts
        is_recorded = (folder / OUTCOME_FILE).exists()
        if trial.state.is_finished() and RESULT in trial.user_attrs and is_below and not is_recorded:
            try:
                result = ADAPTER.validate_python(trial.user_attrs[RESULT])
            except pydantic.ValidationError:
                continue
            yield trial, replace(result, number=trial.number)

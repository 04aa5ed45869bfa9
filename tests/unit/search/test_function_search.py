"""Batches, values and results of a search over a function; `test_official_sweeper.py` runs whole programs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import optuna
import pytest
import yaml
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from optuna.distributions import IntDistribution
from optuna.trial import TrialState

from mlrunner.search.dimension import Dimension
from mlrunner.search.function_search import FunctionError, FunctionSearch, read_values, summarize, write_summary
from mlrunner.search.space import Space

SPACE = Space((("y=1", None),), (Dimension("x", "x", IntDistribution(1, 9), "range(1,10)"),), "")
Function = Callable[[dict[str, str]], Any]


class FunctionLauncher(Launcher):
    """Launcher that calls a function of the overrides."""

    def __init__(self, function: Function) -> None:
        self._function = function
        self.first: list[int] = []

    def setup(self, **_: Any) -> None:
        """Nothing to set up."""

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> list[JobReturn]:
        self.first.append(initial_job_idx)
        return [self._run(dict(text.split("=") for text in overrides)) for overrides in job_overrides]

    def _run(self, values: dict[str, str]) -> JobReturn:
        try:
            return finish(self._function(values))
        except OSError as error:
            return finish(error, JobStatus.FAILED)


def finish(value: Any, status: JobStatus = JobStatus.COMPLETED) -> JobReturn:
    job = JobReturn(overrides=["x=1"], status=status)
    job.return_value = value
    return job


def start(function: Function, rate: float = 0.0) -> FunctionSearch:
    return FunctionSearch(optuna.create_study(), SPACE, FunctionLauncher(function), None, rate)


def test_a_batch_is_launched_with_its_overrides_and_told() -> None:
    search = start(lambda values: int(values["x"]) + int(values["y"]))
    search.run_batch(4, 3)
    assert search.launcher.first == [4]  # type: ignore[attr-defined]
    assert [trial.values for trial in search.study.trials] == [[trial.params["x"] + 1] for trial in search.study.trials]


@pytest.mark.parametrize(("rate", "fails"), [(0.0, True), (0.4, True), (0.5, False), (1.0, False)])
def test_the_first_error_is_raised_when_more_of_a_batch_failed_than_allowed(rate: float, fails: bool) -> None:
    answers = iter([OSError("first"), 1, float("nan"), 2])

    def function(_: dict[str, str]) -> Any:
        answer = next(answers)
        if isinstance(answer, OSError):
            raise answer
        return answer

    search = start(function, rate)
    if fails:
        with pytest.raises(OSError, match="first"):
            search.run_batch(0, 4)
    else:
        search.run_batch(0, 4)
    states = [trial.state for trial in search.study.trials]
    assert states == [TrialState.FAIL, TrialState.COMPLETE, TrialState.FAIL, TrialState.COMPLETE]


def test_no_trial_is_left_running_when_the_launcher_fails() -> None:
    def function(_: dict[str, str]) -> Any:
        raise KeyboardInterrupt

    search = start(function)
    with pytest.raises(KeyboardInterrupt):
        search.run_batch(0, 2)
    assert [trial.state for trial in search.study.trials] == [TrialState.FAIL] * 2


@pytest.mark.parametrize(
    ("returned", "count", "values"),
    [(1, 1, [1.0]), ("2", 1, [2.0]), ([3], 1, None), ((1, 2), 2, [1.0, 2.0]), (float("inf"), 1, [float("inf")])],
)
def test_the_values_that_the_function_returns_are_read(returned: Any, count: int, values: list[float] | None) -> None:
    if values is None:
        with pytest.raises(FunctionError, match=r"^The function returned \[3\]; return a number\.$"):
            read_values(finish(returned), count)
    else:
        assert read_values(finish(returned), count) == values


@pytest.mark.parametrize("returned", [None, "deep", 5, [1], [1, 2, 3], [1, float("nan")]])
def test_other_values_are_refused(returned: Any) -> None:
    with pytest.raises(FunctionError, match=r"; return a list of 2 numbers, one for each direction\.$"):
        read_values(finish(returned), 2)


def test_the_summary_has_the_form_of_the_official_plugin(tmp_path: Path) -> None:
    study = optuna.create_study()
    with pytest.raises(FunctionError, match=r"^No trial completed and met the constraints"):
        summarize(study)
    study.add_trial(optuna.create_trial(params={"x": 2}, distributions={"x": IntDistribution(1, 9)}, value=0.5))
    write_summary(tmp_path / "new", summarize(study))
    text = (tmp_path / "new" / "optimization_results.yaml").read_text()
    assert yaml.safe_load(text) == {"name": "optuna", "best_params": {"x": 2}, "best_value": 0.5}
    front = optuna.create_study(directions=["minimize"] * 2)
    for values in ([1, 2], [2, 1], [3, 3]):
        front.add_trial(optuna.create_trial(values=values))
    solutions = [{"params": {}, "values": values} for values in ([1.0, 2.0], [2.0, 1.0])]
    assert summarize(front) == {"name": "optuna", "solutions": solutions}

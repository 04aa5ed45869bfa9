"""Trials through a launcher of Hydra: batches, folders, and the files that the jobs leave there."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hydra import initialize_config_dir
from hydra._internal.callbacks import Callbacks
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, RunMode
from omegaconf import DictConfig

from mlrunner.search.hydra_launcher import NOTE, LauncherExecutor, run_job
from mlrunner.search.trial import TRIAL_RESULT_FILE, TRIAL_TASK_FILE, TrialResult, TrialTask
from tests.support.trials import Data, family_settings, run_trial, scripted, sleeper

Start = Callable[..., LauncherExecutor]


class CountingLauncher:
    """Hydra's launcher, and the batches that it launched."""

    def __init__(self, launcher: Launcher) -> None:
        self.launcher = launcher
        self.batches: list[tuple[int, list[tuple[str, ...]]]] = []

    def launch(self, overrides: Any, initial_job_idx: int) -> Any:
        self.batches.append((initial_job_idx, list(overrides)))
        return self.launcher.launch(overrides, initial_job_idx)

    @property
    def numbers(self) -> list[list[int]]:
        return [[first + index for index in range(len(batch))] for first, batch in self.batches]


def run_hydra_job(cfg: DictConfig) -> float:
    """Run a trial, unless its configuration says that it dies before."""
    if cfg.dies:
        raise ValueError("no such machine")
    return run_job(Path(HydraConfig.get().runtime.output_dir))


@pytest.fixture
def launcher(tmp_path: Path) -> Iterator[CountingLauncher]:
    """Hydra's basic launcher, set up as a multirun sets it up."""
    conf = tmp_path / "conf"
    conf.mkdir()
    (conf / "config.yaml").write_text("dies: false\nx: 0\n")
    overrides = ["hydra/hydra_logging=disabled", "hydra/job_logging=disabled", f"hydra.sweep.dir={tmp_path}/sweep"]
    with initialize_config_dir(str(conf), version_base="1.3"):
        hydra = GlobalHydra.instance().hydra
        assert hydra is not None
        loader: Any = hydra.config_loader
        config = loader.load_configuration("config", overrides, RunMode.MULTIRUN)
        context = HydraContext(config_loader=loader, callbacks=Callbacks(config))
        basic = Plugins.instance().instantiate_launcher(
            hydra_context=context, task_function=run_hydra_job, config=config
        )
        yield CountingLauncher(basic)


@pytest.fixture
def start(launcher: CountingLauncher, tmp_path: Path) -> Start:
    """Start an executor over that launcher."""

    def start_executor(size: int = 2, dies: bool = False) -> LauncherExecutor:
        def locate(number: int) -> tuple[tuple[str, ...], Path]:
            return (f"x={number}", f"dies={str(dies).lower()}"), tmp_path / "sweep" / str(number)

        return LauncherExecutor(launcher, size, locate)

    return start_executor


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    return Data(tmp_path_factory.mktemp("launched") / "files")


def make_task(data: Data, number: int, **more: Any) -> TrialTask:
    return data.task(family_settings("ridge"), number=number, **more)


def drop_seconds(result: Any) -> TrialResult:
    assert isinstance(result, TrialResult)
    return replace(result, seconds=0.0, fit_seconds=0.0, score_seconds=0.0)


# Batches


def test_a_batch_is_launched_when_the_loop_waits(start: Start, launcher: CountingLauncher, data: Data) -> None:
    executor = start(3)
    start_time = time.monotonic()
    assert executor.wait(0.1) == []
    assert time.monotonic() - start_time >= 0.1, "the loop waits for what another machine leaves"
    rooms = [executor.room]
    for number in range(3):
        executor.submit(make_task(data, number))
        rooms.append(executor.room)
    assert (rooms, launcher.batches) == ([3, 2, 1, 0], [])
    assert [result.number for result in executor.wait(0.1)] == [0, 1, 2]
    assert executor.room == 3
    assert launcher.batches == [(0, [("x=0", "dies=false"), ("x=1", "dies=false"), ("x=2", "dies=false")])]


def test_a_launched_trial_returns_what_this_process_computes(start: Start, data: Data) -> None:
    """Its reports have no reader, so it is never pruned."""
    executor = start()
    tasks = [make_task(data, 0), make_task(data, 1, folds=True, prunes=True)]
    for task in tasks:
        executor.submit(task)
    for result, task in zip(executor.wait(0.1), tasks, strict=True):
        assert drop_seconds(result) == drop_seconds(run_trial(task))


@pytest.mark.parametrize(
    ("numbers", "batches"),
    [([3, 4, 7], [[3, 4], [7]]), ([7, 3, 4], [[7], [3, 4]])],
    ids=["gaps", "backwards"],
)
def test_only_consecutive_numbers_are_launched_together(
    numbers: list[int], batches: list[list[int]], start: Start, launcher: CountingLauncher, data: Data, tmp_path: Path
) -> None:
    """Hydra numbers the jobs of a launch consecutively, and names their folders by these numbers."""
    executor = start(4)
    for number in numbers:
        executor.submit(make_task(data, number))
    assert [event.number for event in executor.wait(0.1)] == numbers
    assert launcher.numbers == batches
    for number in numbers:
        folder = tmp_path / "sweep" / str(number)
        assert TrialResult.read(folder).number == number
        assert (folder / ".hydra" / "overrides.yaml").read_text() == f"- x={number}\n- dies=false\n"
        assert TrialTask.from_json((folder / TRIAL_TASK_FILE).read_text()) == make_task(data, number)


# Failures


def test_a_trial_that_fails_leaves_its_result(start: Start, data: Data) -> None:
    executor = start()
    executor.submit(data.task(scripted(raises="ValueError")))
    executor.submit(make_task(data, 1))
    first, second = executor.wait(0.1)
    assert isinstance(first, TrialResult)
    assert (first.state, first.error) == ("FAIL", "ValueError: no more")
    assert first.trace is not None
    assert isinstance(second, TrialResult)
    assert second.state == "COMPLETE"


def test_a_job_without_a_result_is_a_failed_trial(start: Start, data: Data, tmp_path: Path) -> None:
    """Numbers are not used twice, so a folder holds no result before its job has run."""
    executor = start(dies=True)
    for number in (0, 1):
        executor.submit(make_task(data, number))
    assert [path.name for path in (tmp_path / "sweep" / "0").iterdir()] == [TRIAL_TASK_FILE]
    error = "the job left no result: no such machine"
    assert executor.wait(0.1) == [TrialResult(0, "FAIL", error=error), TrialResult(1, "FAIL", error=error)]


@pytest.mark.parametrize("verb", ["kill", "close"])
def test_a_batch_can_be_abandoned(verb: str, start: Start, launcher: CountingLauncher, data: Data) -> None:
    executor = start()
    executor.submit(make_task(data, 0))
    executor.answer(0, True)
    getattr(executor, verb)()
    assert launcher.batches == []


def test_the_note_says_what_a_launcher_cannot_do() -> None:
    assert NOTE.format(name="hydra/launcher=joblib", size=4) == (
        "hydra/launcher=joblib runs 4 trials at a time and waits for all of them; it cannot prune, and a slow trial "
        "keeps the others waiting. hydra/launcher=basic keeps every worker busy, and executor=dask or ray does so "
        "on a cluster."
    )


# The job


def run_in_folder(folder: Path, task: TrialTask) -> tuple[float, TrialResult]:
    (folder / TRIAL_TASK_FILE).write_text(task.to_json())
    objective = run_job(folder)
    return objective, TrialResult.read(folder)


def test_a_job_returns_its_objective_and_writes_its_result(data: Data, tmp_path: Path) -> None:
    task = make_task(data, 6)
    objective, result = run_in_folder(tmp_path, task)
    assert objective == result.metrics["r2"]
    assert drop_seconds(result) == drop_seconds(run_trial(task))
    assert json.loads((tmp_path / TRIAL_RESULT_FILE).read_text())["number"] == 6


def test_a_job_that_fails_returns_nan(data: Data, tmp_path: Path) -> None:
    objective, result = run_in_folder(tmp_path, data.task(scripted(raises="MemoryError")))
    assert objective != objective
    assert (result.state, result.error) == ("FAIL", "MemoryError: no more")


def test_a_job_has_its_share_of_threads(data: Data, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    run_in_folder(tmp_path, data.task(sleeper(notes=str(notes)), threads=1))
    assert set(json.loads(next(notes.iterdir()).read_text())) == {1}

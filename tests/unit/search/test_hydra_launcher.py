"""Trials through a launcher of Hydra's own: batches, folders, and what the jobs leave there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
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

from mlrunner.search.hydra_launcher import NOTE, Launched, _runs, run_job
from mlrunner.search.trial import FOUND, TASK, Found, TrialTask, running
from tests.unit.search.trial.test_trial import LINEAR, Data, model, named

Made = Callable[..., Launched]


class Counted:
    """Hydra's launcher, and what it was asked for."""

    def __init__(self, launcher: Launcher) -> None:
        self.launcher = launcher
        self.batches: list[tuple[int, list[tuple[str, ...]]]] = []

    def launch(self, overrides: Any, initial_job_idx: int) -> Any:
        self.batches.append((initial_job_idx, list(overrides)))
        return self.launcher.launch(overrides, initial_job_idx)


def job(cfg: DictConfig) -> float:
    """What Hydra runs; the composition may say that it dies before its trial."""
    if cfg.dies:
        raise ValueError("no such machine")
    return run_job(Path(HydraConfig.get().runtime.output_dir))


@pytest.fixture
def launcher(tmp_path: Path) -> Iterator[Counted]:
    """Hydra's basic launcher, set up as a multirun sets it up."""
    conf = tmp_path / "conf"
    conf.mkdir()
    (conf / "config.yaml").write_text("dies: false\nx: 0\n")
    quiet = ["hydra/hydra_logging=disabled", "hydra/job_logging=disabled"]
    with initialize_config_dir(str(conf), version_base="1.3"):
        hydra = GlobalHydra.instance().hydra
        assert hydra is not None
        loader: Any = hydra.config_loader
        config = loader.load_configuration("config", [*quiet, f"hydra.sweep.dir={tmp_path}/sweep"], RunMode.MULTIRUN)
        context = HydraContext(config_loader=loader, callbacks=Callbacks(config))
        made = Plugins.instance().instantiate_launcher(hydra_context=context, task_function=job, config=config)
        yield Counted(made)


@pytest.fixture
def launched(launcher: Counted, tmp_path: Path) -> Made:
    """An executor over that launcher."""

    def make(size: int = 2, dies: bool = False) -> Launched:
        def place(number: int) -> tuple[tuple[str, ...], Path]:
            return (f"x={number}", f"dies={str(dies).lower()}"), tmp_path / "sweep" / str(number)

        return Launched(launcher, size, place)

    return make


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    return Data(tmp_path_factory.mktemp("launched") / "files")


def task(data: Data, number: int, **more: Any) -> TrialTask:
    return replace(data.task(named("ridge"), **more), number=number)


def unheard(*report: float) -> bool:
    del report
    return False


def same(one: Found, other: Found) -> bool:
    """Equal but for the seconds."""
    clock = {"seconds": 0.0, "fit_seconds": 0.0, "score_seconds": 0.0}
    return replace(one, **clock) == replace(other, **clock)  # type: ignore[arg-type]


# Batches


def test_a_batch_waits_until_it_is_full(launched: Made, launcher: Counted, data: Data) -> None:
    executor = launched(3)
    rooms = [executor.room]
    for number in range(3):
        executor.submit(task(data, number))
        rooms.append(executor.room)
    assert rooms == [3, 2, 1, 0]
    assert launcher.batches == []
    found = executor.wait(0.1)
    assert [one.number for one in found] == [0, 1, 2]
    assert executor.room == 3
    assert launcher.batches == [(0, [("x=0", "dies=false"), ("x=1", "dies=false"), ("x=2", "dies=false")])]


def test_a_launched_trial_finds_what_this_process_would(launched: Made, data: Data) -> None:
    executor = launched()
    tasks = [task(data, 0), task(data, 1, folds=True)]
    for one in tasks:
        executor.submit(one)
    for found, told in zip(executor.wait(0.1), tasks, strict=True):
        assert isinstance(found, Found)
        assert found.state == "COMPLETE"
        assert same(found, running.run(told, unheard))


def test_numbers_with_a_gap_keep_their_folders(launched: Made, launcher: Counted, data: Data, tmp_path: Path) -> None:
    executor = launched(4)
    for number in (3, 4, 7, 9):
        executor.submit(task(data, number))
    assert [event.number for event in executor.wait(0.1)] == [3, 4, 7, 9]
    assert [(first, len(batch)) for first, batch in launcher.batches] == [(3, 2), (7, 1), (9, 1)]
    folders = {path.parent.name: json.loads(path.read_text())["number"] for path in tmp_path.glob(f"sweep/*/{FOUND}")}
    assert folders == {"3": 3, "4": 4, "7": 7, "9": 9}


def test_hydra_records_the_composition_of_each(launched: Made, data: Data, tmp_path: Path) -> None:
    executor = launched()
    executor.submit(task(data, 5))
    executor.wait(0.1)
    folder = tmp_path / "sweep" / "5"
    assert (folder / ".hydra" / "overrides.yaml").read_text() == "- x=5\n- dies=false\n"
    assert TrialTask.read((folder / TASK).read_text()) == task(data, 5)


def test_nothing_to_launch_is_nothing_launched(launched: Made, launcher: Counted) -> None:
    assert launched().wait(0.1) == []
    assert launcher.batches == []


@pytest.mark.parametrize(
    ("numbers", "runs"),
    [
        ([], []),
        ([4], [[4]]),
        ([0, 1, 2], [[0, 1, 2]]),
        ([0, 2, 3, 5], [[0], [2, 3], [5]]),
        ([7, 3, 4], [[7], [3, 4]]),
    ],
    ids=["none", "one", "all", "gaps", "backwards"],
)
def test_a_batch_is_shared_out_into_runs_of_numbers(numbers: list[int], runs: list[list[int]], data: Data) -> None:
    assert [[one.number for one in run] for run in _runs([task(data, number) for number in numbers])] == runs


# What goes wrong


def test_a_trial_that_fails_is_told_by_its_folder(launched: Made, data: Data) -> None:
    executor = launched()
    broken = data.task(model("tests.unit.search.trial.test_trial.Scripted", LINEAR, raises="ValueError"))
    executor.submit(replace(broken, number=0))
    executor.submit(task(data, 1))
    first, second = executor.wait(0.1)
    assert isinstance(first, Found)
    assert (first.state, first.error) == ("FAIL", "ValueError: no more")
    assert first.trace is not None
    assert isinstance(second, Found)
    assert second.state == "COMPLETE"


def test_a_job_that_leaves_nothing_is_a_failed_trial(launched: Made, data: Data) -> None:
    executor = launched(dies=True)
    for number in (0, 1):
        executor.submit(task(data, number))
    error = "the job left no result: no such machine"
    assert executor.wait(0.1) == [Found(0, "FAIL", error=error), Found(1, "FAIL", error=error)]


def test_who_cannot_be_asked_goes_on(launched: Made, data: Data) -> None:
    executor = launched()
    executor.submit(task(data, 0, folds=True, prunes=True))
    (found,) = executor.wait(0.1)
    assert isinstance(found, Found)
    assert (found.state, len(found.scores)) == ("COMPLETE", 4)


@pytest.mark.parametrize("verb", ["kill", "close"])
def test_what_was_collected_can_be_left(verb: str, launched: Made, launcher: Counted, data: Data) -> None:
    executor = launched()
    executor.submit(task(data, 0))
    executor.answer(0, True)
    getattr(executor, verb)()
    assert launcher.batches == []


def test_what_a_launcher_cannot_do_is_said() -> None:
    assert NOTE.format(name="hydra/launcher=joblib", size=4) == (
        "hydra/launcher=joblib runs 4 trials at a time and waits for all of them; it cannot prune, and a slow trial "
        "keeps the others waiting. hydra/launcher=basic keeps every worker busy."
    )


# The job


def left(folder: Path, told: TrialTask) -> tuple[float, Found]:
    (folder / TASK).write_text(told.json())
    objective = run_job(folder)
    return objective, Found(**json.loads((folder / FOUND).read_text()))


def test_a_job_returns_its_objective_and_leaves_what_it_found(data: Data, tmp_path: Path) -> None:
    objective, found = left(tmp_path, task(data, 6))
    assert objective == found.metrics["r2"]
    assert same(found, running.run(task(data, 6), unheard))


def test_a_job_that_fails_returns_no_number(data: Data, tmp_path: Path) -> None:
    broken = data.task(model("tests.unit.search.trial.test_trial.Scripted", LINEAR, raises="MemoryError"))
    objective, found = left(tmp_path, broken)
    assert objective != objective
    assert (found.state, found.error) == ("FAIL", "MemoryError: no more")


@pytest.mark.parametrize("threads", [1, 2])
def test_a_job_has_its_share_of_threads(threads: int, data: Data, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    settings = model("tests.unit.search.test_workers.Sleeper", LINEAR, notes=str(notes))
    left(tmp_path, replace(data.task(settings), threads=threads))
    assert set(json.loads(next(notes.iterdir()).read_text())) == {threads}


def test_a_result_of_before_does_not_hide_a_job_that_died(launched: Made, data: Data, tmp_path: Path) -> None:
    """Numbers are never used twice, so a folder has no result before its job has run."""
    folder = tmp_path / "sweep" / "0"
    executor = launched(dies=True)
    executor.submit(task(data, 0))
    assert [path.name for path in folder.iterdir()] == [TASK]
    (found,) = executor.wait(0.1)
    assert asdict(found)["state"] == "FAIL"

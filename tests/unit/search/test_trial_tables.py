"""The tables of trials are made once for each choice of data, and read from files of this disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlrunner.core.arrow import map_table
from mlrunner.search.trial_preparation import TrialPreparer
from mlrunner.search.trial_tables import TableCache, build_task
from mlrunner.tracking.records.record import TEST_ROWS_TAG, VALIDATION_ROWS_TAG
from tests.support.search import HydraSweep
from tests.support.search_runs import TableMaker
from tests.support.sweeps import build_settings

DATA = ("sweep=optuna", "dataset=diabetes")
RIDGE = (*DATA, "model=ridge")


@pytest.fixture
def preparer(diabetes_sweep: HydraSweep) -> TrialPreparer:
    return TrialPreparer(diabetes_sweep.composer, 2, DATA)


def make_tables(preparer: TrialPreparer, folder: Path, **options: bool) -> TableMaker:
    return TableMaker(preparer.prepare(RIDGE).repeats[0].data.table, folder / "made", **options)


def test_trials_with_the_same_data_share_their_tables(preparer: TrialPreparer, tmp_path: Path) -> None:
    """Each of the two repeats has a split of its own."""
    maker = make_tables(preparer, tmp_path)
    cache = TableCache(maker, tmp_path / "copies")
    first = cache.get(preparer.prepare(RIDGE, 0))
    assert first.tags.keys() == {TEST_ROWS_TAG, VALIDATION_ROWS_TAG}
    assert cache.get(preparer.prepare((*RIDGE, "model.estimator.alpha=3"), 1)) == first
    assert len(maker.calls) == len(set(first.files)) == 2
    cache.get(preparer.prepare((*RIDGE, "cleaning=none"), 2))
    assert len(maker.calls) == 4
    assert not (tmp_path / "copies").exists()


@pytest.mark.parametrize("has_folds", [False, True], ids=["held out", "folds"])
def test_a_task_names_the_files_of_its_repeats(has_folds: bool, preparer: TrialPreparer, tmp_path: Path) -> None:
    maker = make_tables(preparer, tmp_path, has_folds=has_folds)
    trial = preparer.prepare((*RIDGE, "model.estimator.alpha=3", "tracking.keep_models=all"), 7)
    task = build_task(trial, TableCache(maker, tmp_path).get(trial), build_settings(n_jobs=1), "r2")
    assert (task.number, task.metric, task.task, task.roles.target) == (7, "r2", "regression", maker.raw.columns[-1])
    assert task.model_file == str(trial.folder / "model.joblib")
    for repeat, checked in zip(task.repeats, trial.repeats, strict=True):
        assert repeat.model == checked.composition["model"]
        assert len(map_table(repeat.train)) == len(maker.raw) // 3
        assert bool(repeat.folds) is not bool(repeat.validation)
        assert bool(repeat.folds) is has_folds


def test_tables_that_are_not_on_this_disk_are_copied_once(preparer: TrialPreparer, tmp_path: Path) -> None:
    maker = make_tables(preparer, tmp_path, is_remote=True)
    trial = preparer.prepare(RIDGE, 0)
    tables = TableCache(maker, tmp_path / "copies").get(trial)
    train, validation, folds = tables.files[0]
    assert (Path(train).parent, Path(validation).parent, folds) == (tmp_path / "copies", tmp_path / "copies", "")
    assert map_table(train).equals(tables.rows[0].train.load())
    before = Path(train).stat().st_mtime_ns
    maker.calls.clear()
    assert TableCache(maker, tmp_path / "copies").get(trial).files == tables.files
    assert Path(train).stat().st_mtime_ns == before

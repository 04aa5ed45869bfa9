"""The data of fits: learned once for all trials that differ in the estimator only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mlrunner.core.build import build
from mlrunner.search.trial.fit_data import FitData, FitDataCache, number_folds
from mlrunner.search.trial.running import TrialRunner
from tests.support.trials import LINEAR, Data, family_settings, make_rows, model_settings, run_complete


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    return Data(tmp_path_factory.mktemp("fit_data") / "files")


def get(cache: FitDataCache, data: Data, settings: dict[str, Any], fold: int | None = None) -> FitData:
    task = data.task(settings, folds=fold is not None)
    return cache.get(task, task.repeats[0], fold, build(settings, "model"))


def seeded(seed: int) -> dict[str, Any]:
    return model_settings("sklearn.linear_model.Ridge", {**LINEAR, "seed": seed})


def test_trials_that_differ_in_the_estimator_share_their_data(data: Data) -> None:
    cache = FitDataCache()
    first = get(cache, data, family_settings("ridge"))
    assert get(cache, data, family_settings("ridge", alpha=7.0)) is first
    assert get(cache, data, family_settings("rf")) is first


def test_other_features_and_other_rows_have_other_data(data: Data, tmp_path: Path) -> None:
    cache = FitDataCache()
    others = Data(tmp_path / "others", train=make_rows(100, 9))
    first = get(cache, data, family_settings("ridge"))
    assert get(cache, data, model_settings("sklearn.linear_model.Ridge", {**LINEAR, "scale": "robust"})) is not first
    assert get(cache, others, family_settings("ridge")) is not first
    assert len(cache.entries) == 3


@pytest.mark.parametrize(("folds", "entries"), [(False, 1), (True, 4)], ids=["held out", "folds"])
def test_a_runner_loads_each_fold_once(folds: bool, entries: int, data: Data) -> None:
    runner = TrialRunner()
    for alpha in (1.0, 2.0, 3.0):
        run_complete(data.task(family_settings("ridge", alpha=alpha), folds=folds), runner=runner)
    assert len(runner.data.entries) == entries


def test_the_data_used_longest_ago_are_dropped_first(data: Data) -> None:
    cache = FitDataCache(size=2)
    first, second = get(cache, data, seeded(0)), get(cache, data, seeded(1))
    assert get(cache, data, seeded(0)) is first
    get(cache, data, seeded(2))
    assert get(cache, data, seeded(0)) is first
    assert get(cache, data, seeded(1)) is not second
    assert len(cache.entries) == 2


def test_a_fold_splits_the_training_rows(data: Data) -> None:
    repeat = data.task(family_settings("ridge"), folds=True).repeats[0]
    assert list(number_folds(repeat)) == [0, 1, 2, 3]
    fold = get(FitDataCache(), data, family_settings("ridge"), fold=2)
    inside = data.numbers == 2
    assert fold.validation_target.index.tolist() == data.train.index[inside].tolist()
    assert fold.train_target.index.tolist() == data.train.index[~inside].tolist()


def test_without_folds_there_is_one_fit(data: Data) -> None:
    repeat = data.task(family_settings("ridge")).repeats[0]
    assert list(number_folds(repeat)) == [None]


def test_learned_arrays_are_read_only(data: Data) -> None:
    fit = get(FitDataCache(), data, family_settings("ridge"))
    for array in (fit.train.to_numpy(), fit.validation.to_numpy()):
        with pytest.raises(ValueError, match="WRITEABLE"):
            array.setflags(write=True)

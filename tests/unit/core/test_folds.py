"""The table of folds: what each fold trains on, stops on and holds out, worked out by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mlrunner.core.folds import (
    BETWEEN,
    FINAL,
    FIT,
    HELD_OUT,
    STOP,
    UNUSED,
    compute_held_out_ratio,
    list_folds,
    mark_partition,
    select_final_rows,
    select_held_out_rows,
)

# Two folds of six rows that are sorted by time, and the final model, which does not train on the oldest row.
WINDOWS = pd.DataFrame(
    {
        "0": [FIT, STOP, HELD_OUT, UNUSED, UNUSED, UNUSED],
        "1": [UNUSED, FIT, BETWEEN, STOP, UNUSED, HELD_OUT],
        FINAL: [UNUSED, FIT, FIT, FIT, STOP, STOP],
    },
    index=[*"abcdef"],
)


def test_a_fold_has_the_positions_of_its_rows() -> None:
    folds = list_folds(WINDOWS)
    assert [fold.train.tolist() for fold in folds] == [[0, 1], [1, 2, 3]]
    assert [fold.held_out.tolist() for fold in folds] == [[2], [5]]
    assert [fold.marks.tolist() for fold in folds] == [[FIT, STOP], [FIT, BETWEEN, STOP]]
    assert list_folds(pd.DataFrame()) == list_folds(WINDOWS.head(0)) == []


def test_the_final_model_trains_on_its_rows_and_without_folds_on_all() -> None:
    table = pd.DataFrame({"x": range(6)}, index=WINDOWS.index)
    assert select_final_rows(table, WINDOWS).index.tolist() == [*"bcdef"]
    assert select_final_rows(table, pd.DataFrame()) is table
    assert select_final_rows(table, mark_partition([0, 1, 2, 0, 1, 2])) is table


def test_the_held_out_rows_are_known_by_their_labels_and_folds() -> None:
    expected = pd.DataFrame({"0": [True, False], "1": [False, True]}, index=["c", "f"])
    pd.testing.assert_frame_equal(select_held_out_rows(WINDOWS), expected)


def test_folds_of_a_partition_train_on_all_others_and_stop_on_the_first() -> None:
    marks = mark_partition([2, 0, 1, 0])
    assert marks["0"].tolist() == [FIT, HELD_OUT, STOP, HELD_OUT]
    assert marks["1"].tolist() == [FIT, STOP, HELD_OUT, STOP]
    assert marks["2"].tolist() == [HELD_OUT, STOP, FIT, STOP]
    assert marks[FINAL].tolist() == [FIT, STOP, FIT, STOP]
    assert list(marks) == ["0", "1", "2", FINAL]


@pytest.mark.parametrize(
    ("folds", "ratio"),
    [
        (WINDOWS, 2 / 5),  # one row of each fold is held out; they train on 2 and 3
        (mark_partition(np.arange(10) % 5), 1 / 4),
        (mark_partition([0, 0, 0, 1, 2]), 1 / 2),  # 5 rows are held out once, and each trains twice
    ],
    ids=["windows", "five folds", "unlike folds"],
)
def test_the_ratio_of_held_out_to_training_rows(folds: pd.DataFrame, ratio: float) -> None:
    assert compute_held_out_ratio(folds) == pytest.approx(ratio)

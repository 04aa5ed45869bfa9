"""Placeholders replace invalid values, so that one mistake is reported once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from omegaconf import DictConfig, OmegaConf

from mlrunner.composition import stand_ins
from mlrunner.core.column_roles import Task
from mlrunner.core.errors import ConfigError, ProblemsError

Compose = Callable[[list[str]], DictConfig]


def test_a_complete_composition_passes(compose: Compose) -> None:
    stand_ins.refuse_missing(compose([]), ["seed=1", "model='rf'"])


def test_deleted_groups_and_overrides_without_value_are_refused(compose: Compose) -> None:
    overrides = ["~gate", "seed=", "++model.estimator.max_depth="]
    with pytest.raises(ProblemsError) as refused:
        stand_ins.refuse_missing(compose(["~gate"]), overrides)
    assert [sentence.split()[0] for sentence in refused.value.problems] == [
        "gate",
        "seed=",
        "model.estimator.max_depth=",
    ]
    assert "one of all_of, champion," in refused.value.problems[0]


@pytest.mark.parametrize(
    ("value", "task"), [("regression", "regression"), (None, None), ("clustering", None), ("${nope}", None)]
)
def test_the_declared_task_is_read(value: str | None, task: str | None) -> None:
    assert stand_ins.declared_task(OmegaConf.create({"dataset": {"task": value}})) == task


@pytest.mark.parametrize(
    ("model", "task", "expected"),
    [
        ("linear_regression", None, "regression"),
        ("logistic_regression", None, "classification"),
        ("rf", None, "regression"),
        ("logistic_regression", "regression", "regression"),
    ],
)
def test_an_unknown_task_is_one_that_the_model_can_do(
    compose: Compose, model: str, task: Task | None, expected: str
) -> None:
    cfg = compose([f"model={model}", "dataset.task=null"])
    assert stand_ins.with_task(cfg, task).dataset.task == expected
    assert cfg.dataset.task is None


def test_an_invalid_seed_is_replaced_in_a_copy(compose: Compose) -> None:
    cfg = compose(["seed=x", "threads=2"])
    valid = stand_ins.with_stand_ins(cfg)
    assert (valid.seed, valid.threads, valid.split.seed, cfg.seed) == (0, 2, 0, "x")
    assert stand_ins.with_stand_ins(valid) is valid


def test_a_model_that_cannot_do_the_task_is_refused(compose: Compose) -> None:
    stand_ins.refuse_task(compose(["model=rf"]), "classification")
    with pytest.raises(
        ConfigError, match=r"^model=linear_regression does not do classification, .*models that do: catboost, "
    ):
        stand_ins.refuse_task(compose(["model=linear_regression"]), "classification")

"""The rules between config groups that need no composition of their own to be seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from mlrunner.composition import metric_rules, rules
from mlrunner.composition.findings import Data, Findings
from mlrunner.core.build import build
from mlrunner.groups.cleaning import KeepAll
from mlrunner.groups.deployer import NoDeployer
from mlrunner.groups.gate import NoGate
from tests.support.trials import model_settings

Rule = Callable[[Findings], Iterator[str]]


def findings(table: pd.DataFrame | None = None, **built: object) -> Findings:
    group = {"_target_": "mlrunner.groups.dataset.TableDataset", "name": "csv", "path": "a.csv", "target": "y"}
    data = None if table is None else Data(build(group, "dataset"), table, "digest", "regression")
    parts = dict.fromkeys(("cleaning", "split", "model", "stack", "gate", "deployer")) | built
    return Findings(data, "regression", parts, "r2", Path("/home"))


@pytest.mark.parametrize("rule", rules.RULES)
def test_a_rule_skips_parts_that_could_not_be_built(rule: Rule) -> None:
    assert list(rule(findings())) == []


def test_rows_without_a_target_are_not_labeled() -> None:
    data = findings(pd.DataFrame({"x": [1, 2], "y": [None, 1.0]})).data
    assert data is not None
    assert list(data.labeled_rows["x"]) == [2]
    empty = findings(pd.DataFrame({"x": [1]})).data
    assert empty is not None
    assert empty.labeled_rows.empty


def test_a_column_that_the_data_does_not_have_is_refused() -> None:
    problems = list(
        rules.check_columns(findings(pd.DataFrame({"size": [1], "y": [1]}), cleaning=KeepAll(drop=["siz"])))
    )
    assert problems == [
        "cleaning.drop names 'siz', which csv (a.csv) does not have; its columns are size, y. Did you mean 'size'?"
    ]


def test_a_search_may_minimize_costs() -> None:
    several = Findings(None, None, {}, ["accuracy", "fit_seconds"], Path())
    assert list(metric_rules.check_objective(several)) == []
    alone = Findings(None, None, {}, "fit_seconds", Path())
    assert [problem.split()[0] for problem in metric_rules.check_objective(alone)] == ["objective.metric=fit_seconds"]


def test_without_gate_and_deployer_nothing_is_refused() -> None:
    parts = findings(gate=NoGate(), deployer=NoDeployer())
    assert list(rules.check_gate(parts)) == list(rules.check_deployment(parts)) == []


def test_weights_need_an_estimator_that_takes_them() -> None:
    table = pd.DataFrame({"x": [1, 2], "y": [1.0, 2]})
    for target, is_refused in (("sklearn.linear_model.Ridge", False), ("sklearn.neighbors.KNeighborsRegressor", True)):
        parts = findings(table, model=build(model_settings(target), "model"))
        assert parts.data is not None
        weighted = replace(parts.data, dataset=replace(parts.data.dataset, weight="x"))
        problems = list(rules.check_weights(replace(parts, data=weighted)))
        assert list(rules.check_weights(parts)) == []
        message = (
            "dataset.weight: the fit of KNeighborsRegressor takes no weights; choose another model, or leave "
            "dataset.weight null."
        )
        assert problems == ([message] if is_refused else [])

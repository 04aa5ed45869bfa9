"""Classes, folders and interpolations that a composition from a store may have."""

from __future__ import annotations

from typing import Any

import pytest

from mlrunner.composition.trust import TRUST_VARIABLE, refuse_foreign
from mlrunner.core.errors import ProblemsError


@pytest.mark.parametrize(
    "config",
    [
        {"_target_": "mlrunner.groups.split.RandomDivide", "seed": "${seed}"},
        {"estimator": {"_target_": "sklearn.svm.SVR"}},
        {"estimator": {"_target_": "${model.targets.${dataset.task}}"}},
        {"targets": {"regression": "xgboost.XGBRegressor", "classification": "lightgbm.LGBMClassifier"}},
        {"path": "${oc.env:MLRUNNER_PROJECT}/data/table.csv"},
        {"path": "os.system"},
        {"estimator": {"memory": None}},
        {"metric": "${objective.default.${dataset.task}}"},
        {"targets": "price"},
        "rf",
        None,
    ],
)
def test_our_classes_and_those_of_model_libraries_are_accepted(config: Any) -> None:
    refuse_foreign({"model": config}, ["model", "absent"])


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"_target_": "os.system"}, r"model\._target_=os\.system comes from the run .* set MLRUNNER_TRUSTED=os in"),
        ({"a": [{"_target_": "subprocess.run"}]}, r"model\.a\.0\._target_=subprocess\.run comes from the run"),
        ({"targets": {"regression": "evil.Model"}}, r"model\.targets\.regression=evil\.Model comes from the run"),
        ({"_target_": "sklearnx.Evil"}, r"model\._target_=sklearnx\.Evil comes"),
        ({"url": "${oc.env:PASSWORD}"}, r"model\.url reads the variable PASSWORD .* set MLRUNNER_TRUSTED=env:PASSWORD"),
        ({"url": "${ oc.env: PASSWORD, x }"}, r"model\.url reads the variable PASSWORD"),
        ({"url": "${oc.decode:${x}}"}, r"model\.url asks for .* may not;"),
        ({"url": "${oc.env:MLRUNNER_NOPE,${oc.env:SECRET}}"}, r"model\.url reads the variable SECRET"),
        ({"url": '${oc.env:MLRUNNER_NOPE,"}${oc.env:SECRET}"}'}, r"model\.url reads the variable SECRET"),
        ({"x": "oc.env", "url": "${${model.x}:SECRET}"}, r"model\.url asks for .* may not;"),
        ({"x": "env", "url": "${oc.${model.x}:SECRET}"}, r"model\.url asks for .* may not;"),
        ({"url": "${oc.env:${model.x}}"}, r"model\.url asks for oc\.env:\$\{\.\.\.\}, which .* may not;"),
        ({"url": "${oc.env:MLRUNNER_TOKEN}"}, r"model\.url reads the variable MLRUNNER_TOKEN"),
        ({"url": "${stack.token}"}, r"model\.url refers to \$\{stack\.token\}, which .* may not"),
        ({"url": "http://x/${..stack[token]}"}, r"model\.url refers to \$\{\.\.stack\[token\]\}, which"),
        ({"x": "..stack.token", "url": "${${model.x}}"}, r"model\.url refers to \$\{\$\{\.\.\.\}\}, which"),
        (
            {"estimator": {"memory": "/shared"}},
            r"model\.estimator\.memory names a folder of pickles.* MLRUNNER_TRUSTED=joblib",
        ),
        ({"a": [{"memory": {"location": "/shared"}}]}, r"model\.a\.0\.memory names a folder of pickles"),
        ({"estimator": {"param_grid": {"p__memory": ["/shared"]}}}, r"p__memory names a folder of pickles"),
        ({"url": "${oc.env:A{B}}"}, r"model\.url holds an interpolation that cannot be read"),
        (
            {"_target_": "${model.name}", "name": "subprocess.Popen"},
            r"model\._target_=\$\{model.name\} is a class that",
        ),
        ({"_target_": "sklearn.${model.name}"}, r"model\._target_=sklearn\.\$\{model.name\} is a class that"),
        (
            {"targets": "${model.evil}", "evil": {"regression": "x.Y"}},
            r"model\.targets=\$\{model.evil\} is a class that",
        ),
    ],
)
def test_anything_else_is_refused(config: Any, message: str) -> None:
    with pytest.raises(ProblemsError, match=message):
        refuse_foreign({"model": config}, ["model"])


def test_all_problems_are_reported_at_once() -> None:
    with pytest.raises(ProblemsError) as refused:
        refuse_foreign({"a": {"_target_": "x.Y"}, "b": {"_target_": "z.Y"}}, ["a", "b"])
    assert len(refused.value.problems) == 2


def test_only_the_given_groups_are_checked() -> None:
    refuse_foreign({"a": {"_target_": "x.Y"}}, ["b"])


def test_the_user_can_trust_further_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TRUST_VARIABLE, "mine, env:PASSWORD, joblib,")
    refuse_foreign({"a": {"_target_": "mine.Model", "url": "${oc.env:PASSWORD}"}}, ["a"])
    refuse_foreign({"model": {"memory": "/shared"}}, ["model"])
    with pytest.raises(ProblemsError):
        refuse_foreign({"a": {"_target_": "mine2.Model"}}, ["a"])

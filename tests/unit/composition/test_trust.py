"""Classes, folders and interpolations that a composition from a store may have."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mlrunner.composition.trust import TRUST_VARIABLE, refuse_foreign
from mlrunner.core.errors import ProblemsError


@pytest.mark.parametrize(
    "config",
    [
        {"_target_": "mlrunner.groups.model.EstimatorModel", "seed": "${seed}"},
        {"features": {"_target_": "mlrunner.groups.features.Features"}},
        {"estimator": {"_target_": "sklearn.svm.SVR"}},
        {"estimator": {"_target_": "${model.targets.${dataset.task}}"}},
        {"targets": {"regression": "xgboost.XGBRegressor", "classification": "lightgbm.LGBMClassifier"}},
        {"path": "${oc.env:MLRUNNER_PROJECT}/data/table.csv"},
        {"format": "${oc.select:split.date_format,null}"},
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
        ({"url": "${oc.select:stack.token,x}"}, r"model\.url refers to \$\{stack\.token\}, which .* may not"),
        ({"url": "${oc.select:..stack.token}"}, r"model\.url refers to \$\{\.\.stack\.token\}, which .* may not"),
        ({"url": "${oc.select:'stack.token'}"}, r"model\.url asks for oc\.select:'stack\.token', which .* may not"),
        ({"url": "${oc.select:${model.x}}"}, r"model\.url asks for oc\.select:\$\{\.\.\.\}, which .* may not"),
        ({"url": "${oc.select:a,${oc.env:SECRET}}"}, r"model\.url reads the variable SECRET"),
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


@pytest.mark.parametrize(
    ("key", "config", "message"),
    [
        # H1 of the attack findings: what a trusted module imports, and what it defines for other ends.
        (
            "model",
            {"alpha": {"_target_": "sklearn.datasets._covtype.GzipFile"}},
            "=sklearn.datasets._covtype in",
        ),
        ("model", {"alpha": {"_target_": "sklearn.utils.validation.Parameter"}}, "TRUSTED=inspect in"),
        ("model", {"steps": [["a", {"_target_": "mlrunner.tracking.records.mlflow_store.MlflowStore"}]]}, "_store in"),
        ("model", {"x": {"_target_": "mlrunner.groups.deployer.local.LocalDeployer"}}, "of neither mlrunner"),
        (
            "model",
            {"x": {"_target_": "sklearn.utils.Bunch"}},
            r"x\._target_=sklearn\.utils\.Bunch .* stand there",
        ),
        ("model", {"x": {"_target_": "sklearn.metrics.r2_score"}}, "may not stand there; only an estimator"),
        ("model", {"x": {"_target_": "xgboost.core.DataIter"}}, "may not stand there"),
        ("model", {"x": {"_target_": "xgboost.dask.DaskXGBRegressor"}}, "TRUSTED=xgboost.dask in"),
        ("split", {"_target_": "mlrunner.groups.dataset.SqlDataset"}, "of neither mlrunner"),
        ("metric", {"m": {"_target_": "sklearn.datasets.load_files"}}, "of neither mlrunner"),
        ("metric", {"m": {"_target_": "sklearn.utils.check_array"}}, "as a metric a function of sklearn.metrics"),
        (
            "model",
            {"estimator": {"train_dir": "/tmp"}},
            r"model\.estimator\.train_dir=/tmp opens a file or",
        ),
        ("model", {"a": [{"b__machines": "evil:1"}]}, r"model\.a\.0\.b__machines=evil:1 opens"),
        ("model", {"callbacks": [{"directory": "/tmp"}]}, "directory=/tmp opens"),
        ("model", {"estimator": {"input": "filename"}}, "input=filename opens"),
    ],
)
def test_what_is_defined_elsewhere_or_of_another_kind_is_refused(key: str, config: Any, message: str) -> None:
    with pytest.raises(ProblemsError, match=message):
        refuse_foreign({key: config}, [key])


@pytest.mark.parametrize(
    ("key", "config"),
    [
        ("model", {"kernel": {"_target_": "sklearn.gaussian_process.kernels.RBF"}}),
        ("model", {"cv": {"_target_": "sklearn.model_selection.KFold"}, "allow_writing_files": False}),
        ("model", {"callbacks": [{"_target_": "xgboost.callback.EarlyStopping", "rounds": 5}]}),
        ("model", {"estimator": {"_target_": "catboost.CatBoostRegressor"}, "input": "content"}),
        ("metric", {"m": {"_target_": "sklearn.metrics.fbeta_score"}}),
        ("deployer", {"_target_": "mlrunner.groups.deployer.docker.DockerDeployer", "memory": "1g"}),
        ("gate", {"gates": {"a": {"_target_": "mlrunner.groups.gate.cost_limits.Latency"}}}),
    ],
)
def test_each_kind_is_accepted_at_its_place(key: str, config: Any) -> None:
    refuse_foreign({key: config}, [key])


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


@pytest.mark.slow
def test_no_tampered_composition_imports_opens_writes_or_connects(tmp_path: Path) -> None:
    """Hundreds of compositions, in a process with an audit hook: see `tests.support.tampering`."""
    project, folder = Path(__file__).parents[3], tmp_path / "folder"
    folder.mkdir()
    command = [sys.executable, "-B", str(project / "tests" / "support" / "tampering.py"), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env={"PYTHONPATH": str(project)})
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    passed, refused = map(int, done.stdout.split())
    assert passed > 10
    assert refused > 100
    assert sorted(file.name for file in folder.iterdir()) == ["victim.txt", "zz_canary.py"]
    assert (folder / "victim.txt").read_text() == "precious"

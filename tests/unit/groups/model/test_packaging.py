"""Types, packages and requirements of a saved model, and the model without this project."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import skops.io
from sklearn.cluster import Birch
from sklearn.ensemble import BaggingRegressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from mlrunner.core.errors import ConfigError
from mlrunner.groups.cleaning import DataPreprocess, KeepAll
from mlrunner.groups.model.packaging import find_trusted_types, list_modules, pin_requirements
from tests.support.models import CONF, build_option
from tests.support.pipelines import ColumnVector, fit_pipeline, raw_rows

ABSENT_FROM_SERVERS = ["hydra", "omegaconf", "zenml", "mlflow", "fsspec", "sqlalchemy", "matplotlib", "pyarrow", "rich"]


class TestSaving:
    def test_only_what_the_composition_names_is_trusted(self) -> None:
        result = find_trusted_types(fit_pipeline(KeepAll(), "price", "state"))
        assert {name.partition(".")[0] for name in result} <= {"mlrunner", "numpy", "sklearn"}
        assert "mlrunner.groups.model.raw_input.CleaningTransformer" in result
        assert "mlrunner.groups.cleaning.KeepAll" in result

    def test_a_class_of_the_users_own_is_trusted(self) -> None:
        fitted = Pipeline([("estimator", ColumnVector())]).fit([[1]], [1])
        assert find_trusted_types(fitted) == [f"{ColumnVector.__module__}.ColumnVector"]

    def test_other_types_are_not_trusted(self) -> None:
        import shutil

        fitted = Pipeline([("f", FunctionTransformer(shutil.rmtree)), ("estimator", Ridge())])
        message = r"^model\.estimator holds shutil\.rmtree, which loading cannot trust; choose another class\.$"
        with pytest.raises(ConfigError, match=message):
            find_trusted_types(fitted)

    def test_class_that_skops_cannot_save_is_refused(self) -> None:
        with pytest.raises(ConfigError, match=r"^model\.estimator cannot be saved with skops \(.*Birch"):
            find_trusted_types(Pipeline([("estimator", Birch())]))

    def test_modules_are_those_of_nested_parts_too(self) -> None:
        booster = build_option("xgboost", "regression").build(raw_rows()[["price"]], "regression")[-1]
        fitted = Pipeline([("estimator", BaggingRegressor(booster))])
        assert {"sklearn", "xgboost"} <= list_modules(fitted)
        assert "builtins" not in list_modules(fitted)

    @pytest.mark.parametrize(
        ("name", "more"),
        [("rf", set()), ("xgboost", {"xgboost"}), ("lightgbm", {"lightgbm"}), ("catboost", {"catboost"})],
    )
    def test_requirements_name_the_estimators_package(self, name: str, more: set[str]) -> None:
        pipeline = build_option(name, "classification").build(raw_rows()[["price"]], "classification")
        result = {line.partition("==")[0] for line in pin_requirements(pipeline)}
        assert result == {"scikit-learn", "pandas", "numpy", "skops", "pydantic"} | more

    def test_module_without_a_package_needs_no_requirement(self) -> None:
        result = pin_requirements(Pipeline([("estimator", ColumnVector())]))
        assert len(result) == 5
        assert all("==" in line for line in result)


@pytest.mark.slow
def test_a_server_needs_nothing_else(tmp_path: Path) -> None:
    model = fit_pipeline(DataPreprocess(), "price", "items")
    skops.io.dump(model, tmp_path / "model.skops")
    raw_rows().to_csv(tmp_path / "rows.csv", index=False)
    code = f"""
import sys
class Absent:
    def find_spec(self, name, *_):
        if name.partition(".")[0] in {ABSENT_FROM_SERVERS}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
import pandas, skops.io
model = skops.io.load("model.skops", trusted={find_trusted_types(model)})
print(model.predict(pandas.read_csv("rows.csv", parse_dates=["bought"]))[0])
"""
    env = {**os.environ, "PYTHONPATH": str(CONF.parent)}
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path, env=env)
    assert float(done.stdout) == model.predict(raw_rows())[0]

"""Releases of saved models."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline

from mlrunner.core.errors import DeployError, StoreError
from mlrunner.groups.deployer import Candidate, packaging
from mlrunner.groups.deployer.state import DeploymentStore
from mlrunner.groups.gate import Decision
from mlrunner.tracking import model_registry
from tests.support.mlflow_home import MlflowHome
from tests.support.mlflow_home import mlflow_home as mlflow_home
from tests.support.mlflow_home import template as template

FITTED = Pipeline([("estimator", Ridge())])
OPEN = Decision(deploy=True, reason="good enough")


@pytest.mark.parametrize(
    "text",
    [
        "flavors: {sklearn: {serialization_format: cloudpickle}}\nsignature: {inputs: '[]'}",
        "flavors: {pytorch: {}}",
        "{}",
    ],
)
def test_model_of_another_tool_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "MLmodel").write_text(text)
    with pytest.raises(StoreError, match=r"models:/m-1 was not saved by mlrunner .*; choose another run"):
        packaging.describe_model(tmp_path, "models:/m-1", FITTED)


def test_how_the_training_table_was_read_is_part_of_the_release(tmp_path: Path) -> None:
    flavor = "{serialization_format: skops, pickled_model: model.skops}"
    model = (
        f"flavors: {{sklearn: {flavor}}}\nsignature: {{inputs: '[]'}}\nmetadata: {{mlrunner_reading: {{decimal: ','}}}}"
    )
    (tmp_path / "MLmodel").write_text(model)
    assert packaging.describe_model(tmp_path, "models:/m-1", FITTED)["reading"] == {"decimal": ","}


def test_requirements_of_the_store_are_those_of_the_model_only(tmp_path: Path) -> None:
    """Images install them: a writer of the store could name a package of theirs."""
    flavor = "{serialization_format: skops, pickled_model: model.skops}"
    (tmp_path / "MLmodel").write_text(f"flavors: {{sklearn: {flavor}}}\nsignature: {{inputs: '[]'}}")
    lines = ["numpy==1.0", "evil==1.0", "--index-url http://evil", "pandas @ http://evil/pandas.whl", "skops==1;x"]
    (tmp_path / "requirements.txt").write_text("\n".join(lines))
    packaging.describe_model(tmp_path, "models:/m-1", FITTED)
    pins = (tmp_path / "requirements.txt").read_text().splitlines()
    assert [pin.partition("==")[0] for pin in pins] == ["scikit-learn", "pandas", "numpy", "skops", "pydantic"]
    assert pins[2] == "numpy==1.0"
    assert f"pandas=={pd.__version__}" in pins


def test_model_that_cannot_be_read_leaves_no_folder(mlflow_home: MlflowHome) -> None:
    store = DeploymentStore(mlflow_home.home / "olist")
    with pytest.raises(StoreError, match=r"The model models:/m-none cannot be read from its store"):
        packaging.create_release(store, Candidate("models:/m-none", "abc", None), OPEN)
    assert list(store.folder.glob("releases/*")) == []


def test_candidate_compared_with_an_earlier_champion_is_refused(mlflow_home: MlflowHome) -> None:
    run_id = mlflow_home.add_run()
    candidate = Candidate(f"models:/{mlflow_home.add_model(run_id)}", run_id, None)
    packaging.refuse_overtaken("olist", Candidate("", "abc", None, against=0))
    version = packaging.register_candidate("olist", candidate, OPEN)
    model_registry.set_alias("olist", model_registry.CHAMPION, version)
    for against in (None, version):
        packaging.refuse_overtaken("olist", Candidate("", "0123456789", None, against=against))
    with pytest.raises(DeployError) as raised:
        packaging.refuse_overtaken("olist", Candidate("", "0123456789", None, against=0))
    assert str(raised.value) == (
        f"Version {version} of olist was deployed while this model was compared with nothing; "
        "run mlrunner deploy 01234567 to compare with that one."
    )

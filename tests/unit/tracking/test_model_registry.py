"""The model registry: one version a model, aliases, and models that cannot be loaded."""

from __future__ import annotations

import pytest
from mlflow import MlflowClient

from mlrunner.core.errors import DeployError
from mlrunner.tracking import model_registry
from mlrunner.tracking.model_registry import CHALLENGER, CHAMPION

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:alembic", "ignore::ResourceWarning")


def test_registered_model_keeps_its_version(client: MlflowClient, run_id: str) -> None:
    models = [client.create_logged_model("0", name="model", source_run_id=run_id).model_id for _ in range(2)]
    first, second = (f"models:/{model_id}" for model_id in models)
    versions = [model_registry.register("kept", uri, run_id, {"reason": uri}) for uri in (first, second, first)]
    assert versions == [1, 2, 1]
    assert client.get_model_version("kept", "2").tags == {"reason": second}


def test_alias_is_moved_and_deleted(client: MlflowClient, run_id: str) -> None:
    assert model_registry.get_version("aliased") is None
    model = client.create_logged_model("0", name="model", source_run_id=run_id).model_id
    version = model_registry.register("aliased", f"models:/{model}", run_id, {})
    model_registry.set_alias("aliased", CHAMPION, version)
    champion = model_registry.get_version("aliased")
    assert champion is not None
    assert (int(champion.version), champion.run_id) == (version, run_id)
    assert model_registry.get_version("aliased", CHALLENGER) is None
    model_registry.delete_alias("aliased", CHAMPION)
    model_registry.delete_alias("aliased", CHAMPION)
    assert model_registry.get_version("aliased") is None


def test_model_that_does_not_exist(client: MlflowClient) -> None:
    del client
    with pytest.raises(DeployError, match=r"^The model models:/m-0 cannot be loaded \(.*\); name another run\.$"):
        model_registry.load_model("models:/m-0")

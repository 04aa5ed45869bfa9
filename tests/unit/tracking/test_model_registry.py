"""The model registry: one version a model, aliases, and models that cannot be loaded."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from mlflow import MlflowClient

from mlrunner.core.errors import StoreError
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
    for name in ("aliased", "aliased", "never registered"):
        model_registry.set_alias(name, CHAMPION, None)
    assert model_registry.get_version("aliased") is None


def test_model_that_does_not_exist(client: MlflowClient) -> None:
    del client
    with pytest.raises(StoreError, match=r"^The model models:/m-0 cannot be read .* \(.*\); choose another run\.$"):
        model_registry.load_model("models:/m-0")


@pytest.mark.parametrize(
    "uri", ["/etc", "file:///etc", "http://evil/x", "models:/a@b", "models:/../m-1", "runs:/x/model"]
)
def test_an_address_of_another_kind_is_not_read(uri: str) -> None:
    with pytest.raises(StoreError, match=r"cannot be read from its store \(it is no address like models:/m-ID\)"):
        model_registry.load_model(uri)


def test_a_model_on_another_server_is_not_asked_for(client: MlflowClient, run_id: str, tmp_path: Path) -> None:
    """MLflow would send it the login of the tracking server."""
    model = client.create_logged_model("0", name="model", source_run_id=run_id).model_id
    with sqlite3.connect(client.tracking_uri.removeprefix("sqlite:///")) as store:
        store.execute("UPDATE logged_models SET artifact_location = 'http://evil/x' WHERE model_id = ?", (model,))
    with pytest.raises(StoreError, match=r"http://evil/x lies on a server that is not your tracking server"):
        model_registry.download_model(f"models:/{model}", tmp_path)

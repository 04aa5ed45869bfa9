"""Addresses of object stores, and what ZenML and MLflow get of them."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

import pytest
from omegaconf import DictConfig

from mlrunner.composition.resolve import resolve_group
from mlrunner.core.build import build
from mlrunner.core.errors import ConfigError
from mlrunner.groups.stack import LocalStack
from mlrunner.groups.stack.object_store import ObjectStore, is_installed

AZURE = "abfs://files@team.dfs.core.windows.net"


@pytest.mark.parametrize(
    ("url", "endpoint", "flavor", "name", "settings", "root"),
    [
        (
            "s3://team/runs/",
            "http://127.0.0.1:8333/",
            "s3",
            "s3-team-runs-http-127-0-0-1-8333",
            {"path": "s3://team/runs/zenml", "client_kwargs": {"endpoint_url": "http://127.0.0.1:8333"}},
            "s3://team/runs/mlflow",
        ),
        ("s3://team", None, "s3", "s3-team", {"path": "s3://team/zenml"}, "s3://team/mlflow"),
        ("gs://team/a", None, "gcp", "gs-team-a", {"path": "gs://team/a/zenml"}, "gs://team/a/mlflow"),
        (
            f"{AZURE}/a",
            None,
            "azure",
            "abfs-files-team-dfs-core-windows-net-a",
            {"path": f"{AZURE}/a/zenml"},
            f"{AZURE.replace('abfs', 'abfss')}/a/mlflow",
        ),
    ],
)
def test_zenml_and_mlflow_get_a_folder_each(
    url: str, endpoint: str | None, flavor: str, name: str, settings: dict[str, object], root: str
) -> None:
    store = ObjectStore(url, endpoint)
    assert (store.flavor, store.name, store.zenml_settings, store.mlflow_root) == (flavor, name, settings, root)
    assert store.variables == ({} if endpoint is None else {"MLFLOW_S3_ENDPOINT_URL": endpoint})


def test_zenml_takes_the_settings_of_each_flavor() -> None:
    from zenml.integrations.azure.flavors import AzureArtifactStoreFlavor
    from zenml.integrations.gcp.flavors import GCPArtifactStoreFlavor
    from zenml.integrations.s3.flavors import S3ArtifactStoreFlavor

    stores = [ObjectStore("s3://b", "http://h:1"), ObjectStore("gs://b"), ObjectStore(AZURE)]
    flavors = [S3ArtifactStoreFlavor(), GCPArtifactStoreFlavor(), AzureArtifactStoreFlavor()]
    for store, flavor in zip(stores, flavors, strict=True):
        assert flavor.name == store.flavor
        assert flavor.config_class(**store.zenml_settings).path == store.zenml_settings["path"]


@pytest.mark.parametrize(
    "url", ["/tmp/files", "http://h/b", "s3://key:secret@bucket", "s3://b?versionId=1", "abfs://files/a", "s3://"]
)
def test_another_address_is_refused_without_its_credentials(url: str) -> None:
    with pytest.raises(ConfigError, match=r"^stack\.artifact_store=.* write one of s3://BUCKET/FOLDER, ") as caught:
        ObjectStore(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "endpoint"), [("gs://b", "http://h:1"), ("s3://b", "http://key:secret@h:1"), ("s3://b", "h:1")]
)
def test_another_endpoint_is_refused_without_its_credentials(url: str, endpoint: str) -> None:
    with pytest.raises(ConfigError, match=r"^stack\.endpoint is the address of an S3 server") as caught:
        ObjectStore(url, endpoint)
    assert "secret" not in str(caught.value)


@pytest.mark.skipif(find_spec("gcsfs") is not None, reason="gcsfs is installed")
def test_a_missing_package_is_named(compose: Callable[[list[str]], DictConfig]) -> None:
    cfg = compose(["stack.artifact_store=gs://team"])
    with pytest.raises(ConfigError, match=r"^stack\.artifact_store=gs://team needs gcsfs and google-cloud-storage; "):
        build(resolve_group(cfg, "stack"), "stack")


def test_a_module_below_a_missing_package_is_not_installed() -> None:
    assert is_installed("pandas.core")
    assert not is_installed("no_such_package.core")


def test_files_of_mlflow_go_to_the_object_store_unless_a_server_keeps_them(monkeypatch: pytest.MonkeyPatch) -> None:
    stack = LocalStack(name="a", tracking_uri="sqlite:////db", artifacts="/files", artifact_store="s3://team")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "postgresql://h/d")
    assert stack.artifact_location == "s3://team/mlflow"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://h:5000")
    assert stack.artifact_location is None

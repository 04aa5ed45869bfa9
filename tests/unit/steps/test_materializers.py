"""Artifacts between steps: written to a store of ZenML's, and reused inside a process."""

from __future__ import annotations

import datetime
import uuid
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from zenml.artifact_stores.local_artifact_store import LocalArtifactStore, LocalArtifactStoreConfig
from zenml.enums import StackComponentType

from mlrunner.core.arrow import TABLE_FILE
from mlrunner.core.errors import StoreError
from mlrunner.steps.materializers import ARTIFACTS, FittedModel, ModelMaterializer, TableMaterializer

NOW = datetime.datetime(2026, 1, 31)
TABLE = pd.DataFrame({"a": [1.5, float("nan")], "b": [1, 2], "text": ["x", "y"]}, index=[9, 3])


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    ARTIFACTS.clear()


@pytest.fixture
def store(tmp_path: Path) -> LocalArtifactStore:
    """ZenML's own store on disk, without a ZenML client."""
    return LocalArtifactStore(
        name="store",
        id=uuid.uuid4(),
        config=LocalArtifactStoreConfig(path=str(tmp_path)),
        flavor="local",
        type=StackComponentType.ARTIFACT_STORE,
        user=None,
        created=NOW,
        updated=NOW,
    )


def materializer(store: LocalArtifactStore, name: str = "artifact") -> TableMaterializer:
    folder = Path(store.path) / name
    folder.mkdir(exist_ok=True)
    return TableMaterializer(str(folder), artifact_store=store)


def model_materializer(store: LocalArtifactStore) -> ModelMaterializer:
    return ModelMaterializer(materializer(store).uri, artifact_store=store)


@pytest.mark.parametrize("table", [TABLE, TABLE.head(0)], ids=["rows", "empty"])
def test_another_process_reads_the_table_from_its_file(table: pd.DataFrame, store: LocalArtifactStore) -> None:
    materializer(store).save(table)
    ARTIFACTS.clear()
    read = materializer(store).load(pd.DataFrame)
    assert read is not table
    pd.testing.assert_frame_equal(read, table)


def test_file_of_a_local_store_is_mapped(store: LocalArtifactStore) -> None:
    materializer(store).save(pd.DataFrame({"a": np.arange(1e5)}))
    ARTIFACTS.clear()
    assert not materializer(store).load(pd.DataFrame)["a"].to_numpy().flags.writeable


@pytest.mark.parametrize("table", [TABLE, TABLE.head(0)], ids=["rows", "empty"])
def test_same_process_does_not_read_what_it_wrote(table: pd.DataFrame, store: LocalArtifactStore) -> None:
    materializer(store).save(table)
    (Path(materializer(store).uri) / TABLE_FILE).unlink()
    assert materializer(store).load(pd.DataFrame) is table


def test_same_process_reads_a_file_once(store: LocalArtifactStore) -> None:
    materializer(store).save(TABLE)
    ARTIFACTS.clear()
    first = materializer(store).load(pd.DataFrame)
    (Path(materializer(store).uri) / TABLE_FILE).unlink()
    assert materializer(store).load(pd.DataFrame) is first


@pytest.mark.parametrize("is_other_process", [False, True])
def test_artifacts_do_not_mix(is_other_process: bool, store: LocalArtifactStore) -> None:
    tables = {"one": TABLE, "two": TABLE[["a"]] * 2}
    for name, table in tables.items():
        materializer(store, name).save(table)
    if is_other_process:
        ARTIFACTS.clear()
    for name, table in tables.items():
        pd.testing.assert_frame_equal(materializer(store, name).load(pd.DataFrame), table)


def test_cache_is_limited(store: LocalArtifactStore) -> None:
    for number in range(30):
        materializer(store, str(number)).save(TABLE)
    assert len(ARTIFACTS) == 24
    assert materializer(store, "29").uri in ARTIFACTS


def test_same_process_does_not_load_the_model_it_fitted(store: LocalArtifactStore) -> None:
    model = FittedModel("a pipeline", "models:/m-1", 1.5)
    model_materializer(store).save(model)
    assert model_materializer(store).load(FittedModel) is model
    assert (Path(model_materializer(store).uri) / "model.txt").read_text() == "models:/m-1\n1.5"


def test_another_process_cannot_load_a_model_that_was_not_saved(store: LocalArtifactStore) -> None:
    model_materializer(store).save(FittedModel("a pipeline", None))
    ARTIFACTS.clear()
    with pytest.raises(StoreError, match=r"did not save its model; run it again with tracking\.log_model=true\."):
        model_materializer(store).load(FittedModel)

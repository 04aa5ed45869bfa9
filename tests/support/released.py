"""A release like that of `mlrunner.groups.deployer.packaging`, made without a run, a store or a registry."""

from __future__ import annotations

import json
import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlrunner.core.column_roles import Roles
from mlrunner.core.containers import base_image
from mlrunner.core.containers.engine import find_image, open_client
from mlrunner.core.errors import DeployError
from mlrunner.groups.cleaning import KeepAll
from mlrunner.groups.deployer.release import RELEASE_FILE, Release
from mlrunner.groups.features import Features
from mlrunner.groups.model.packaging import assemble, find_trusted_types, pin_requirements

ROLES = Roles("score")
PLAIN = Features(
    impute="median",
    indicate_missing=False,
    scale=None,
    low_cardinality=4,
    high_cardinality="ordinal",
    text_features=0,
    seed=0,
)


def rows(count: int = 60) -> pd.DataFrame:
    """Make raw rows of numbers and a text."""
    rng = np.random.default_rng(3)
    town = rng.choice(["far", "near"], count)
    table = pd.DataFrame({"size": rng.normal(size=count), "town": town, "rooms": rng.integers(1, 6, count) * 1.0})
    table["score"] = 2 * table["size"] + (town == "far") + table["rooms"] / 3
    return table


def fitted(estimator: Any) -> Any:
    """Fit a pipeline as a run does."""
    from sklearn.pipeline import Pipeline

    raw = rows()
    features = raw.drop(columns="score")
    learned = Pipeline([("features", PLAIN.build(features, "regression")), ("estimator", estimator)])
    return assemble(learned.fit(features, raw["score"]), KeepAll(), ROLES, features, raw)


def release(folder: Path, estimator: Any, version: int = 1, name: str = "tests") -> Release:
    """Save a model and the description of its release."""
    import mlflow.sklearn
    import yaml

    import mlrunner
    from mlrunner.steps import model_signature

    pipeline, example = fitted(estimator), rows(5).drop(columns="score")
    made = Release(name, version, folder / str(version))
    with warnings.catch_warnings(action="ignore"):  # of MLflow's own, about how it calls pandas
        mlflow.sklearn.save_model(
            pipeline,
            str(made.model),
            code_paths=[str(Path(mlrunner.__file__).parent)],
            signature=model_signature.build_signature(pipeline, example, KeepAll()),
            input_example=example,
            pip_requirements=pin_requirements(pipeline),
            skops_trusted_types=find_trusted_types(pipeline),
        )
    described = yaml.safe_load((made.model / "MLmodel").read_text())
    saved = {
        "file": "model.skops",
        "trusted": described["flavors"]["sklearn"].get("skops_trusted_types") or [],
        "columns": json.loads(described["signature"]["inputs"]),
    }
    expected = np.ravel(pipeline.predict(example)).tolist()
    facts = {"name": name, "version": version, "model_uri": "models:/m-1"}
    (made.folder / RELEASE_FILE).write_text(json.dumps({"facts": facts, "saved": saved, "expected": expected}))
    return made


BASE = "mlrunner-base:bookworm"  # made by .ci/engine
HOME = "mlrunner.home"  # label of a container: the home that it belongs to
REPOSITORY = f"mlrunner-test-{os.getpid()}"  # test processes may run side by side
SECRET = "s3cr3t-of-a-server"  # in the environment when the shared image is built


def docker_client() -> Any:
    """Open a client of the engine; skip the test without an engine or a base image."""
    opened = open_client()
    try:
        client = opened.__enter__()
    except DeployError as error:
        pytest.skip(f"no Docker engine: {error}")
    reason = f"no image {BASE}; .ci/engine makes it" if find_image(client, BASE) is None else misfit(client)
    if reason:
        opened.__exit__(None, None, None)
        pytest.skip(reason)
    return client


def misfit(client: Any) -> str:
    """Return why the base image does not fit this Python; empty when it does."""
    try:
        base_image.inspect_python(client, BASE, base_image.Base(BASE))
    except DeployError as error:
        return str(error)
    return ""


def remove(client: Any, repository: str) -> None:
    """Remove the images of a repository, but not the layers that they share."""
    for image in client.images.list(repository):
        for tag in image.tags:
            if tag.startswith(f"{repository}:"):
                client.images.remove(tag, force=True)

"""Create the release of a saved model: a version in MLflow's registry, and its files on this disk."""

from __future__ import annotations

import json
import re
import shutil
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlrunner.core import saved_model
from mlrunner.core.errors import DeployError
from mlrunner.core.forests import predict_pipeline
from mlrunner.groups.deployer import Candidate
from mlrunner.groups.deployer.compatibility import describe_task
from mlrunner.groups.deployer.release import RELEASE_FILE, Release
from mlrunner.groups.deployer.state import DeploymentStore
from mlrunner.groups.gate import Decision
from mlrunner.groups.model.packaging import list_own_modules, pin_requirements
from mlrunner.tracking import model_registry
from mlrunner.tracking.records.record import GATE_REASON_TAG, RUN_ID_TAG

PIN = re.compile(r"(?m)^([\w.-]+)==([\w.+!-]+)$")  # a plain name and version: no option of pip and no URL


def create_release(store: DeploymentStore, candidate: Candidate, decision: Decision) -> Release:
    """Register a candidate as challenger and copy its files; a model that was registered before keeps its version.

    Args:
        store: Folder of the deployment, which has the name of the registered model.
        candidate: Model to deploy.
        decision: Decision of the gate.

    Raises:
        DeployError: When the model is of a kind that cannot be served.
    """
    copied = _copy_model(store, candidate.uri)
    saved = describe_model(copied, candidate.uri, candidate.pipeline)
    expected = predict_example(candidate.pipeline, copied)
    version = register_candidate(store.name, candidate, decision)
    release = store.get_release(version)
    facts = _collect_facts(store.name, version, candidate, decision)
    if release.model.exists():
        shutil.rmtree(copied)
    else:
        release.folder.mkdir(parents=True, exist_ok=True)
        copied.rename(release.model)
    description = {"saved": saved, "expected": expected, "facts": facts}
    (release.folder / RELEASE_FILE).write_text(json.dumps(description, default=str))
    return release


def refuse_overtaken(name: str, candidate: Candidate) -> None:
    """Refuse a candidate that was compared with a version that is no longer the deployed one.

    Raises:
        DeployError: When another version was deployed since.
    """
    champion = model_registry.get_version(name)
    version = 0 if champion is None else int(champion.version)
    if candidate.against not in (None, version):
        raise DeployError(
            f"Version {version} of {name} was deployed while this model was compared with "
            f"{candidate.against or 'nothing'}; run mlrunner deploy {candidate.run_id[:8]} to compare with that one."
        )


def register_candidate(name: str, candidate: Candidate, decision: Decision) -> int:
    """Register a candidate under the alias `challenger`.

    Args:
        name: Name of the registered model.
        candidate: Model to register.
        decision: Decision of the gate, whose reason becomes a tag.

    Returns:
        Version of the registered model.
    """
    tags = {GATE_REASON_TAG: decision.reason, RUN_ID_TAG: candidate.run_id, **describe_task(candidate.facts)}
    version = model_registry.register(name, candidate.uri, candidate.run_id, tags)
    model_registry.set_alias(name, model_registry.CHALLENGER, version)
    return version


def _copy_model(store: DeploymentStore, uri: str) -> Path:
    folder = store.folder / "releases" / f".{uri.rpartition('/')[2]}"
    shutil.rmtree(folder, ignore_errors=True)  # left by a deployment that was killed
    folder.mkdir(parents=True)
    try:
        source = model_registry.download_model(uri, folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    if source != folder:  # MLflow downloads some kinds of addresses into a subfolder
        for path in source.iterdir():
            path.rename(folder / path.name)
    shutil.rmtree(folder / "code", ignore_errors=True)  # of the store: a server runs the code that is installed
    return folder


def describe_model(folder: Path, uri: str, pipeline: Any) -> dict[str, Any]:
    """Read how a saved model is loaded and which columns it takes, and keep only requirements that it needs.

    Args:
        folder: Folder that MLflow saved.
        uri: Address of the model, for the message.
        pipeline: The model in memory.

    Returns:
        Dict with `file` (name of the model file), `trusted` (types that skops may load), `columns` (signature) and
        `reading` (options of `pandas.read_csv` of the training table).

    Raises:
        StoreError: When the model was not saved by mlrunner, or holds types that are not trusted.
    """
    own = list_own_modules(pipeline)
    saved = asdict(saved_model.read_description(folder, uri, own))
    file = folder / "requirements.txt"
    recorded = dict(PIN.findall(file.read_text()) if file.is_file() else ())
    pins = dict(PIN.findall("\n".join(pin_requirements(pipeline))))
    file.write_text("".join(f"{name}=={recorded.get(name, version)}\n" for name, version in pins.items()))
    return saved


def predict_example(pipeline: Any, folder: Path) -> list[Any]:
    """Predict the input example of a saved model with the pipeline in memory."""
    example = json.loads((folder / "serving_input_example.json").read_text())["dataframe_split"]
    rows = pd.DataFrame(example["data"], columns=example["columns"])
    return list(np.ravel(predict_pipeline(pipeline, rows)).tolist())


def _collect_facts(name: str, version: int, candidate: Candidate, decision: Decision) -> dict[str, Any]:
    finite = {key: value for key, value in candidate.metrics.items() if np.isfinite(value)}
    return {
        "name": name,
        "version": version,
        "model_uri": candidate.uri,
        "run_id": candidate.run_id,
        **candidate.facts,
        "metrics": finite,
        "gate": decision.reason,
        "registered_at": time.time(),
    }

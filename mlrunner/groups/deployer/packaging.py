"""Make a release of a saved model: a version in MLflow's registry, and its files on this disk."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from mlrunner.core.errors import DeployError
from mlrunner.groups.deployer import Candidate
from mlrunner.groups.deployer.release import DESCRIBED, Release
from mlrunner.groups.deployer.state import Ledger
from mlrunner.groups.gate import Decision
from mlrunner.tracking import model_registry


def release(ledger: Ledger, candidate: Candidate, decision: Decision) -> Release:
    """Register a candidate as challenger, and copy its files; a model that was registered before keeps its version.

    Args:
        ledger: Of the deployment, whose name the registered model has.
        candidate: To be deployed.
        decision: Of the gate.

    Raises:
        DeployError: When the model is not there, or is of a kind that cannot be served.
    """
    copied = _copied(ledger, candidate.uri)
    described = {"saved": _saved(copied, candidate.uri), "expected": _expected(candidate.pipeline, copied)}
    version = registered(ledger.name, candidate, decision)
    found = ledger.release(version)
    described["facts"] = _facts(ledger.name, version, candidate, decision)
    if found.model.exists():
        shutil.rmtree(copied)
    else:
        found.folder.mkdir(parents=True, exist_ok=True)
        copied.rename(found.model)
    (found.folder / DESCRIBED).write_text(json.dumps(described, default=str))
    return found


def refuse_overtaken(name: str, candidate: Candidate) -> None:
    """Refuse a candidate that was compared with a version that is not deployed any more.

    Raises:
        DeployError: When another one was deployed since.
    """
    champion = model_registry.get_version(name)
    version = 0 if champion is None else int(champion.version)
    if candidate.against not in (None, version):
        raise DeployError(
            f"Version {version} of {name} was deployed while this model was compared with "
            f"{candidate.against or 'nothing'}; run mlrunner deploy {candidate.run_id[:8]} to compare with that one."
        )


def registered(name: str, candidate: Candidate, decision: Decision) -> int:
    """Register a candidate, with the alias `challenger`.

    Returns:
        Its version.
    """
    tags = {"mlrunner.groups.gate.reason": decision.reason, "mlrunner.run_id": candidate.run_id}
    version = model_registry.register(name, candidate.uri, candidate.run_id, tags)
    model_registry.set_alias(name, model_registry.CHALLENGER, version)
    return version


def _copied(ledger: Ledger, uri: str) -> Path:
    if not uri:
        raise DeployError("The run did not save its model; run it again with tracking.log_model=true.")
    folder = ledger.folder / "releases" / f".{uri.rpartition('/')[2]}"
    shutil.rmtree(folder, ignore_errors=True)  # of a deployment that was killed
    folder.mkdir(parents=True)
    try:
        found = model_registry.download_model(uri, folder)
    except Exception as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise DeployError(f"The model {uri} cannot be read from its store ({error}); deploy another run.") from error
    if found != folder:  # MLflow puts some kinds of addresses into a folder of their own
        for part in found.iterdir():
            part.rename(folder / part.name)
    return folder


def _saved(folder: Path, uri: str) -> dict[str, Any]:
    """Read from MLflow's description how a model is loaded and which columns it takes."""
    described = yaml.safe_load((folder / "MLmodel").read_text())
    flavor = described.get("flavors", {}).get("sklearn", {})
    if flavor.get("serialization_format") != "skops" or "signature" not in described:
        raise DeployError(f"The model {uri} was not saved by mlrunner (scikit-learn with skops); deploy another run.")
    columns = json.loads(described["signature"]["inputs"])
    return {"file": flavor["pickled_model"], "trusted": flavor.get("skops_trusted_types") or [], "columns": columns}


def _expected(pipeline: Any, folder: Path) -> list[Any]:
    """Predict the input example with the model itself."""
    example = json.loads((folder / "serving_input_example.json").read_text())["dataframe_split"]
    return list(np.ravel(pipeline.predict(pd.DataFrame(example["data"], columns=example["columns"]))).tolist())


def _facts(name: str, version: int, candidate: Candidate, decision: Decision) -> dict[str, Any]:
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

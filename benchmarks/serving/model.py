"""The model under test: fitted and saved by mlrunner on the embedded table, in stores of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).absolute().parent
PROJECT = HERE.parents[1]
TABLE = PROJECT / "data" / "olist_synthetic.csv.gz"


class Absent(Exception):
    """A peer that cannot be measured, and why."""


@dataclass(frozen=True)
class Model:
    """A saved model, and the stores that know it.

    Args:
        folder: Holds everything that is written.
        uri: `models:/m-…`.
        columns: Of its raw rows.
    """

    folder: Path
    uri: str
    columns: list[str] = field(default_factory=list)

    @property
    def home(self) -> Path:
        """Where mlrunner keeps everything."""
        return self.folder / "home"

    @property
    def files(self) -> Path:
        """What MLflow saved."""
        return self.home / ".mlrunner" / "artifacts" / "models" / self.uri.rpartition("/")[2] / "artifacts"

    @property
    def variables(self) -> dict[str, str]:
        """The environment of all servers: the same stores, and threads that wait without spinning, as ours do."""
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        store = f"sqlite:///{self.home}/.mlrunner/mlflow.db"
        ours = {"MLRUNNER_HOME": str(self.home), "MLFLOW_TRACKING_URI": store, "OMP_WAIT_POLICY": "passive"}
        return {**os.environ, "PATH": path, "MLFLOW_DISABLE_TELEMETRY": "true", **ours}


def fit(folder: Path) -> Model:
    """Fit and save the model on the embedded table, and write what is asked of it."""
    model = Model(folder, "")
    command = [sys.executable, "-m", "mlrunner", "model=xgboost", "cleaning=full", "output=json"]
    result = json.loads(_done(command, model.variables).strip().splitlines()[-1])
    shutil.copytree(model.home, folder / "fitted")
    _done([sys.executable, str(HERE / "rows.py"), result["model_uri"], str(TABLE), str(folder)], model.variables)
    return Model(folder, result["model_uri"], json.loads((folder / "columns.json").read_text()))


def _done(command: list[str], variables: dict[str, str]) -> str:
    process = subprocess.run(command, capture_output=True, text=True, env=variables, cwd=PROJECT, check=False)
    if process.returncode != 0:
        raise Absent(f"{' '.join(command[1:4])} failed: {(process.stderr or process.stdout).strip()[-800:]}")
    return process.stdout

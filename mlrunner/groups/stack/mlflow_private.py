"""A private variable of MLflow, read in version 3.17."""

from __future__ import annotations

# Where a store in this process puts the files of experiments that name no folder, `Default` among them; without it
# below the working folder of the first command. MLFLOW_DEFAULT_ARTIFACT_ROOT is for MLflow's server only.
ARTIFACT_ROOT = "_MLFLOW_SERVER_ARTIFACT_ROOT"

"""`mlrunner ui`: MLflow's server on the runs of this project, and optuna-dashboard on a study, as child processes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from mlrunner.cli.ui import studies
from mlrunner.cli.ui.studies import Study
from mlrunner.core.child_server import ChildServer, child_server
from mlrunner.core.environment import python_path
from mlrunner.core.errors import MlrunnerError
from mlrunner.core.loopback import HOST, request
from mlrunner.core.project import CODE
from mlrunner.tracking.records import Record, Store

SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # starts more processes, for evaluations
}
# MLflow's pages begin with menus for language models unless the address asks for those of runs and models.
MODE = "?workflowType=machine_learning"
Show = Callable[[str, str], object]


def page_address(url: str, store: Store, record: Record | None) -> str:
    """Return the address of a run's page on an MLflow server, or of the newest run's experiment.

    Args:
        url: Address of the server.
        store: Store of the runs.
        record: Run to open; None opens the newest run's experiment.
    """
    run = record or store.find_first("")
    if run is None:
        return url
    try:
        response = request(f"{url}/api/2.0/mlflow/runs/get?run_id={quote(run.run_id)}", timeout=10)
        experiment = json.loads(response.body)["run"]["info"]["experiment_id"]
    except (OSError, ValueError, KeyError):
        return url
    page = "" if record is None else f"/runs/{run.run_id}"
    return f"{url}/#/experiments/{experiment}{page}{MODE}"


@contextmanager
def mlflow_server(uri: str, home: Path, port: int) -> Iterator[ChildServer]:
    """Start MLflow's server."""
    command = ["mlflow", "server", "--host", HOST, "--port", str(port), "--workers", "1"]
    # Not arguments: MLflow repeats those in the command line of a process of its own.
    stores = {"MLFLOW_BACKEND_STORE_URI": uri}
    stores["MLFLOW_DEFAULT_ARTIFACT_ROOT"] = (home / ".mlrunner" / "artifacts").as_uri()
    with child_server("MLflow's server", port, command, {**SETTINGS, **stores}) as server:
        yield server


@contextmanager
def dashboard(study: Study | None, port: int) -> Iterator[ChildServer | None]:
    """Start optuna-dashboard on a study; yield None without a study, or where it is not installed."""
    if study is None or not studies.is_installed():
        yield None
        return
    command = ["mlrunner.cli.ui.dashboard_server:main", study.storage, str(port)]
    with child_server("optuna-dashboard", port, command, {"PYTHONPATH": python_path([CODE])}) as server:
        yield server


def show_dashboard(study: Study, server: ChildServer | None, show: Show) -> None:
    """Show the page of a study, or a note why it cannot be shown: MLflow's pages do not need it."""
    if server is None:
        show("note", studies.MISSING)
        return
    try:
        server.wait_until_ready("/api/meta")
    except MlrunnerError as error:
        show("note", str(error))
    else:
        show("optuna", study.page(server.url))

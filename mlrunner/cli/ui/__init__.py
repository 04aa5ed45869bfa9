"""`mlrunner ui`: MLflow's pages on the store of this home, and Optuna's on its studies, on loopback."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from mlrunner.cli.playground.service import DIRECT
from mlrunner.cli.ui import studies, web_servers
from mlrunner.cli.ui.studies import Study
from mlrunner.core.errors import StoreError
from mlrunner.tracking.records import Record, Store

HOST = "127.0.0.1"
SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # of evaluations that nobody asks for here
}
LOOK = 0.3  # seconds between looks at the servers
Say = Callable[[str, str], object]


@dataclass(frozen=True)
class View:
    """What is to be shown.

    Args:
        store: Where runs are recorded.
        uri: Its address.
        home: The folder that holds `.mlrunner/`.
        record: A run or a sweep that was named; None for neither.
    """

    store: Store
    uri: str
    home: Path
    record: Record | None

    def page(self, url: str) -> str:
        """Find the page of the run, or of the newest run's experiment."""
        shown = self.record or self.store.one("")
        experiment = None if shown is None else experiment_of(url, shown.run_id)
        if shown is None or experiment is None:
            return url
        return f"{url}/#/experiments/{experiment}" + ("" if self.record is None else f"/runs/{shown.run_id}")


def experiment_of(url: str, run_id: str) -> str | None:
    """Ask a server of MLflow for the number of a run's experiment; None when it does not tell."""
    try:
        with DIRECT.open(f"{url}/api/2.0/mlflow/runs/get?run_id={quote(run_id)}", timeout=10) as found:
            return str(json.load(found)["run"]["info"]["experiment_id"])
    except (OSError, ValueError, KeyError):
        return None


def run(view: View, port: int, study_port: int, say: Say) -> int:
    """Serve the pages until Ctrl-C, SIGTERM or the end of the terminal.

    Args:
        view: What is to be shown.
        port: Of MLflow's pages.
        study_port: Of Optuna's.
        say: Is told the name and the address of each page, once it answers.

    Returns:
        0.

    Raises:
        StoreError: When MLflow's server does not start, or ends by itself.
    """
    study = studies.study_of(view.store, view.record, view.home)
    try:
        with ExitStack() as running:
            pages = running.enter_context(_mlflow(view, port))
            board = None if study is None else _dashboard(running, study, study_port)
            pages.wait_until_it_answers("/health")
            say("mlflow", view.page(pages.url))
            if study is not None:
                _present(board, study, say)
            say("note", "Ctrl-C ends it")
            while not pages.has_ended:
                time.sleep(LOOK)
            raise pages.failure()
    except KeyboardInterrupt:
        return 0


def _mlflow(view: View, port: int) -> AbstractContextManager[web_servers.Server]:
    command = [sys.executable, "-m", "mlflow", "server", "--host", HOST, "--port", str(port), "--workers", "1"]
    # In the environment, for everybody on this machine can read a command line, and a password in it.
    places = {"MLFLOW_BACKEND_STORE_URI": view.uri}
    places["MLFLOW_DEFAULT_ARTIFACT_ROOT"] = (view.home / ".mlrunner" / "artifacts").as_uri()
    return web_servers.started("MLflow's server", f"http://{HOST}:{port}", command, {**SETTINGS, **places})


def _dashboard(running: ExitStack, study: Study, port: int) -> web_servers.Server | None:
    if not studies.is_installed():
        return None
    told, where = study.command(HOST, port), study.environment
    return running.enter_context(web_servers.started("optuna-dashboard", f"http://{HOST}:{port}", told, where))


def _present(board: web_servers.Server | None, study: Study, say: Say) -> None:
    """Tell where the dashboard is; MLflow's pages are there also without it."""
    if board is None:
        say("note", studies.MISSING)
        return
    try:
        board.wait_until_it_answers("/api/meta")
    except StoreError as error:
        say("note", str(error))
        return
    say("optuna", study.page(board.url))

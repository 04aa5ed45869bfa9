"""The servers under test: ours, MLflow's scoring server and BentoML."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
from peers import environments
from serving import starting
from serving.model import PROJECT, Absent, Model
from serving.starting import Running

from mlrunner.core import loopback, process_control

BENTO = "bentoml"
NAME = "olist"  # of the deployment


def start_ours(model: Model) -> Running:
    """Deploy by `mlrunner deploy`, as if for the first time: restore the stores of the run."""
    shutil.rmtree(model.home)
    shutil.copytree(model.folder / "fitted", model.home)
    port = loopback.free_port()
    overrides = ["gate=none", "deployer=local", f"deployer.port={port}"]
    command = [sys.executable, "-m", "mlrunner", "deploy", "latest", *overrides]
    start_time = time.perf_counter()
    process = starting.start(command, model, "deploy", model.variables, PROJECT)
    try:
        seconds = starting.wait_healthy(process, model, "deploy", port, "/ping", start_time)
        code = process.wait(starting.START_TIMEOUT)
        command_seconds = time.perf_counter() - start_time
        if code != 0:
            raise Absent(f"mlrunner deploy: {starting.read_log(model, 'deploy')}")
    except BaseException:
        process_control.terminate(process.pid, "mlrunner")
        stop_ours(model)
        raise
    gateway = int((_deployment(model) / "gateway.pid").read_text())
    pids = (gateway, json.loads((_deployment(model) / "state.json").read_text())["active"]["pid"])
    deployment = json.loads((_deployment(model) / "history.jsonl").read_text().splitlines()[-1])
    url = f"http://127.0.0.1:{port}/invocations"
    return Running(url, pids, seconds, command_seconds, lambda: stop_ours(model), deployment["seconds"])


def _deployment(model: Model) -> Path:
    return model.home / ".mlrunner" / "deployments" / NAME


def stop_ours(model: Model) -> None:
    """Stop the deployment, and end processes that an interrupted command has left."""
    command = [sys.executable, "-m", "mlrunner", "stop", NAME]
    subprocess.run(command, env=model.variables, cwd=PROJECT, capture_output=True, start_new_session=True, check=False)
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if str(model.home) in " ".join(process.cmdline()):
                process_control.terminate(process.pid, str(model.home))


def find_server_behind(model: Model, ours: Running) -> Running:
    """Return the server behind our gateway; it stops with the deployment."""
    server = json.loads((_deployment(model) / "state.json").read_text())["active"]
    return Running(f"{server['url']}/invocations", (server["pid"],), ours.seconds, None, lambda: None)


def start_bare(model: Model) -> Running:
    """Start our server without a deployment, on the release that `deploy` has created."""
    release = _deployment(model) / "releases" / "1"
    command = [sys.executable, "-m", "mlrunner.serving", str(release), "--port"]
    return starting.foreground(command, model, "bare", model.variables, "/ping", "/invocations")


def start_mlflow(model: Model) -> Running:
    """Start MLflow's scoring server."""
    program = str(Path(sys.executable).parent / "mlflow")
    command = [program, "models", "serve", "-m", model.uri, "--env-manager", "local", "-p"]
    return starting.foreground(command, model, "mlflow", model.variables, "/ping", "/invocations")


def start_bento(model: Model) -> Running:
    """Start BentoML, in an environment of its own with the packages that the model names."""
    environments.PACKAGES[BENTO] = [BENTO, *(model.files / "requirements.txt").read_text().split()]
    python = environments.python_of(BENTO)
    if not isinstance(python, Path):
        raise Absent(python)
    variables = {"BENTOML_HOME": str(model.folder / "bentoml"), "BENTOML_DO_NOT_TRACK": "True"}
    peer = {"PEER_MODEL": str(model.files), "PEER_COLUMNS": json.dumps(model.columns)}
    command = [str(python), "-m", "bentoml", "serve", "bento_service:Olist", "--host", "127.0.0.1", "--port"]
    return starting.foreground(command, model, "bento", {**model.variables, **variables, **peer}, "/readyz", "/predict")


STARTS: dict[str, Callable[[Model], Running]] = {
    "ours": start_ours, "bare": start_bare, "mlflow": start_mlflow, "bento": start_bento,
}  # fmt: skip

"""The pages of MLflow and Optuna over real runs: who starts them, what they show, how they end."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from mlflow import MlflowClient

from mlrunner.cli.commands import ui as verb
from tests.support.front_door import PROJECT, environment, front_door
from tests.support.recorded import Recorded

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DEAF = ["--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"]  # there is no network but the loopback
ROOT = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium's sandbox refuses root
SECONDS = 90  # for a server to start on a busy machine

pytestmark = pytest.mark.slow


@contextmanager
def open_pages(home: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Type `mlrunner ui …` as in a terminal, where Ctrl-C is not ignored."""
    with subprocess.Popen(
        [sys.executable, "-m", "mlrunner", "ui", *arguments, "--no-browser"],
        env=environment(home),
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)


def addresses(process: subprocess.Popen[str], count: int) -> dict[str, str]:
    """Read what the verb says: a label and an address a line."""
    assert process.stdout is not None
    lines = [process.stdout.readline().split(maxsplit=1) for _ in range(count)]
    assert all(lines), process.communicate()
    return {label: text.strip() for label, text in lines}


def family(process: subprocess.Popen[str], least: int = 1) -> list[psutil.Process]:
    """Return the child processes of the verb, once there are enough of them."""
    until = time.monotonic() + SECONDS
    while len(children := psutil.Process(process.pid).children(recursive=True)) < least and time.monotonic() < until:
        time.sleep(0.1)
    return children


def request_json(url: str, body: dict[str, Any] | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


@pytest.fixture(scope="module")
def sweep(recorded: Recorded) -> str:
    return "/".join(Path(recorded.search["folder"]).parts[-2:])


@pytest.fixture(scope="module")
def pages(recorded: Recorded) -> Iterator[dict[str, str]]:
    """The addresses of the pages of a run that was named; SIGTERM ends the verb and all that it started."""
    with open_pages(recorded.home, recorded.single["run_id"][:8]) as process:
        yield addresses(process, 1)
        started = family(process, least=2)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
        assert process.returncode == 0
        assert have_ended(started)


def test_the_store_is_the_one_of_the_home(recorded: Recorded, pages: dict[str, str]) -> None:
    base, _, page = pages["mlflow"].partition("/#/")
    client = MlflowClient(f"sqlite:///{recorded.home}/.mlrunner/mlflow.db")
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    expected = {run.info.run_id: dict(run.data.metrics) for run in client.search_runs(experiments)}
    body = {"experiment_ids": experiments, "max_results": 1000}
    runs = request_json(f"{base}/api/2.0/mlflow/runs/search", body)["runs"]
    metrics = {
        run["info"]["run_id"]: {metric["key"]: metric["value"] for metric in run["data"].get("metrics", [])}
        for run in runs
    }
    assert metrics == expected
    run = client.get_run(recorded.single["run_id"]).info
    assert page == f"experiments/{run.experiment_id}/runs/{run.run_id}?workflowType=machine_learning"
    with urllib.request.urlopen(f"{base}/get-artifact?run_id={run.run_id}&path=config.yaml", timeout=30) as answer:
        assert b"_target_" in answer.read()


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (apt-get install chromium)")
def test_a_browser_shows_the_metrics_of_the_run_and_no_menus_for_prompts(
    recorded: Recorded, pages: dict[str, str]
) -> None:
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (pip install playwright)")
    with api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=[*ROOT, *DEAF])
        tab = browser.new_page()
        tab.set_default_timeout(60_000)
        tab.goto(pages["mlflow"])
        tab.get_by_text("test/r2", exact=True).first.wait_for()
        text = tab.locator("body").inner_text()
        browser.close()
    assert recorded.single["name"] in text
    assert "Model registry" in text
    assert "Prompts" not in text
    assert f"{recorded.single['metrics']['test/r2']:.4f}"[:6] in text


def test_a_sweep_has_its_study_and_ctrl_c_ends_all_of_it(recorded: Recorded, sweep: str) -> None:
    pytest.importorskip("optuna_dashboard", reason="optuna-dashboard is not installed")
    with open_pages(recorded.home, sweep) as process:
        lines = addresses(process, 2)
        base, _, number = lines["optuna"].partition("/dashboard/studies/")
        (study,) = (
            summary
            for summary in request_json(f"{base}/api/studies")["study_summaries"]
            if summary["study_name"] == sweep
        )
        assert str(study["study_id"]) == number
        assert len(request_json(f"{base}/api/studies/{number}")["trials"]) == 6
        started = family(process)
        assert len(started) >= 3  # MLflow starts children of its own
        text = " ".join(word for child in started for word in child.cmdline())
        assert "mlflow.db" not in text  # nor the password of another store: everybody can read command lines
        assert ".journal" not in text
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
        assert (process.returncode, err) == (0, "")
        assert have_ended(started)


def test_no_process_stays_after_sigkill(recorded: Recorded) -> None:
    with open_pages(recorded.home, "latest") as process:
        started = family(process, least=2)
        process.kill()
        process.communicate(timeout=20)
        assert have_ended(started)


def have_ended(processes: list[psutil.Process]) -> bool:
    _, alive = psutil.wait_procs(processes, timeout=15)
    return not [process for process in alive if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]


def test_a_server_is_opened_and_not_started(recorded: Recorded, pages: dict[str, str], tmp_path: Path) -> None:
    base = pages["mlflow"].partition("/#/")[0]
    seen, browser = tmp_path / "seen", tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" >> {seen}\n')
    browser.chmod(0o755)
    variables = {"MLFLOW_TRACKING_URI": base, "BROWSER": str(browser)}
    result = front_door(recorded.home, "ui", recorded.single["run_id"], **variables)
    assert (result.code, result.err) == (0, "")
    assert result.out.split() == ["mlflow", pages["mlflow"]]
    assert seen.read_text().strip() == pages["mlflow"]


def test_an_address_is_not_broken_on_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setattr(sys, "stdout", Terminal())
    address = f"http://127.0.0.1:49791/#/experiments/1/runs/{'a' * 32}"
    verb._show(False, "mlflow", address)
    assert address in sys.stdout.getvalue()  # type: ignore[attr-defined]


def test_a_taken_port_is_one_sentence(recorded: Recorded) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        result = front_door(recorded.home, "ui", "--port", str(port))
    assert result.code == 2
    assert result.err.count("\n") == 1
    assert f"--port={port} cannot be used" in result.err


def test_an_unknown_run_starts_nothing(recorded: Recorded) -> None:
    result = front_door(recorded.home, "ui", "ridgge")
    assert result.code == 2
    assert "No run matches 'ridgge'" in result.err

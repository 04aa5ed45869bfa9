"""Make the README's pictures from real runs: the terminal as SVG; a run in MLflow, and a report of a search, as PNG.

python docs/pictures.py (or `make docs`); the pages need Chromium and are left as they are without.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from rich.console import Console
from rich.text import Text

HERE = Path(__file__).parent
COMPOSITION = ["model=hist_gradient_boosting", "cleaning=dates"]
SEARCH = ["sweep=optuna", "model=rf,xgboost", "hydra.sweeper.n_trials=12"]
COLUMNS = 124


def main() -> None:
    """Run twice, so that the cache shows, and draw the second."""
    with tempfile.TemporaryDirectory() as home:
        environment = {
            **os.environ, "MLRUNNER_HOME": home, "FORCE_COLOR": "1", "TTY_INTERACTIVE": "0", "COLUMNS": str(COLUMNS),
        }  # fmt: skip
        run(environment, "model=ridge", "cleaning=dates")
        terminal(run(environment, *COMPOSITION))
        found = json.loads(run(environment, *COMPOSITION, "output=json").splitlines()[-1])
        browser = shutil.which("chromium") or shutil.which("google-chrome")
        if browser is not None:
            page(browser, home, found["run_id"])
            folder = json.loads(run(environment, *SEARCH, "output=json").splitlines()[-1])["folder"]
            photograph(browser, f"file://{folder}/report.html", "report.png", "1280,1240")


def run(environment: dict[str, str], *overrides: str) -> str:
    """Type the command; what it printed."""
    command = [sys.executable, "-m", "mlrunner", *overrides]
    home = environment["MLRUNNER_HOME"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True, cwd=home).stdout


def terminal(shown: str) -> None:
    """Draw what was printed as a terminal window."""
    console = Console(record=True, width=COLUMNS, file=open(os.devnull, "w"), force_terminal=True)  # noqa: SIM115, PTH123
    console.print(Text(f"$ python -m mlrunner {' '.join(COMPOSITION)}", style="bold"))
    console.print(Text.from_ansi(shown), overflow="fold")  # as a terminal does
    (HERE / "terminal.svg").write_text(console.export_svg(title="mlrunner"))


def page(browser: str, home: str, run_id: str) -> None:
    """Photograph the page of a run in the MLflow UI."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    store = f"sqlite:///{home}/.mlrunner/mlflow.db"
    serve = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", store]
    command = [*serve, "--port", str(port), "--workers", "1"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait(f"http://127.0.0.1:{port}/health")
        photograph(browser, f"http://127.0.0.1:{port}/#/experiments/1/runs/{run_id}", "mlflow.png", "1400,1150")
    finally:
        server.terminate()
        server.wait()


def photograph(browser: str, url: str, name: str, size: str) -> None:
    """Let Chromium load a page and save what a window of that size shows."""
    quiet = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--hide-scrollbars"]
    flags = [f"--window-size={size}", "--virtual-time-budget=30000"]
    with tempfile.TemporaryDirectory() as profile:
        command = [browser, *quiet, *flags, f"--user-data-dir={profile}", f"--screenshot={HERE / name}", url]
        subprocess.run(command, check=True, capture_output=True, timeout=120)


def wait(url: str) -> None:
    """Wait until a server answers."""
    for _ in range(120):
        try:
            urllib.request.urlopen(url, timeout=1)
            return
        except OSError:
            time.sleep(0.5)
    raise SystemExit(f"{url} does not answer")


if __name__ == "__main__":
    main()

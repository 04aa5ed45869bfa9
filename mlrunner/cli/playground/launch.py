"""Run the page: Streamlit in a process of its own, which ends with ours."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlrunner.cli.playground import text
from mlrunner.cli.playground.fields import Field, examples, fields
from mlrunner.cli.playground.service import DIRECT, RefusedError, Service
from mlrunner.core.errors import DeployError
from mlrunner.groups.deployer.state import Ledger

FOLDER = "MLRUNNER_PLAYGROUND"  # names the deployment's folder to the page
HOST = "127.0.0.1"
PATIENCE = 60.0  # seconds until the page must answer
GRACE = 5.0  # seconds between asking it to end and ending it
SETTINGS = {  # as variables, for a Streamlit that does not know one of them ignores it
    "server.address": HOST,
    "server.headless": "true",
    "server.fileWatcherType": "none",
    "server.allowedHosts": f"{HOST} localhost",  # no name of a stranger's that leads here
    "server.showEmailPrompt": "false",
    "browser.gatherUsageStats": "false",
    "browser.serverAddress": HOST,
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",
    "client.showErrorLinks": "false",
    "runner.magicEnabled": "false",
    "logger.hideWelcomeMessage": "true",
    "theme.light.primaryColor": "#2f6fab",
    "theme.dark.primaryColor": "#5b9bd5",
}


def environment(folder: Path, port: int) -> dict[str, str]:
    """The environment of the page: ours, its settings, the deployment, and where this package is found."""
    settings = {variable(name): value for name, value in {**SETTINGS, "server.port": str(port)}.items()}
    path = [str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, **settings, FOLDER: str(folder), "PYTHONPATH": os.pathsep.join(path)}


def variable(name: str) -> str:
    """Name the variable of a setting, as Streamlit does."""
    return "STREAMLIT_" + re.sub(r"([A-Z])", r"_\1", name).replace(".", "_").upper()


def run(folder: Path, port: int, ready: Callable[[str], object]) -> int:
    """Serve the page until Ctrl-C or SIGTERM.

    Args:
        folder: Of the deployment.
        port: Of the page.
        ready: Is told the address once it answers.

    Returns:
        0.

    Raises:
        DeployError: When the page does not start, or ends by itself.
    """
    log, url = folder / "playground.log", f"http://{HOST}:{port}"
    try:
        with _started(folder, port, log) as page:
            if _answers(page, url):
                ready(url)
                page.wait()
    except KeyboardInterrupt:
        return 0
    raise DeployError(f"The page does not run: {_last(log)} (all of it is in {log}).")


@contextmanager
def _started(folder: Path, port: int, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start the page, and end it: first asking, then not."""
    command = [sys.executable, "-m", "mlrunner.cli.playground"]
    with log.open("wb") as output:
        page = subprocess.Popen(
            command, env=environment(folder, port), stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        yield page
    finally:
        page.terminate()
        try:
            page.wait(GRACE)
        except subprocess.TimeoutExpired:
            page.kill()
            page.wait()


def _answers(page: subprocess.Popen[bytes], url: str) -> bool:
    """Wait until the page answers; it does not when it has ended."""
    until = time.monotonic() + PATIENCE
    while page.poll() is None and time.monotonic() < until:
        try:
            DIRECT.open(f"{url}/_stcore/health", timeout=1).close()
            return True
        except OSError:
            time.sleep(0.1)
    return False


def _last(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else "it says nothing"


@dataclass(frozen=True)
class Served:
    """A deployment, as it was when it was asked.

    Args:
        service: That was asked.
        since: When the version began to serve, in seconds since 1970.
        facts: Version, model, target, metrics, gate.
        form: A field for each column of the model.
        rows: Of the input example.
    """

    service: Service
    since: float
    facts: dict[str, Any]
    form: list[Field]
    rows: list[dict[str, Any]]

    @property
    def version(self) -> str:
        """Of the model."""
        return str(self.facts.get("version"))


def ask(ledger: Ledger) -> Served:
    """Ask a deployment what it is.

    Raises:
        AskError: With one sentence, when it does not serve or does not answer.
    """
    state = ledger.state()
    if state is None or state.serves is None:
        raise RefusedError(text.stopped(ledger.name))
    service = Service(ledger.name, state.url)
    schema = service.schema()
    return Served(service, state.since, service.facts(), fields(schema), examples(schema))

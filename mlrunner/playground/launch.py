"""Run the page: Streamlit in a process of its own, which ends with ours."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from mlrunner.errors import DeployError

FOLDER = "MLRUNNER_PLAYGROUND"  # names the deployment's folder to the page
HOST = "127.0.0.1"
PATIENCE = 60.0  # seconds until the page must answer
GRACE = 5.0  # seconds between asking it to end and ending it
SETTINGS = {
    "server.address": HOST,
    "server.headless": "true",
    "server.fileWatcherType": "none",
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
HOSTS = (HOST, "localhost")  # by which the page may be called: no name of a stranger's that leads here


def command(port: int) -> list[str]:
    """Write the command that serves the page."""
    settings = [f"--{name}={value}" for name, value in {**SETTINGS, "server.port": port}.items()]
    settings += [f"--server.allowedHosts={host}" for host in HOSTS]
    page = Path(__file__).with_name("page.py")
    return [sys.executable, "-m", "streamlit", "run", str(page), *settings]


def environment(folder: Path) -> dict[str, str]:
    """The environment of the page: ours, the deployment, and where this package is found."""
    path = [str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, FOLDER: str(folder), "PYTHONPATH": os.pathsep.join(path)}


def run(folder: Path, port: int, ready: Callable[[str], object]) -> int:
    """Serve the page until Ctrl-C or SIGTERM.

    Args:
        folder: Of the deployment.
        port: Of the page.
        ready: Is told the address once it answers.

    Returns:
        0.

    Raises:
        DeployError: When the page ends by itself.
    """
    log = folder / "playground.log"
    before = signal.signal(signal.SIGTERM, _interrupt)
    with log.open("wb") as output:
        page = subprocess.Popen(
            command(port), env=environment(folder), stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        url = f"http://{HOST}:{port}"
        _wait(page, url)
        ready(url)
        page.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        _end(page)
        signal.signal(signal.SIGTERM, before)
    raise DeployError(f"The page ended by itself; its log is {log}.")


def _interrupt(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise KeyboardInterrupt


def _wait(page: subprocess.Popen[bytes], url: str) -> None:
    until = time.monotonic() + PATIENCE
    while page.poll() is None and time.monotonic() < until:
        try:
            urllib.request.urlopen(f"{url}/_stcore/health", timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)


def _end(page: subprocess.Popen[bytes]) -> None:
    """End the page: first asking, then not."""
    page.terminate()
    try:
        page.wait(GRACE)
    except subprocess.TimeoutExpired:
        page.kill()
        page.wait()

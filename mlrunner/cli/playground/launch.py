"""Run the page: Streamlit in a child process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from mlrunner.core.child_server import child_server
from mlrunner.core.environment import python_path
from mlrunner.core.interruption import mark_handled
from mlrunner.core.loopback import HOST
from mlrunner.core.project import CODE

SETTINGS = {
    "server.address": HOST,
    "server.allowedHosts": HOST,  # refuses a foreign host name that resolves to this machine
    "server.headless": "true",
    "server.fileWatcherType": "none",
    "browser.gatherUsageStats": "false",  # or the page calls Streamlit's servers
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",
}


def run(folder: Path, port: int, ready: Callable[[str], object]) -> int:
    """Serve the page until Ctrl-C or SIGTERM.

    Args:
        folder: Folder of the deployment.
        port: Port of the page on loopback.
        ready: Function that takes the address of the page, called when the page answers.

    Returns:
        0.

    Raises:
        MlrunnerError: When Streamlit does not start, or ends.
    """
    page = Path(__file__).with_name("page.py")
    flags = [f"--{name}={value}" for name, value in {**SETTINGS, "server.port": str(port)}.items()]
    command = ["streamlit", "run", *flags, str(page), "--", str(folder)]
    try:
        with child_server("Streamlit", port, command, {"PYTHONPATH": python_path([CODE])}) as server:
            server.wait_until_ready("/_stcore/health")
            ready(server.url)
            server.wait()
    except KeyboardInterrupt:
        mark_handled()
        return 0

"""`mlrunner playground`: open a page that predicts with a deployed model."""

from __future__ import annotations

import importlib.util
import webbrowser
from pathlib import Path

from mlrunner.cli.commands.parser import Parser
from mlrunner.core.errors import ConfigError

LAST_PORT = 65535


def main(arguments: list[str]) -> int:
    """Serve the page until Ctrl-C.

    Raises:
        ConfigError: When Streamlit is not installed, or the port cannot be used.
    """
    what = "Open a page that predicts with a deployed model: one row in a form, or a CSV file."
    parser = Parser("playground", what)
    parser.add_argument("name", nargs="?", help="deployment; optional when there is only one")
    parser.add_argument("--port", type=int, default=0, help="port of the page on this machine; a free port by default")
    parser.add_flags(no_browser="only print the address")
    parsed = parser.parse_args(arguments)
    if importlib.util.find_spec("streamlit") is None:
        raise ConfigError("mlrunner playground needs Streamlit; install it with pip install 'mlrunner[playground]'.")
    folder = find_deployment(parsed.name)
    port = choose_port(parsed.port)

    from mlrunner.cli.playground import launch

    def ready(url: str) -> None:
        print(f"{folder.name} is at {url} (Ctrl-C ends the page, not the service)", flush=True)
        if not parsed.no_browser:
            webbrowser.open(url)

    return launch.run(folder, port, ready)


def find_deployment(name: str | None) -> Path:
    """Find the folder of a deployment that serves.

    Args:
        name: Name of the deployment; None when there is only one.

    Raises:
        MlrunnerError: When there is no deployment of this name, or it does not serve.
    """
    from mlrunner.cli.commands import deploy
    from mlrunner.cli.playground import client
    from mlrunner.groups.deployer import state

    deployment = state.find_deployment(deploy.deployments_folder(), name)
    client.find_service(deployment)
    return deployment.folder


def choose_port(port: int) -> int:
    """Check the port of a page, or choose a free one.

    Args:
        port: Port on loopback; 0 chooses a free one.

    Raises:
        ConfigError: When the number is not a port, or another process listens on it.
    """
    from mlrunner.core import loopback

    if port == 0:
        return loopback.free_port()
    reason = loopback.bind_error(loopback.HOST, port) if 0 < port <= LAST_PORT else f"ports end at {LAST_PORT}"
    if reason is not None:
        raise ConfigError(f"--port={port} cannot be used ({reason}); choose another, or leave it out for a free one.")
    return port

"""`mlrunner playground`: a page for people over a deployed model."""

from __future__ import annotations

import importlib.util
import webbrowser
from pathlib import Path

from mlrunner.cli.commands.parser import Parser
from mlrunner.core.errors import ConfigError

HOST, LAST_PORT = "127.0.0.1", 65535


def main(arguments: list[str]) -> int:
    """Serve the page until Ctrl-C."""
    parser = Parser(
        prog="mlrunner playground",
        description="Open a page that asks a deployed model for predictions: by form or by CSV file.",
    )
    parser.add_argument("name", nargs="?", help="of the deployment; may be left out where there is only one")
    parser.add_argument("--port", type=int, default=0, help="of the page on this machine; a free one by default")
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
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

    Raises:
        MlrunnerError: When there is no deployment of this name, or it does not serve.
    """
    from mlrunner.cli.commands import deploy
    from mlrunner.cli.playground import client
    from mlrunner.groups.deployer import state

    deployment = state.find(deploy.deployments_folder(), name)
    client.find_service(deployment)
    return deployment.folder


def choose_port(port: int) -> int:
    """Check the port of the page, or find one.

    Raises:
        ConfigError: When it is none, or somebody listens on it.
    """
    from mlrunner.core import loopback

    if port == 0:
        return loopback.free_port()
    reason = loopback.bind_error(HOST, port) if 0 < port <= LAST_PORT else f"ports end at {LAST_PORT}"
    if reason is not None:
        raise ConfigError(f"--port={port} cannot be used ({reason}); choose another, or leave it out for a free one.")
    return port

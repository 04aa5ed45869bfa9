"""`mlrunner ui`: MLflow's pages on the right store, and Optuna's dashboard on the right study."""

from __future__ import annotations

import os
import webbrowser
from functools import partial
from pathlib import Path

from rich.text import Text

from mlrunner.cli.commands import playground
from mlrunner.cli.commands.parser import Parser
from mlrunner.composition.stores import open_store, tracking_uri
from mlrunner.core.errors import ConfigError
from mlrunner.core.terminal import console
from mlrunner.groups.stack.reachability import is_remote, without_login
from mlrunner.tracking.records import SQLITE, lookup, split


def main(arguments: list[str]) -> int:
    """Serve the pages until Ctrl-C, which is how they end: exit code 0."""
    parser = Parser(
        prog="mlrunner ui",
        description="Open MLflow's pages on the store of this project, and Optuna's dashboard on its newest search.",
        epilog="example: mlrunner ui latest. Ctrl-C ends the pages, with exit code 0.",
    )
    parser.add_argument("words", nargs="*", metavar="RUN|SWEEP", help="whose page to open; or overrides of the stack")
    parser.add_argument(
        "--port", type=_port, default=0, help="of MLflow's pages on this machine; a free one by default"
    )
    parser.add_argument("--no-browser", action="store_true", help="only print the addresses")
    parsed = parser.parse_intermixed_args(arguments)
    names, overrides = split(parsed.words)
    if len(names) > 1:
        raise ConfigError(f"mlrunner ui opens one page, but {', '.join(names)} are named; name one.")
    return _view(names[0] if names else None, overrides, parsed.port, not parsed.no_browser)


def _port(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        more = "choose another, or leave it out for a free one"
        raise ConfigError(f"--port={text} cannot be used (it is no number); {more}.") from None


def _view(name: str | None, overrides: list[str], port: int, browser: bool) -> int:
    home = Path(os.environ["MLRUNNER_HOME"])
    uri = tracking_uri(home, overrides)
    if uri.startswith(SQLITE) and not Path(uri.removeprefix(SQLITE).partition("?")[0]).exists():
        raise ConfigError(f"There is nothing to show yet: {uri} is not there; start a run with mlrunner.")
    port = 0 if is_remote(uri) else playground.free(port)
    store = open_store(home, overrides)
    record = None if name is None else lookup.find(store, name, home)
    from mlrunner.cli import ui

    view, say = ui.View(store, uri, home, record), partial(_say, browser)
    if is_remote(uri):
        say("mlflow", view.page(without_login(uri).rstrip("/")))
        return 0
    return ui.run(view, port, playground.free(0), say)


def _say(browser: bool, label: str, told: str) -> None:
    """Print an address, in one piece also where the terminal is narrower, and open it; or print a note."""
    dim = "dim" if label == "note" else ""
    console().print(Text.assemble((f"  {label:<10}", "dim"), (told, dim)), soft_wrap=True)
    if browser and label != "note":
        webbrowser.open(told)

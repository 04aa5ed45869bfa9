"""`mlrunner ui`: open MLflow's pages on the store of the project, and Optuna's dashboard on a study."""

from __future__ import annotations

import webbrowser
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from mlrunner.cli.commands import playground
from mlrunner.cli.commands.parser import Parser
from mlrunner.composition.stores import open_store, tracking_uri
from mlrunner.core import environment
from mlrunner.core.errors import ConfigError
from mlrunner.core.interruption import mark_handled
from mlrunner.core.terminal import show_line
from mlrunner.groups.stack.reachability import is_remote, remove_login
from mlrunner.tracking.records import SQLITE, Record, Store, lookup, separate_stack_overrides

if TYPE_CHECKING:
    from mlrunner.cli import ui


def main(arguments: list[str]) -> int:
    """Serve the pages until Ctrl-C.

    Raises:
        ConfigError: When several runs are named, there is no store, or the port cannot be used.
    """
    what = "Open MLflow's pages on the store of this project, and Optuna's dashboard on its newest search."
    parser = Parser("ui", what, "example: mlrunner ui latest; Ctrl-C ends the pages with exit code 0")
    page = "run or sweep whose page to open; also overrides of the stack"
    port = "port of MLflow's pages on this machine; a free port by default"
    parser.add_argument("words", nargs="*", metavar="RUN|SWEEP", help=page)
    parser.add_argument("--port", type=_port, default=0, help=port)
    parser.add_flags(no_browser="only print the addresses")
    parsed = parser.parse_intermixed_args(arguments)
    names, overrides = separate_stack_overrides(parsed.words)
    if len(names) > 1:
        raise ConfigError(f"mlrunner ui opens one page, but {', '.join(names)} were named; name one.")
    return _open(names[0] if names else None, overrides, parsed.port, not parsed.no_browser)


def _port(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        more = "choose another, or leave it out for a free one"
        raise ConfigError(f"--port={text} cannot be used (it is not a number); {more}.") from None


def _open(name: str | None, overrides: list[str], port: int, browser: bool) -> int:
    home = environment.home()
    uri = tracking_uri(home, overrides)
    if uri.startswith(SQLITE) and not Path(uri.removeprefix(SQLITE).partition("?")[0]).exists():
        raise ConfigError(f"There is nothing to show yet: {uri} does not exist; start a run with mlrunner.")
    port = 0 if is_remote(uri) else playground.choose_port(port)
    store = open_store(home, overrides)
    record = None if name is None else lookup.find(store, name, home)
    show = partial(_show, browser)
    if is_remote(uri):
        from mlrunner.cli import ui

        show("mlflow", ui.page_address(remove_login(uri).rstrip("/"), store, record))
        return 0
    try:
        _serve(store, uri, home, record, port, show)
    except KeyboardInterrupt:
        mark_handled()
        return 0


def _serve(store: Store, uri: str, home: Path, record: Record | None, port: int, show: ui.Show) -> NoReturn:
    """Run the servers until a signal, or until MLflow's server fails."""
    from mlrunner.cli import ui

    study = ui.studies.find_study(store, record, home)
    with ui.mlflow_server(uri, home, port) as mlflow, ui.dashboard(study, playground.choose_port(0)) as dashboard:
        mlflow.wait_until_ready("/health")
        show("mlflow", ui.page_address(mlflow.url, store, record))
        if study is not None:
            ui.show_dashboard(study, dashboard, show)
        show("note", "Ctrl-C ends it")
        mlflow.wait()


def _show(browser: bool, label: str, text: str) -> None:
    """Print an address without line breaks, and open it in the browser; or print a note."""
    show_line(label, (text, "dim" if label == "note" else ""), soft_wrap=True)
    if browser and label != "note":
        webbrowser.open(text)

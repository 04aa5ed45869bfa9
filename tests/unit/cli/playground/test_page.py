"""The playground: its fields and requests, the page under Streamlit's AppTest over a real server, and the command."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pytest
from aiohttp import web

from mlrunner.cli.commands import playground
from mlrunner.cli.playground import launch
from mlrunner.cli.playground.client import Service, ServiceError, find_service
from mlrunner.cli.playground.fields import Field, make_fields, make_row
from mlrunner.core import loopback
from mlrunner.core.errors import ConfigError, MlrunnerError
from mlrunner.groups.deployer.release import Server
from mlrunner.groups.deployer.state import Ledger, State
from mlrunner.serving.columns import RawColumn
from mlrunner.serving.model import ServedModel
from mlrunner.serving.schema import Schema
from mlrunner.serving.server import Limits, ModelServer
from tests.support.front_door import PROJECT, environment

COLUMNS = (
    RawColumn("rooms", "number", required=True),
    RawColumn("town", "text", required=True, categories=frozenset({"far", "near"})),
    RawColumn("built", "moment", required=True),
    RawColumn("sold_at", "moment", required=True),
    RawColumn("garden", "boolean", required=True),
    RawColumn("note_*of*_agent", "text", required=False),
    RawColumn("price", "number", required=False),
)
ROWS = [
    [3.0, "far", "1642-01-02T00:00:00", "2021-05-06T07:08:09", True, 'a "quoted" it\'s', 1.5],
    [5.0, "near", "1999-12-31T00:00:00", "NaT", False, "é\nline", float("nan")],
]
FACTS = {
    "name": "houses",
    "version": 1,
    "run_id": "0123456789abcdef",
    "run_name": "model=ridge",
    "model": "ridge",
    "task": "regression",
    "target": "score",
    "metric": "r2",
    "metrics": {"test/r2": 0.91234, "test/mae": 0.25},
    "gate": "r2 0.9123 on test is at least 0.4 <b>",
}
JSON_EXAMPLE = {"dataframe_split": {"columns": [column.name for column in COLUMNS], "data": ROWS}}


class Arithmetic:
    """A model that can be checked by hand, and that has an answer to whatever is missing."""

    def __init__(self, plus: float = 0.0) -> None:
        self.plus = plus

    def predict(self, table: pd.DataFrame) -> Any:
        rooms = table["rooms"].fillna(10.0).to_numpy()
        near = (table["town"] == "near").to_numpy() * 100.0
        garden = table["garden"].isin([True]).to_numpy() * 0.25
        return rooms + near + garden + table["built"].dt.day.fillna(0).to_numpy() * 1000.0 + self.plus


def model(plus: float = 0.0, columns: tuple[RawColumn, ...] = COLUMNS, **facts: Any) -> ServedModel:
    """Make a model; its example is written as MLflow writes it."""
    example = json.dumps(JSON_EXAMPLE).replace("NaN", "null").encode()
    return ServedModel(Arithmetic(plus), Schema(columns), {**FACTS, **facts}, example)


class Serving:
    """The real server in a thread of its own."""

    def __init__(self, served_model: ServedModel, port: int = 0) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._runner = web.AppRunner(ModelServer(served_model, "token", Limits()).application())
        self.port = self._do(self._start(port))

    async def _start(self, port: int) -> int:
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        return int(self._runner.addresses[0][1])

    def _do(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    def stop(self) -> None:
        if not self._loop.is_closed():
            self._do(self._runner.cleanup())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()


@contextmanager
def serving(served_model: ServedModel, port: int = 0) -> Iterator[Serving]:
    running = Serving(served_model, port)
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="module")
def running() -> Iterator[Serving]:
    with serving(model()) as found:
        yield found


@pytest.fixture
def service(running: Serving) -> Service:
    return Service("houses", f"http://127.0.0.1:{running.port}")


def ledger_of(folder: Path, port: int, is_stopped: bool = False) -> Ledger:
    """Write the folder of a deployment that serves at a port."""
    ledger = Ledger(folder / "houses")
    ledger.note("deployed", version=1)
    server = None if is_stopped else Server(1, f"http://127.0.0.1:{port}", "handle", "token")
    ledger.write(State("houses", "127.0.0.1", port, 60.0, 64.0, {}, serves=server, line=[1], since=1795639787.0))
    return ledger


def column(kind: str, required: bool = True, categories: list[str] | None = None, name: str = "x") -> dict[str, Any]:
    return {"name": name, "kind": kind, "required": required, "categories": categories}


def field_of(description: dict[str, Any], *values: Any) -> Field:
    """Make the field of one column with these values in the example."""
    example = {"dataframe_split": {"columns": [description["name"]], "data": [[value] for value in values]}}
    return make_fields({"columns": [description], "example": example})[0]


class TestFields:
    @pytest.mark.parametrize(
        ("description", "values", "widget", "initial"),
        [
            pytest.param(column("number"), [3], "number", 3.0, id="number"),
            pytest.param(column("number"), [float("nan")], "number", None, id="nan"),
            pytest.param(column("boolean"), [True], "boolean", "yes", id="true"),
            pytest.param(column("boolean"), [False], "boolean", "no", id="false"),
            pytest.param(column("boolean"), [None], "boolean", None, id="neither"),
            pytest.param(column("text"), ["a"], "text", "a", id="text"),
            pytest.param(column("text"), [None], "text", None, id="no text"),
            pytest.param(column("text"), [], "text", None, id="no example"),
            pytest.param(column("text", categories=["a", "b"]), ["b"], "category", "b", id="category"),
            pytest.param(column("text", categories=["a"]), ["b"], "category", None, id="unknown category"),
            pytest.param(column("moment"), ["2020-01-02T00:00:00", "NaT"], "date", date(2020, 1, 2), id="day"),
            pytest.param(column("moment"), ["NaT", "2020-01-02T00:00:00Z"], "date", None, id="no day"),
            pytest.param(
                column("moment"), ["2020-01-02T00:00:00+02:00"], "text", "2020-01-02T00:00:00+02:00", id="time zone"
            ),
            pytest.param(column("moment"), ["2020-01-02T03:04:05"], "text", "2020-01-02T03:04:05", id="time"),
            pytest.param(column("moment"), ["NaT"], "text", None, id="no date at all"),
        ],
    )
    def test_column_to_field(self, description: dict[str, Any], values: list[Any], widget: str, initial: Any) -> None:
        field = field_of(description, *values)
        assert (field.widget, field.initial) == (widget, initial)

    @pytest.mark.parametrize(
        ("description", "example", "value"),
        [
            pytest.param(column("number"), 0.1, 0.1, id="number"),
            pytest.param(column("number"), float("nan"), None, id="nan"),
            pytest.param(column("boolean"), True, True, id="true"),
            pytest.param(column("boolean"), False, False, id="false"),
            pytest.param(column("text"), " a ", " a ", id="blanks"),
            pytest.param(column("text"), "", None, id="empty text"),
            pytest.param(column("text", categories=["no", "yes"]), "no", "no", id="category"),
            pytest.param(column("moment"), "2020-01-02T00:00:00", "2020-01-02", id="day"),
            pytest.param(column("moment"), "NaT", None, id="no date"),
        ],
    )
    def test_field_to_value(self, description: dict[str, Any], example: Any, value: Any) -> None:
        field = field_of(description, example)
        assert field.value(field.initial) == value

    def test_the_row_leaves_out_empty_optional_columns(self) -> None:
        form = [Field("a", "number", True), Field("b", "text", False), Field("c", "text", False)]
        assert make_row(list(zip(form, [None, "", "x"], strict=True))) == {"a": None, "c": "x"}

    def test_the_row_always_has_a_column(self) -> None:
        assert make_row([(Field("b", "text", False), None)]) == {"b": None}


class TestService:
    def test_facts_and_schema(self, service: Service) -> None:
        assert service.facts()["target"] == "score"
        assert [column["name"] for column in service.schema()["columns"]] == [column.name for column in COLUMNS]

    def test_a_row_is_predicted(self, service: Service) -> None:
        row = dict(zip([column.name for column in COLUMNS], ROWS[0], strict=True))
        assert service.predict_row({**row, "built": "2020-01-02"}) == ([2003.25], "houses/1")

    def test_a_refusal_is_the_sentence_of_the_service(self, service: Service) -> None:
        with pytest.raises(ServiceError, match=r"^Columns town, built, sold_at, garden are missing, which"):
            service.predict_row({"rooms": 1})

    def test_a_refusal_names_the_row_of_the_file(self, service: Service) -> None:
        body = b"rooms,town,built,sold_at,garden\n1,near,,,\nmany,near,,,\n"
        with pytest.raises(ServiceError, match=r"^Column 'rooms' holds numbers, but row 3 of the file has 'many'\.$"):
            service.predict_csv(body)

    def test_silence_is_one_sentence_with_the_commands(self) -> None:
        message = (
            r"^houses does not answer at http://.*; see mlrunner status, or .* mlrunner deploy --restart houses\.$"
        )
        with pytest.raises(ServiceError, match=message):
            Service("houses", f"http://127.0.0.1:{loopback.free_port()}").facts()

    @pytest.mark.parametrize("body", [b"<html>", b"[1]", b""], ids=["html", "list", "nothing"])
    def test_another_server_on_the_port_is_silence(self, body: bytes) -> None:
        with answering(200, body) as url, pytest.raises(ServiceError, match="does not answer"):
            Service("houses", url).facts()

    @pytest.mark.parametrize("body", [b"<html>", b"[1]", b"{}"], ids=["html", "list", "no-message"])
    def test_a_refusal_without_a_sentence_gets_one(self, body: bytes) -> None:
        with answering(502, body) as url, pytest.raises(ServiceError, match="status 502 and no reason"):
            Service("houses", url).facts()

    def test_no_proxy_is_used(self, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
        assert service.facts()["name"] == "houses"

    def test_the_address_is_that_of_the_state(self, ledger: Ledger, running: Serving) -> None:
        assert find_service(ledger) == Service("houses", f"http://127.0.0.1:{running.port}")


@contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    """Answer every request in the same way."""
    from http.server import BaseHTTPRequestHandler, HTTPServer

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


# ---------------------------------------------------------------- the page


PAGE = PROJECT / "mlrunner" / "playground" / "page.py"


@pytest.fixture
def ledger(running: Serving, tmp_path: Path) -> Ledger:
    return ledger_of(tmp_path, running.port)


@pytest.fixture
def page(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The page, shown once."""
    return shown(ledger, monkeypatch)


def shown(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Show the page as `streamlit run page.py -- FOLDER` does."""
    from streamlit.testing.v1 import AppTest

    monkeypatch.setattr(sys, "argv", [str(PAGE), str(ledger.folder)])
    return AppTest.from_file(str(PAGE), default_timeout=30).run()


def press(page: Any, label: str = "Predict") -> Any:
    next(button for button in page.button if button.label == label).click().run()
    assert not page.exception
    return page


def labelled(elements: Any, label: str) -> Any:
    return next(element for element in elements if element.label == label)


def texts(page: Any) -> str:
    return "\n".join(element.value for element in [*page.title, *page.markdown, *page.caption]).replace("\\", "")


def errors(page: Any) -> list[str]:
    return [element.value.replace("\\", "") for element in page.error]


def answer(page: Any) -> tuple[str, str]:
    """The number in short, and the sentence below it."""
    (metric,) = page.metric
    return metric.value, page.caption[-1].value.replace("\\", "")


def csv_file(text: str) -> tuple[str, bytes, str]:
    return "rows.csv", text.encode(), "text/csv"


CSV = """rooms,town,built,sold_at,garden
3,far,2020-01-02,2021-05-06 07:08:09,true
5,near,1999-12-31,,false
"""


class TestPage:
    def test_it_says_what_serves(self, page: Any) -> None:
        assert not page.exception
        assert page.title[0].value == "houses"
        assert "Version 1 predicts score (model ridge)." in texts(page)

    def test_the_form_is_made_from_the_schema_and_filled_with_the_example(self, page: Any) -> None:
        assert labelled(page.number_input, "rooms *").value == 3.0
        assert labelled(page.selectbox, "town *").value == "far"
        assert labelled(page.selectbox, "town *").options == ["far", "near"]
        assert labelled(page.date_input, "built *").value == date(1642, 1, 2)
        assert labelled(page.text_input, "sold_at *").value == "2021-05-06T07:08:09"
        assert labelled(page.selectbox, "garden *").value == "yes"
        assert labelled(page.number_input, "price").value == 1.5

    def test_optional_columns_stand_apart(self, page: Any) -> None:
        (expander,) = page.expander
        assert expander.label == "2 optional columns"
        assert [element.label for element in expander.number_input] == ["price"]
        assert [element.label for element in expander.text_input] == [r"note\_\*of\*\_agent"]  # no Markdown

    def test_predict_shows_what_the_service_answers(self, page: Any) -> None:
        assert not page.metric
        assert answer(press(page)) == ("2003", "Exactly 2003.25, says houses/1.")

    def test_changed_fields_change_the_answer(self, page: Any) -> None:
        labelled(page.number_input, "rooms *").set_value(7.5)
        labelled(page.selectbox, "town *").set_value("near")
        labelled(page.selectbox, "garden *").set_value("no")
        labelled(page.date_input, "built *").set_value(date(2020, 1, 3))
        assert answer(press(page))[1] == "Exactly 3107.5, says houses/1."

    def test_every_field_may_be_left_empty(self, page: Any) -> None:
        for element in (*page.number_input, *page.selectbox, *page.date_input):
            element.set_value(None)
        for element in page.text_input:
            element.set_value("")
        assert answer(press(page))[1] == "Exactly 10.0, says houses/1."

    def test_a_wrong_value_is_the_sentence_of_the_service(self, page: Any) -> None:
        labelled(page.text_input, "sold_at *").set_value("*soon*")
        press(page)
        assert errors(page) == ["Column 'sold_at' holds dates, but the form has '*soon*'."]
        assert not page.metric

    def test_after_a_switch_the_next_click_asks_the_new_version(self, page: Any, ledger: Ledger) -> None:
        fewer = (replace(COLUMNS[0]), replace(COLUMNS[1], categories=frozenset({"near", "new"})), *COLUMNS[2:5])
        with serving(model(plus=0.5, columns=fewer, version=2)) as other:
            ledger_of(ledger.folder.parent, other.port)
            page.run()
            assert "Version 2 predicts" in texts(page)
            assert labelled(page.selectbox, "town *").value is None  # the new version does not know "far"
            assert answer(press(page))[1] == "Exactly 2003.75, says houses/2."

    def test_a_silent_service_is_one_sentence(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with serving(model()) as gone:
            page = shown(ledger_of(tmp_path, gone.port), monkeypatch)
        press(page)
        (message,) = errors(page)
        assert message.startswith(f"houses does not answer at http://127.0.0.1:{gone.port}; ")
        with serving(model(), gone.port):
            page.run()
            assert not page.error
            assert page.number_input

    def test_a_stopped_deployment_is_one_sentence(self, page: Any, ledger: Ledger) -> None:
        ledger_of(ledger.folder.parent, 1, is_stopped=True)
        page.run()
        assert errors(page) == ["houses is stopped; start it again with mlrunner deploy --restart houses."]

    def test_a_model_with_few_facts_has_a_page(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        bare = ServedModel(Arithmetic(), Schema(COLUMNS), {"name": "houses", "version": 1}, model().example)
        with serving(bare) as other:
            page = press(shown(ledger_of(tmp_path, other.port), monkeypatch))
            assert page.metric[0].label == "prediction"

    @pytest.mark.parametrize("separator", [",", ";", "\t"])
    def test_the_rows_of_a_file_are_predicted(self, page: Any, separator: str) -> None:
        page.file_uploader[0].set_value(csv_file("\ufeff" + CSV.replace(",", separator))).run()
        press(page, "Predict all rows")
        table = page.dataframe[0].value
        assert table.columns[0] == "prediction"
        assert table["prediction"].tolist() == [2003.25, 31105.0]

    def test_a_column_named_prediction_is_replaced(self, page: Any) -> None:
        lines = [f"{first},{line}" for first, line in zip(["prediction", "x", "y"], CSV.splitlines(), strict=True)]
        page.file_uploader[0].set_value(csv_file("\n".join(lines))).run()
        assert press(page, "Predict all rows").dataframe[0].value["prediction"].tolist() == [2003.25, 31105.0]

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            pytest.param(CSV.replace("near", "nera"), "Column 'town': row 3 of the file has 'nera', ", id="value"),
            pytest.param("rooms\n1\n", "Columns town, built, sold_at, garden are missing", id="missing columns"),
            pytest.param("a,b\n", "The file holds no row; ", id="header alone"),
            pytest.param("a,b\n1,2,3\n", "The rows of the file hold more values", id="surplus values"),
            pytest.param("a,b\n1,2\n1,2,3\n", "The file is not CSV in UTF-8 (", id="ragged"),
            pytest.param("\n", "The file is not CSV in UTF-8 (", id="empty"),
        ],
    )
    def test_a_wrong_file_is_one_sentence(self, page: Any, text: str, message: str) -> None:
        page.file_uploader[0].set_value(csv_file(text)).run()
        (error,) = errors(press(page, "Predict all rows"))
        assert error.startswith(message)
        assert not page.dataframe

    def test_a_spreadsheet_is_refused(self, page: Any) -> None:
        page.file_uploader[0].set_value(("rows.csv", b"PK\x03\x04\xff", "text/csv")).run()
        assert errors(press(page, "Predict all rows"))[0].startswith("The file is not CSV in UTF-8 (")


# ---------------------------------------------------------------- the command


@pytest.fixture
def home(running: Serving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with one deployment, which serves."""
    ledger_of(tmp_path / ".mlrunner" / "deployments", running.port)
    monkeypatch.setenv("MLRUNNER_HOME", str(tmp_path))
    return tmp_path


@contextmanager
def started(home: Path, *arguments: str, **more: str) -> Iterator[subprocess.Popen[str]]:
    """Type the verb; what is left of it in the end is killed."""
    command = [sys.executable, "-m", "mlrunner", "playground", *arguments]
    told = environment(home, PYTHONPATH=str(PROJECT), **more)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=told, cwd=home) as verb:
        try:
            yield verb
        finally:
            verb.kill()


class TestCommand:
    def test_without_streamlit_it_says_what_to_install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
        with pytest.raises(ConfigError, match=r"pip install 'mlrunner\[playground\]'\.$") as caught:
            playground.main([])
        assert caught.value.exit_code == 2

    def test_an_unknown_name_is_refused(self, home: Path) -> None:
        del home
        with pytest.raises(ConfigError, match=r"'house' is no deployment; .* Did you mean 'houses'\?"):
            playground.main(["house", "--no-browser"])

    def test_a_stopped_deployment_is_refused(self, home: Path) -> None:
        ledger_of(home / ".mlrunner" / "deployments", 1, is_stopped=True)
        with pytest.raises(ServiceError, match=r"^houses is stopped; .* mlrunner deploy --restart houses\.$"):
            playground.main(["--no-browser"])

    def test_a_deployment_that_never_served_is_refused(self, home: Path) -> None:
        (home / ".mlrunner" / "deployments" / "houses" / "state.json").unlink()
        with pytest.raises(ServiceError, match=r"^houses has never served"):
            playground.main(["--no-browser"])

    def test_a_taken_port_is_refused(self, home: Path, running: Serving) -> None:
        del home
        with pytest.raises(ConfigError, match=rf"^--port={running.port} cannot be used \(.*in use.*\); choose another"):
            playground.main(["--no-browser", "--port", str(running.port)])

    @pytest.mark.parametrize("port", ["-1", "65536"])
    def test_what_is_no_port_is_refused(self, home: Path, port: str) -> None:
        del home
        with pytest.raises(ConfigError, match=rf"^--port={port} cannot be used \(ports end at 65535\)"):
            playground.main(["--no-browser", "--port", port])

    def test_streamlit_knows_the_settings(self) -> None:
        from streamlit import config

        assert set(launch.SETTINGS) <= set(config._config_options_template)

    @pytest.mark.slow
    def test_a_page_that_cannot_start_is_one_sentence(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(launch.SETTINGS, "server.headless", "perhaps")
        with pytest.raises(MlrunnerError, match=r"^Streamlit does not run: .*perhaps.*\.$") as caught:
            launch.run(home / ".mlrunner" / "deployments" / "houses", loopback.free_port(), print)
        assert caught.value.exit_code == 2

    @pytest.mark.slow
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
    def test_it_tells_its_address_and_leaves_no_process(self, home: Path, number: signal.Signals) -> None:
        with started(home, "--no-browser") as verb:
            assert verb.stdout is not None
            line = verb.stdout.readline()
            url = next(word for word in line.split() if "://" in word)
            children = psutil.Process(verb.pid).children(recursive=True)
            with urllib.request.urlopen(url, timeout=10) as answer:
                assert answer.status == 200
            assert listens_on(children) == {"127.0.0.1"}
            verb.send_signal(number)
            assert verb.wait(20) == (0 if number != signal.SIGKILL else -signal.SIGKILL)
            assert verb.stdout.read() == ""
        assert line == f"houses is at {url} (Ctrl-C ends the page, not the service)\n"
        assert children
        assert not psutil.wait_procs(children, timeout=10)[1]

    @pytest.mark.slow
    def test_the_browser_is_opened_once_the_page_answers(self, home: Path, tmp_path: Path) -> None:
        browser = tmp_path / "browser"
        browser.write_text(f"#!/bin/sh\necho $1 > {tmp_path}/opened\n")
        browser.chmod(0o755)
        port = loopback.free_port()
        with started(home, "houses", "--port", str(port), BROWSER=str(browser)) as verb:
            assert verb.stdout is not None
            verb.stdout.readline()
            until = time.monotonic() + 10
            while not (tmp_path / "opened").exists() and time.monotonic() < until:
                time.sleep(0.05)
            verb.send_signal(signal.SIGINT)
            assert verb.wait(20) == 0
        assert (tmp_path / "opened").read_text() == f"http://127.0.0.1:{port}\n"


def listens_on(found: list[psutil.Process]) -> set[str]:
    """The addresses on which processes listen."""
    connections = [connection for process in found for connection in process.net_connections("inet")]
    return {connection.laddr.ip for connection in connections if connection.status == psutil.CONN_LISTEN}

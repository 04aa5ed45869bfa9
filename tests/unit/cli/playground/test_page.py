"""The page for people: its logic, the page under Streamlit's own AppTest over a real server, and the verb."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
import psutil
import pytest
from aiohttp import web

from mlrunner.cli.commands import playground
from mlrunner.cli.playground import code_samples, fields, launch, table
from mlrunner.cli.playground import html as look
from mlrunner.cli.playground import text as words
from mlrunner.cli.playground.fields import Field
from mlrunner.cli.playground.service import RefusedError, Service, SilentError
from mlrunner.core.errors import ConfigError, DeployError
from mlrunner.groups.deployer import daemons
from mlrunner.groups.deployer.release import Server
from mlrunner.groups.deployer.state import Ledger, State
from mlrunner.serving.model import ServedModel
from mlrunner.serving.schema import Column, Schema
from mlrunner.serving.server import Limits, ModelServer
from tests.support.front_door import PROJECT, environment

COLUMNS = (
    Column("rooms", "number", required=True),
    Column("town", "text", required=True, categories=frozenset({"far", "near"})),
    Column("built", "moment", required=True),
    Column("sold_at", "moment", required=True),
    Column("garden", "boolean", required=True),
    Column("note_*of*_agent", "text", required=False),
    Column("price", "number", required=False),
)
ROWS = [
    [3.0, "far", "2020-01-02T00:00:00", "2021-05-06T07:08:09", True, 'a "quoted" it\'s', 1.5],
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


def model(plus: float = 0.0, columns: tuple[Column, ...] = COLUMNS, **facts: Any) -> ServedModel:
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


def form_of(told: dict[str, Any], *values: Any) -> Field:
    """Make the field of one column with these values in the example."""
    example = {"dataframe_split": {"columns": [told["name"]], "data": [[value] for value in values]}}
    return fields.fields({"columns": [told], "example": example})[0]


class TestFields:
    @pytest.mark.parametrize(
        ("told", "values", "widget"),
        [
            pytest.param(column("number"), [1.0], "number", id="number"),
            pytest.param(column("boolean"), [True], "truth", id="boolean"),
            pytest.param(column("text"), ["a"], "text", id="text"),
            pytest.param(column("text"), [None], "text", id="text-without-an-example"),
            pytest.param(column("text"), ["a\nb"], "long", id="text-of-two-lines"),
            pytest.param(column("text"), ["a" * 61], "long", id="long-text"),
            pytest.param(column("text", categories=["a", "b"]), ["a"], "choice", id="categories"),
            pytest.param(column("moment"), ["2020-01-02T00:00:00", "NaT"], "date", id="days"),
            pytest.param(column("moment"), ["2020-01-02T00:00:00Z"], "date", id="days-in-utc"),
            pytest.param(column("moment"), ["2020-01-02T00:00:00+02:00"], "moment", id="days-elsewhere"),
            pytest.param(column("moment"), ["2020-01-02T03:04:05"], "moment", id="times"),
            pytest.param(column("moment"), ["NaT"], "moment", id="no-date-at-all"),
        ],
    )
    def test_a_column_becomes_the_field_that_suits_it(
        self, told: dict[str, Any], values: list[Any], widget: str
    ) -> None:
        assert form_of(told, *values).widget == widget

    @pytest.mark.parametrize(
        ("told", "value", "shown", "back"),
        [
            pytest.param(column("number"), 3, 3.0, 3, id="whole-number"),
            pytest.param(column("number"), 0.1, 0.1, 0.1, id="number"),
            pytest.param(column("number"), 1e300, 1e300, 1e300, id="huge-number"),
            pytest.param(column("number"), float("nan"), None, None, id="nan"),
            pytest.param(column("boolean"), True, "yes", True, id="true"),
            pytest.param(column("boolean"), False, "no", False, id="false"),
            pytest.param(column("boolean"), None, None, None, id="neither"),
            pytest.param(column("text"), " a ", " a ", " a ", id="text-with-blanks"),
            pytest.param(column("text", categories=["a"]), "a", "a", "a", id="category"),
            pytest.param(column("text", categories=["a"]), "b", None, None, id="unknown-category"),
            pytest.param(column("moment"), "2020-01-02T00:00:00", date(2020, 1, 2), "2020-01-02", id="day"),
            pytest.param(
                column("moment"), "2020-01-02T03:04:05", "2020-01-02 03:04:05", "2020-01-02 03:04:05", id="time"
            ),
            pytest.param(column("moment"), "NaT", None, None, id="no-date"),
        ],
    )
    def test_a_value_is_shown_and_told_again(self, told: dict[str, Any], value: Any, shown: Any, back: Any) -> None:
        field = form_of(told, value)
        assert field.shown(value) == shown
        assert field.told(field.shown(value)) == back

    def test_an_emptied_text_is_missing(self) -> None:
        assert form_of(column("text"), "a").told("") is None

    def test_a_date_of_the_example_is_never_out_of_reach(self) -> None:
        field = form_of(column("moment"), "1642-12-25T00:00:00", "2345-06-07T00:00:00")
        assert field.can_show(date(1642, 12, 25))
        assert field.can_show(date(2345, 6, 7))
        assert not field.can_show(date(1500, 1, 1))

    def test_what_another_version_offered_is_not_shown(self) -> None:
        assert not form_of(column("text", categories=["a"]), "a").can_show("b")
        assert form_of(column("text"), "a").can_show("b")

    @pytest.mark.parametrize(
        ("values", "step"),
        [
            pytest.param([1.0, 2.0], 1.0, id="whole"),
            pytest.param([], 1.0, id="none"),
            pytest.param([14.23, 13.0], 0.1, id="tens"),
            pytest.param([0.28], 0.001, id="tenths"),
            pytest.param([107.46], 1.0, id="hundreds"),
            pytest.param([123456.7], 1.0, id="thousands"),
            pytest.param([-5e-6], 1e-8, id="tiny-and-negative"),
        ],
    )
    def test_the_step_suits_the_numbers(self, values: list[float], step: float) -> None:
        assert fields.step(values) == pytest.approx(step)

    def test_the_record_holds_what_is_needed_and_what_is_given(self) -> None:
        form = [Field("a", "number", True), Field("b", "text", False), Field("c", "text", False)]
        assert fields.record(form, {"number:a": None, "text:b": "", "text:c": "x"}) == {"a": None, "c": "x"}

    def test_a_record_is_never_empty(self) -> None:
        assert fields.record([Field("b", "text", False)], {}) == {"b": None}

    def test_examples_survive_nan(self) -> None:
        told = json.loads('{"example": {"dataframe_split": {"columns": ["a"], "data": [[NaN], [1.0]]}}}')
        assert [fields.is_missing(row["a"]) for row in fields.examples(told)] == [True, False]

    def test_a_column_of_another_kind_is_another_field(self) -> None:
        assert form_of(column("number"), 1.0).key != form_of(column("text"), "1").key


class TestWords:
    @pytest.mark.parametrize(
        ("value", "told"),
        [
            pytest.param(3.14159, "3.142", id="number"),
            pytest.param(1e-7, "1e-07", id="tiny"),
            pytest.param(12345.6, "12,346", id="large"),
            pytest.param(-1.113e31, "-1.113e+31", id="huge"),
            pytest.param(2, "2", id="class-number"),
            pytest.param("yes", "yes", id="label"),
            pytest.param(True, "True", id="truth"),
            pytest.param(None, "-", id="none"),
        ],
    )
    def test_a_number_is_short(self, value: Any, told: str) -> None:
        assert words.number(value) == told

    @pytest.mark.parametrize(
        "name", ["review_score", "od280/od315_of_diluted_wines", "size, in m2", "näme", "a__b", "12 months"]
    )
    def test_common_names_stay_as_they_are(self, name: str) -> None:
        assert words.plain(name) == name

    @pytest.mark.parametrize("name", ["*a*", "_a_", "a _b_", ":red[a]", "$a$ $b$", "`a`", "1. a", "# a", "a<b>", ":a:"])
    def test_marks_are_escaped(self, name: str) -> None:
        assert words.plain(name) != name
        assert words.plain(name).replace("\\", "") == name

    @pytest.mark.parametrize(
        ("facts", "told"),
        [
            pytest.param(FACTS, ("r2 on test", "0.9123"), id="test"),
            pytest.param(
                {"metric": "r2", "metrics": {"validation/r2": 0.5}}, ("r2 on validation", "0.5"), id="no-test"
            ),
            pytest.param({}, ("score", "-"), id="nothing"),
        ],
    )
    def test_the_score_names_its_metric(self, facts: dict[str, Any], told: tuple[str, str]) -> None:
        assert words.score(facts) == told

    @pytest.mark.parametrize(
        ("metrics", "told"),
        [
            pytest.param({"test/mae": 0.25}, "On the test rows it was off by 0.25 on average.", id="regression"),
            pytest.param({"test/accuracy": 0.944}, "It was right for 94% of the test rows.", id="classification"),
            pytest.param({}, None, id="not-measured"),
        ],
    )
    def test_how_far_to_trust_it(self, metrics: dict[str, float], told: str | None) -> None:
        assert words.expectation({"metrics": metrics}) == told

    def test_a_moment_is_local(self) -> None:
        seconds = datetime(2026, 11, 5, 7, 8).timestamp()
        assert words.moment(seconds) == "5 Nov 2026, 07:08"
        assert words.moment(None) == "-"


class TestLook:
    def test_the_head_tells_what_serves(self) -> None:
        html = look.head(FACTS, 1795639787.0)
        for told in ("houses", "version 1", "score", "regression", "ridge", "r2 on test", "0.9123", "01234567"):
            assert told in html
        assert "at least 0.4 &lt;b&gt;" in html
        assert "89abcdef" not in html

    def test_a_release_without_facts_has_a_head_too(self) -> None:
        assert "version 3" in look.head({"name": "a", "version": 3}, 0.0)

    @pytest.mark.parametrize("prediction", ["<script>", "<b>a</b>"])
    def test_a_label_is_no_html(self, prediction: str) -> None:
        assert prediction not in look.answer(FACTS, prediction)

    def test_the_exact_number_stands_below_the_short_one(self) -> None:
        html = look.answer(FACTS, 3.14159265)
        assert ">3.142<" in html
        assert "exactly 3.14159265" in html
        assert "exactly" not in look.answer(FACTS, 3.5)

    def test_no_number_is_said_to_be_none(self) -> None:
        assert "no number" in look.answer(FACTS, None)


class TestService:
    def test_it_tells_facts_and_schema(self, service: Service) -> None:
        assert service.facts()["target"] == "score"
        assert [found["name"] for found in service.schema()["columns"]] == [found.name for found in COLUMNS]

    def test_it_predicts_and_says_by_which_version(self, service: Service) -> None:
        row = dict(zip([found.name for found in COLUMNS], ROWS[0], strict=True))
        answer = service.predict(row)
        assert answer.predictions == [2003.25]
        assert answer.version == "1"

    def test_a_refusal_is_the_sentence_of_the_service(self, service: Service) -> None:
        with pytest.raises(RefusedError, match=r"^Columns town, built, sold_at, garden are missing, which"):
            service.predict({"rooms": 1})

    def test_silence_is_one_sentence_with_the_commands(self) -> None:
        told = r"^houses does not answer at http://.*; see mlrunner status, or .* mlrunner deploy --restart houses\.$"
        with pytest.raises(SilentError, match=told):
            Service("houses", f"http://127.0.0.1:{daemons.free_port()}").facts()

    @pytest.mark.parametrize("body", [b"<html>", b"[1]", b""], ids=["html", "list", "nothing"])
    def test_somebody_else_on_the_port_is_silence(self, body: bytes) -> None:
        with answering(200, body) as url, pytest.raises(SilentError):
            Service("houses", url).facts()

    @pytest.mark.parametrize("body", [b"<html>", b"[1]", b"{}"], ids=["html", "list", "no-message"])
    def test_a_refusal_without_a_sentence_gets_one(self, body: bytes) -> None:
        with answering(502, body) as url, pytest.raises(RefusedError, match="status 502 and no reason"):
            Service("houses", url).facts()

    def test_a_proxy_is_not_asked(self, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
        assert service.facts()["name"] == "houses"


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


class TestSnippets:
    ROW: ClassVar = {"rooms": 3, "town": None, "built": "2020-01-02", "sold_at": None, "garden": True, "price": 0.1}

    @pytest.fixture(params=["plain", 'it\'s "quoted" $HOME `id` \\ é\n%s {x}', "@file"])
    def row(self, request: pytest.FixtureRequest) -> dict[str, Any]:
        return {**self.ROW, "note_*of*_agent": request.param}

    def test_the_python_program_can_be_pasted(self, service: Service, row: dict[str, Any]) -> None:
        program = code_samples.python(service.invocations, row)
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
        assert done.stdout == f"{service.predict(row).predictions}\n", done.stderr

    @pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
    def test_the_curl_command_can_be_pasted(self, service: Service, row: dict[str, Any]) -> None:
        done = subprocess.run(code_samples.curl(service.invocations, row), shell=True, capture_output=True, timeout=60)
        assert json.loads(done.stdout) == {"predictions": service.predict(row).predictions}, done.stderr

    @pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
    def test_the_command_for_a_file_can_be_pasted(self, service: Service, tmp_path: Path) -> None:
        (tmp_path / "rows.csv").write_bytes(table.example(fields.examples({"example": JSON_EXAMPLE})))
        command = code_samples.curl_csv(service.invocations)
        done = subprocess.run(command, shell=True, capture_output=True, timeout=60, cwd=tmp_path)
        assert json.loads(done.stdout) == {"predictions": [2003.25, 31105.0]}, done.stderr

    def test_what_is_sent_is_the_row_itself(self, row: dict[str, Any]) -> None:
        scope: dict[str, Any] = {}
        program = code_samples.python("http://127.0.0.1:1/invocations", row)
        exec(program[: program.index("request = ")], scope)
        assert json.loads(scope["body"]) == {"dataframe_records": [row]}


class TestTable:
    @pytest.mark.parametrize("delimiter", [",", ";", "\t"])
    @pytest.mark.parametrize("end", ["\n", "\r\n"])
    def test_a_file_is_read(self, delimiter: str, end: str) -> None:
        text = end.join(["a,b".replace(",", delimiter), f'1{delimiter}"x{delimiter}{end}y"', f"2{delimiter}", ""])
        found = table.read(b"\xef\xbb\xbf" + text.encode())
        assert found.header == ["a", "b"]
        assert found.rows == [["1", f"x{delimiter}{end}y"], ["2", ""]]
        assert found.lines == [2, 4]

    @pytest.mark.parametrize(
        ("data", "told"),
        [
            pytest.param(b"", "holds no row", id="empty"),
            pytest.param(b"a,b\n", "holds no row", id="header-only"),
            pytest.param(b"a,b\n1,2\n3\n", r"^Line 3 of the file does not have 2 values", id="ragged"),
            pytest.param("a\nä\n".encode("latin-1"), "not CSV in UTF-8", id="latin-1"),
            pytest.param(b'a\n"x\n', "not CSV in UTF-8", id="open-quote"),
            pytest.param(b"PK\x03\x04\xff", "not CSV in UTF-8", id="a-spreadsheet"),
        ],
    )
    def test_what_is_no_table_is_refused_in_one_sentence(self, data: bytes, told: str) -> None:
        with pytest.raises(RefusedError, match=told):
            table.read(data)

    def test_many_rows_go_in_parts(self, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
        bodies: list[bytes] = []
        shares: list[float] = []
        asked = Service.predict_csv

        def noted(own: Service, body: bytes) -> Any:
            bodies.append(body)
            return asked(own, body)

        monkeypatch.setattr(Service, "predict_csv", noted)
        rows = [[str(at), "near", "", "", "", ""] for at in range(2500)]
        header = ["rooms", "town", "built", "sold_at", "garden", "unknown"]
        found = table.predict(service, table.read(table.write(header, rows)), shares.append)
        assert found == [at + 100.0 for at in range(2500)]
        assert [body.count(b"\n") - 1 for body in bodies] == [1000, 1000, 500]
        assert shares == [0.4, 0.8, 1.0]

    def test_a_refusal_names_the_line_of_the_file(self, service: Service) -> None:
        rows = [[str(at), "near", "", "", ""] for at in range(1500)]
        rows[1200][0], rows[0][1] = "many", "near"
        given = table.read(b"\n" + table.write(["rooms", "town", "built", "sold_at", "garden"], rows))
        with pytest.raises(RefusedError, match=r"^Column 'rooms' holds numbers, but line 1203 has 'many'\.$"):
            table.predict(service, given, lambda _: None)

    @pytest.mark.parametrize(
        "sentence", ["Column 'row 7' is missing.", "Column 'x': row 9 has 'a'.", "The body holds no row."]
    )
    def test_what_names_no_row_that_was_sent_is_left_as_it_is(self, sentence: str) -> None:
        assert table.placed(sentence, ["line 2"]) == sentence

    def test_predictions_come_first_and_hide_no_column(self) -> None:
        given = table.Table(["prediction", "a"], [["x", "1"]], [2])
        assert table.with_predictions(given, [0.5]) == (["prediction_", "prediction", "a"], [[0.5, "x", "1"]])

    def test_the_example_file_is_one_to_begin_with(self, service: Service) -> None:
        given = table.read(table.example(fields.examples(service.schema())))
        assert table.predict(service, given, lambda _: None) == [2003.25, 31105.0]


class TestServed:
    def test_it_is_asked_anew(self, running: Serving, tmp_path: Path) -> None:
        ledger = ledger_of(tmp_path, running.port)
        assert launch.ask(ledger).version == "1"
        with serving(model(version=2)) as other:
            ledger_of(tmp_path, other.port)
            assert launch.ask(ledger).version == "2"

    def test_a_stopped_deployment_is_one_sentence(self, tmp_path: Path) -> None:
        ledger = ledger_of(tmp_path, 1, is_stopped=True)
        with pytest.raises(RefusedError, match=r"^houses is stopped; .* mlrunner deploy --restart houses\.$"):
            launch.ask(ledger)


# ---------------------------------------------------------------- the page


PAGE = PROJECT / "mlrunner" / "playground" / "page.py"


@pytest.fixture
def ledger(running: Serving, tmp_path: Path) -> Ledger:
    return ledger_of(tmp_path, running.port)


@pytest.fixture
def page(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The page, shown once."""
    from streamlit.testing.v1 import AppTest

    monkeypatch.setenv(launch.FOLDER, str(ledger.folder))
    return AppTest.from_file(str(PAGE), default_timeout=30).run()


def html(page: Any) -> str:
    """Everything on the page that we wrote as HTML."""
    return "\n".join(found.proto.body for found in page.get("html") if not found.proto.body.startswith("<style>"))


def press(page: Any) -> Any:
    return next(button for button in page.button if button.label == "Predict").click().run()


def request_row(page: Any) -> dict[str, Any]:
    """The row of the Python program on the page."""
    scope: dict[str, Any] = {}
    program = next(found.value for found in page.code if found.value.startswith("import json"))
    exec(program[: program.index("request = ")], scope)
    row: dict[str, Any] = scope["row"]
    return row


class TestPage:
    def test_it_tells_what_serves(self, page: Any) -> None:
        assert not page.exception
        for told in ("houses", "version 1", "score", "r2 on test", "0.9123", "at least 0.4 &lt;b&gt;", "01234567"):
            assert told in html(page)

    def test_the_form_is_made_from_the_schema_and_filled_with_the_example(self, page: Any) -> None:
        assert page.number_input(key="number:rooms").value == 3.0
        assert page.selectbox(key="choice:town").value == "far"
        assert page.selectbox(key="choice:town").options == ["far", "near"]
        assert page.date_input(key="date:built").value == date(2020, 1, 2)
        assert page.text_input(key="moment:sold_at").value == "2021-05-06 07:08:09"
        assert page.session_state["truth:garden"] == "yes"
        assert page.text_area(key="long:note_*of*_agent").value == ROWS[0][5]
        assert page.number_input(key="number:price").value == 1.5

    def test_the_columns_that_the_model_needs_come_first_and_are_marked(self, page: Any) -> None:
        assert page.number_input(key="number:rooms").label == "rooms *"
        assert page.number_input(key="number:price").label == "price"
        assert [found.label for found in page.expander] == ["2 more columns, which the model can do without"]
        assert page.expander[0].number_input[0].key == "number:price"

    def test_predict_shows_what_the_service_says(self, page: Any) -> None:
        assert "Press Predict" in html(page)
        assert "2,003" not in html(page)
        press(page)
        assert not page.exception
        assert '<div class="pg-value">2,003</div>' in html(page)
        assert "exactly 2003.25" in html(page)

    def test_every_field_may_be_left_empty(self, page: Any) -> None:
        page.number_input(key="number:rooms").set_value(None)
        page.selectbox(key="choice:town").set_value(None)
        page.date_input(key="date:built").set_value(None)
        page.text_input(key="moment:sold_at").set_value("")
        page.text_area(key="long:note_*of*_agent").set_value("")
        page.number_input(key="number:price").set_value(None)
        page.segmented_control(key="truth:garden").set_value(None)
        press(page)
        assert request_row(page) == dict.fromkeys(["rooms", "town", "built", "sold_at", "garden"])
        assert "pg-value" in html(page)

    def test_an_example_fills_the_form(self, page: Any) -> None:
        page.pills(key="example").set_value("2").run()
        assert page.number_input(key="number:rooms").value == 5.0
        assert page.selectbox(key="choice:town").value == "near"
        assert page.text_input(key="moment:sold_at").value is None
        press(page)
        assert "31,105" in html(page)

    def test_nothing_empties_the_form(self, page: Any) -> None:
        page.pills(key="example").set_value("nothing").run()
        press(page)
        assert request_row(page) == dict.fromkeys(["rooms", "town", "built", "sold_at", "garden"])
        assert '<div class="pg-value">10</div>' in html(page)

    def test_a_wrong_value_is_the_sentence_of_the_service(self, page: Any) -> None:
        page.text_input(key="moment:sold_at").set_value("*soon*")
        press(page)
        assert not page.exception
        assert [found.value.replace("\\", "") for found in page.error] == [
            "Column 'sold_at' holds dates, but the form has '*soon*'."
        ]
        assert "pg-value" not in html(page)

    def test_the_request_does_what_the_form_does(self, page: Any, service: Service) -> None:
        page.number_input(key="number:rooms").set_value(7.5)
        press(page)
        row = request_row(page)
        assert row["rooms"] == 7.5
        assert f"exactly {service.predict(row).predictions[0]!r}" in html(page)
        assert any(service.invocations in found.value and "curl" in found.value for found in page.code)

    def test_another_value_hides_the_old_prediction(self, page: Any) -> None:
        press(page)
        page.pills(key="example").set_value("2").run()
        assert "pg-value" not in html(page)

    def test_after_a_switch_the_next_click_shows_the_new_version(self, page: Any, ledger: Ledger) -> None:
        press(page)
        fewer = (replace(COLUMNS[0]), replace(COLUMNS[1], categories=frozenset({"near", "new"})), *COLUMNS[2:5])
        with serving(model(plus=0.5, columns=fewer, version=2)) as other:
            ledger_of(ledger.folder.parent, other.port)
            page.run()
            assert not page.exception
            assert "version 2" in html(page)
            assert "Version 2 serves now" in html(page)
            assert "pg-value" not in html(page)
            assert page.selectbox(key="choice:town").value is None  # the new version does not know "far"
            press(page)
            assert f">{words.number(2003.75)}<" in html(page)

    def test_a_switch_between_two_requests_is_noticed(
        self, page: Any, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with serving(model(plus=0.5, version=2)) as other:
            asked = Service.predict

            def switching(own: Service, row: dict[str, Any]) -> Any:
                ledger_of(ledger.folder.parent, other.port)
                return asked(replace(own, url=f"http://127.0.0.1:{other.port}"), row)

            monkeypatch.setattr(Service, "predict", switching)
            press(page)
            assert not page.exception
            assert "version 2" in html(page)
            assert f">{words.number(2003.75)}<" in html(page)

    def test_a_service_that_is_gone_is_one_sentence_and_comes_back_with_the_form_as_it_was(
        self, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from streamlit.testing.v1 import AppTest

        monkeypatch.setenv(launch.FOLDER, str(ledger.folder))
        with serving(model()) as gone:
            ledger_of(ledger.folder.parent, gone.port)
            page = AppTest.from_file(str(PAGE), default_timeout=30).run()
            page.number_input(key="number:rooms").set_value(8.0)
            press(page)
        page.number_input(key="number:rooms").set_value(9.0)
        press(page)
        assert not page.exception
        (told,) = [found.value.replace("\\", "") for found in page.error]
        assert told == words.silent("houses", f"http://127.0.0.1:{gone.port}")
        assert not page.number_input
        page.run()
        with serving(model(), gone.port):
            next(button for button in page.button if button.label == "Ask again").click().run()
            assert page.number_input(key="number:rooms").value == 9.0
            assert not page.error

    def test_a_stopped_deployment_is_one_sentence(self, page: Any, ledger: Ledger) -> None:
        ledger_of(ledger.folder.parent, 1, is_stopped=True)
        page.run()
        assert [found.value.replace("\\", "") for found in page.error] == [words.stopped("houses")]

    def test_a_release_that_tells_little_has_a_page(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        from streamlit.testing.v1 import AppTest

        bare = ServedModel(Arithmetic(), Schema(COLUMNS), {"name": "houses", "version": 1}, model().example)
        with serving(bare) as other:
            monkeypatch.setenv(launch.FOLDER, str(ledger_of(tmp_path, other.port).folder))
            page = press(AppTest.from_file(str(PAGE), default_timeout=30).run())
            assert not page.exception
            assert "pg-value" in html(page)

    def test_the_rows_of_a_file_are_predicted(self, page: Any) -> None:
        data = table.example(fields.examples({"example": JSON_EXAMPLE}))
        page.file_uploader[0].set_value(("rows.csv", data, "text/csv")).run()
        next(button for button in page.button if button.label == "Predict 2 rows").click().run()
        assert not page.exception
        assert page.dataframe[0].value["prediction"].tolist() == [2003.25, 31105.0]

    def test_a_bad_file_is_one_sentence_with_its_line(self, page: Any) -> None:
        data = table.example(fields.examples({"example": JSON_EXAMPLE})).replace(b"near", b"nera")
        page.file_uploader[0].set_value(("rows.csv", data, "text/csv")).run()
        next(button for button in page.button if button.label == "Predict 2 rows").click().run()
        assert not page.exception
        (told,) = [found.value.replace("\\", "") for found in page.error]
        assert told.startswith("Column 'town': line 3 has 'nera', which training did not see")
        assert not page.dataframe


# ---------------------------------------------------------------- the verb


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


class TestVerb:
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
        with pytest.raises(ConfigError, match=r"^houses is stopped; .* mlrunner deploy --restart houses\.$"):
            playground.main(["--no-browser"])

    def test_a_deployment_that_never_served_is_refused(self, home: Path) -> None:
        (home / ".mlrunner" / "deployments" / "houses" / "state.json").unlink()
        with pytest.raises(ConfigError, match=r"^houses has never served"):
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

    def test_its_settings_are_streamlits(self) -> None:
        from streamlit import config

        known = {name: option.env_var for name, option in config._config_options_template.items()}
        assert {name: known.get(name) for name in launch.SETTINGS} == {
            name: launch.variable(name) for name in launch.SETTINGS
        }

    def test_a_page_that_cannot_start_is_one_sentence(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "executable", "/bin/false")
        with pytest.raises(DeployError, match=r"^The page does not run: it says nothing \(all of it is in /.*\)\.$"):
            launch.run(home / ".mlrunner" / "deployments" / "houses", 1, print)

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
        port = daemons.free_port()
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

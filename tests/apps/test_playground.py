"""The page for people in a real browser, over a model that was really deployed."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.support.front_door import PROJECT, environment, front_door

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DEAF = ["--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"]  # there is no network but the loopback
ROOT = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium's sandbox refuses root
VERB = "import sys; from mlrunner.cli.commands import load; sys.exit(load('playground')(sys.argv[1:]))"
DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (apt-get install chromium)"),
]


def houses(file: Path) -> Path:
    """Write a table with columns of every kind."""
    rng, count = np.random.default_rng(0), 120
    table = pd.DataFrame(
        {
            "built": pd.date_range("2004-01-01", periods=count),
            "seen_at": pd.date_range("2024-01-01 10:11:12", periods=count, freq="7h"),
            "garden": rng.random(count) > 0.5,
            "town": rng.choice(["far", "near"], count),
            "size": rng.normal(size=count),
            "noise": rng.normal(size=count) * 1e-4,
        }
    )
    table["score"] = 3 * table["size"] + 2 * table["garden"] + (table["town"] == "far")
    table.loc[3, "seen_at"] = pd.NaT
    table.to_parquet(file)
    return file


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home in which a model is deployed."""
    folder = tmp_path_factory.mktemp("playground")
    data = [f"dataset.path={houses(folder / 'houses.parquet')}", "dataset=parquet", "dataset.target=score"]
    chosen = ["cleaning=full", "model=ridge", "gate=threshold", "gate.threshold=0.5", "tracking.plots=false"]
    deployed = front_door(
        folder, *data, *chosen, "deployer=local", "deployer.name=houses", f"deployer.port={free_port()}"
    )
    try:
        assert deployed.code == 0, deployed.err
        yield folder
    finally:
        stopped = front_door(folder, "stop", "houses")
    assert stopped.code == 0, stopped.err


@pytest.fixture(scope="module")
def service(home: Path) -> str:
    state = json.loads((home / ".mlrunner" / "deployments" / "houses" / "state.json").read_text())
    return f"http://127.0.0.1:{state['port']}"


@pytest.fixture(scope="module")
def url(home: Path) -> Iterator[str]:
    """Where the verb says that the page is."""
    command = [sys.executable, "-c", VERB, "houses", "--no-browser"]
    told = environment(home, PYTHONPATH=str(PROJECT))
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=told) as verb:
        try:
            assert verb.stdout is not None
            yield next(word for word in verb.stdout.readline().split() if "://" in word)
        finally:
            verb.terminate()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (pip install playwright)")
    with api.sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=CHROMIUM, args=[*ROOT, *DEAF])
        yield found
        found.close()


class Page:
    """The page as a person sees it, with a note of whom it called."""

    def __init__(self, browser: Any, url: str, size: dict[str, int]) -> None:
        self._context = browser.new_context(viewport=size)
        self.tab, self.called = self._context.new_page(), list[str]()
        self.tab.set_default_timeout(30_000)
        self.tab.on("request", lambda request: self.called.append(request.url))
        self.tab.on("websocket", lambda socket: self.called.append(socket.url))
        self.tab.goto(url)
        self.predict_button.wait_for()

    @property
    def predict_button(self) -> Any:
        return self.tab.get_by_role("button", name="Predict", exact=True)

    def predict(self) -> float:
        """Press the button, and read the answer."""
        self.predict_button.click()
        note = self.tab.get_by_text("exactly")
        note.wait_for()
        return float(note.inner_text().split()[1])

    def go(self, name: str) -> None:
        self.tab.get_by_role("tab", name=name).click()

    def fill(self, label: str, text: str) -> None:
        self.tab.get_by_label(label, exact=True).fill(text)

    def close(self) -> None:
        self._context.close()


@pytest.fixture(params=[pytest.param(DESKTOP, id="desktop")])
def page(browser: Any, url: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    found = Page(browser, url, request.param)
    yield found
    found.close()


def free_port() -> int:
    from mlrunner.groups.deployer import daemons

    return daemons.free_port()


def asked(service: str, body: bytes, content_type: str = "application/json") -> list[float]:
    """Ask the service without the page."""
    request = urllib.request.Request(f"{service}/invocations", body, {"Content-Type": content_type})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return list(json.load(answer)["predictions"])


def example(service: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{service}/schema", timeout=30) as answer:
        return dict(json.load(answer)["example"])


class TestPage:
    def test_the_form_predicts_what_the_service_predicts(self, page: Page, service: str) -> None:
        given = example(service)["dataframe_split"]
        # That row alone: among others it goes through another kernel of BLAS, which may end in another last digit.
        (first,) = asked(service, json.dumps({"dataframe_split": {**given, "data": given["data"][:1]}}).encode())
        assert page.predict() == first

        page.fill("size *", "0.12345")
        page.fill("noise *", "")
        page.fill("seen_at *", "2024-02-03 04:05:06")
        page.tab.get_by_label("town *", exact=True).click()
        page.tab.get_by_role("option", name="far").click()
        page.tab.get_by_text("no", exact=True).click()
        row = {"built": "2004-01-01", "seen_at": "2024-02-03 04:05:06", "garden": False, "town": "far"}
        body = json.dumps({"dataframe_records": [{**row, "size": 0.12345, "noise": None}]}).encode()
        (expected,) = asked(service, body)
        assert expected != first
        page.predict_button.click()
        page.tab.get_by_text(f"exactly {expected!r}").wait_for()

        page.go("As a request")
        command = page.tab.get_by_test_id("stCode").first.inner_text()
        if shutil.which("curl") is not None:
            done = subprocess.run(command, shell=True, capture_output=True, timeout=60)
            assert json.loads(done.stdout) == {"predictions": [expected]}, command

    def test_it_tells_what_serves(self, page: Page) -> None:
        for told in (
            "houses",
            "version 1",
            "regression · model ridge",
            "r2 on test",
            "is at least 0.5",
            "serves since",
        ):
            page.tab.get_by_text(told).first.wait_for()
        assert page.tab.get_by_text("Deploy", exact=True).count() == 0
        assert page.tab.get_by_test_id("stMainMenu").count() == 0

    def test_a_wrong_value_is_one_sentence(self, page: Page) -> None:
        page.fill("seen_at *", "yesterday-ish")
        page.predict_button.click()
        alert = page.tab.get_by_role("alert")
        alert.wait_for()
        assert alert.inner_text() == "Column 'seen_at' holds dates, but the form has 'yesterday-ish'."

    def test_a_file_is_predicted_as_the_service_predicts_it(self, page: Page, service: str, tmp_path: Path) -> None:
        page.go("Many rows")
        sample, found = tmp_path / "rows.csv", tmp_path / "found.csv"
        with page.tab.expect_download() as download:
            page.tab.get_by_role("button", name="Download an example file").click()
        download.value.save_as(sample)
        page.tab.locator("input[type=file]").set_input_files(sample)
        page.tab.get_by_role("button", name="Predict 5 rows").click()
        with page.tab.expect_download() as download:
            page.tab.get_by_role("button", name="Download the predictions").click()
        download.value.save_as(found)
        assert download.value.suggested_filename == "rows_predictions.csv"
        with found.open() as file:
            predictions = [float(row["prediction"]) for row in csv.DictReader(file)]
        assert predictions == asked(service, sample.read_bytes(), "text/csv")

    def test_nobody_else_is_called(self, page: Page, url: str) -> None:
        page.predict()
        page.go("As a request")
        page.go("Many rows")
        page.tab.get_by_role("button", name="Download an example file").wait_for()
        address = url.removeprefix("http://")
        assert {called.split("/")[2] for called in page.called if not called.startswith(("data:", "blob:"))} == {
            address
        }

    @pytest.mark.parametrize("page", [PHONE], indirect=True, ids=["phone"])
    def test_a_phone_shows_the_fields_below_each_other_in_order(self, page: Page) -> None:
        labels = ["built *", "seen_at *", "garden *", "town *", "size *", "noise *"]
        boxes = [page.tab.get_by_text(label, exact=True).bounding_box() for label in labels]
        assert [box["y"] for box in boxes] == sorted(box["y"] for box in boxes)
        assert len({round(box["x"]) for box in boxes}) == 1
        page.predict()
        assert page.tab.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
        assert page.tab.locator(".pg-value").bounding_box()["width"] < PHONE["width"]

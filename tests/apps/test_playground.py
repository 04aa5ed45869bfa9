"""The page of the playground in a browser, over a deployed model."""

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

from mlrunner.core.loopback import free_port
from tests.support.front_door import PROJECT, environment, front_door

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DEAF = ["--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"]  # there is no network but the loopback
ROOT = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium's sandbox refuses root
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
    choices = ["cleaning=full", "model=ridge", "gate=threshold", "gate.threshold=0.5", "tracking.plots=false"]
    deployed = front_door(
        folder, *data, *choices, "deployer=local", "deployer.name=houses", f"deployer.port={free_port()}"
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
    """The address that the command prints."""
    command = [sys.executable, "-m", "mlrunner", "playground", "houses", "--no-browser"]
    variables = environment(home, PYTHONPATH=str(PROJECT))
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=variables) as process:
        try:
            assert process.stdout is not None
            yield next(word for word in process.stdout.readline().split() if "://" in word)
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (pip install playwright)")
    with api.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=[*ROOT, *DEAF])
        yield chromium
        chromium.close()


class Page:
    """The page as a person sees it, with the addresses of its requests."""

    def __init__(self, browser: Any, url: str, size: dict[str, int]) -> None:
        self._context = browser.new_context(viewport=size)
        self.tab, self.requests = self._context.new_page(), list[str]()
        self.tab.set_default_timeout(30_000)
        self.tab.on("request", lambda request: self.requests.append(request.url))
        self.tab.on("websocket", lambda socket: self.requests.append(socket.url))
        self.tab.goto(url)
        self.predict_button.wait_for()

    @property
    def predict_button(self) -> Any:
        return self.tab.get_by_role("button", name="Predict", exact=True)

    def predict(self) -> float:
        """Press the button, and read the answer."""
        self.predict_button.click()
        sentence = self.tab.get_by_text("Exactly")
        sentence.wait_for()
        return float(sentence.inner_text().split()[1].rstrip(","))

    def fill(self, label: str, text: str) -> None:
        self.tab.get_by_label(label, exact=True).fill(text)

    def choose(self, label: str, option: str) -> None:
        self.tab.get_by_label(label, exact=True).click()
        self.tab.get_by_role("option", name=option, exact=True).click()

    def close(self) -> None:
        self._context.close()


@pytest.fixture(params=[pytest.param(DESKTOP, id="desktop")])
def page(browser: Any, url: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    opened = Page(browser, url, request.param)
    yield opened
    opened.close()


def request_predictions(service: str, body: bytes, content_type: str = "application/json") -> list[float]:
    """Ask the service without the page."""
    request = urllib.request.Request(f"{service}/invocations", body, {"Content-Type": content_type})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return list(json.load(answer)["predictions"])


def example(service: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{service}/schema", timeout=30) as answer:
        return dict(json.load(answer)["example"])


class TestPage:
    def test_the_form_predicts_what_the_service_predicts(self, page: Page, service: str) -> None:
        rows = example(service)["dataframe_split"]
        # That row alone: among others it goes through another kernel of BLAS, which may end in another last digit.
        (first,) = request_predictions(
            service, json.dumps({"dataframe_split": {**rows, "data": rows["data"][:1]}}).encode()
        )
        assert page.predict() == first

        page.fill("size *", "0.12345")
        page.fill("noise *", "")
        page.fill("seen_at *", "2024-02-03 04:05:06")
        page.choose("town *", "far")
        page.choose("garden *", "no")
        row = {"built": "2004-01-01", "seen_at": "2024-02-03 04:05:06", "garden": False, "town": "far"}
        body = json.dumps({"dataframe_records": [{**row, "size": 0.12345, "noise": None}]}).encode()
        (expected,) = request_predictions(service, body)
        assert expected != first
        page.predict_button.click()
        page.tab.get_by_text(f"Exactly {expected!r}, says houses/1.").wait_for()

    def test_it_says_what_serves(self, page: Page) -> None:
        page.tab.get_by_text("Version 1 predicts score (model ridge).").wait_for()
        assert page.tab.get_by_text("Deploy", exact=True).count() == 0
        assert page.tab.get_by_test_id("stMainMenu").count() == 0

    def test_a_wrong_value_is_one_sentence(self, page: Page) -> None:
        page.fill("seen_at *", "yesterday-ish")
        page.predict_button.click()
        alert = page.tab.get_by_role("alert")
        alert.wait_for()
        assert alert.inner_text() == "Column 'seen_at' holds dates, but the form has 'yesterday-ish'."

    def test_a_file_is_predicted_and_no_other_host_is_called(
        self, page: Page, url: str, service: str, tmp_path: Path
    ) -> None:
        split = example(service)["dataframe_split"]
        rows, answers = tmp_path / "rows.csv", tmp_path / "answers.csv"
        pd.DataFrame(split["data"], columns=split["columns"]).to_csv(rows, index=False)
        page.predict()
        page.tab.get_by_role("tab", name="CSV file").click()
        page.tab.locator("input[type=file]").set_input_files(rows)
        page.tab.get_by_role("button", name="Predict all rows").click()
        with page.tab.expect_download() as download:
            page.tab.get_by_role("button", name="Download the predictions").click()
        download.value.save_as(answers)
        assert download.value.suggested_filename == "rows_predictions.csv"
        with answers.open() as file:
            predictions = [float(row["prediction"]) for row in csv.DictReader(file)]
        assert predictions == request_predictions(service, rows.read_bytes(), "text/csv")
        hosts = {request.split("/")[2] for request in page.requests if not request.startswith(("data:", "blob:"))}
        assert hosts == {url.removeprefix("http://")}

    @pytest.mark.parametrize("page", [PHONE], indirect=True, ids=["phone"])
    def test_a_phone_shows_the_fields_below_each_other_in_order(self, page: Page) -> None:
        labels = ["built *", "seen_at *", "garden *", "town *", "size *", "noise *"]
        boxes = [page.tab.get_by_text(label, exact=True).bounding_box() for label in labels]
        assert [box["y"] for box in boxes] == sorted(box["y"] for box in boxes)
        assert len({round(box["x"]) for box in boxes}) == 1
        page.predict()
        assert page.tab.evaluate("document.documentElement.scrollWidth") == PHONE["width"]

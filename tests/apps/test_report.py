"""Reports of real runs in a real browser, which has no network, and beside MLflow's own client."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.front_door import front_door
from tests.support.recorded import Recorded

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ROOT = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium's sandbox refuses root
DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
COMMON = ["summary", "scores", "differences", "importances", "data", "environment", "commands"]
SECTIONS = {
    "search": {*COMMON, "leaderboard", "search", "cost", "model"},
    "grid": {*COMMON, "leaderboard", "cost"},  # without plots
    "classes": {*COMMON, "model"},
}
PICTURES = {
    "search": {
        "optimization_history",
        "slices",
        "cost_against_score",
        "residuals",
    },
    "grid": {"cost_against_score"},
    "classes": {"confusion_matrix", "roc", "pr", "feature_importance"},
}

pytestmark = pytest.mark.slow
in_browser = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (apt-get install chromium)"),
]


@pytest.fixture(scope="module")
def files(recorded: Recorded, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the report that the search wrote, and write two more."""
    folder = tmp_path_factory.mktemp("reports")
    reports = {"search": Path(recorded.search["report"])}
    parent = Path(recorded.grid[0]["folder"]).parent
    for kind, name in {"grid": "/".join(parent.parts[-2:]), "classes": recorded.classes["run_id"][:8]}.items():
        written = front_door(recorded.home, "report", name, "-o", str(folder / f"{kind}.html"), "--json")
        assert written.code == 0, written.err
        reports[kind] = Path(written.json["report"])
    return reports


@pytest.fixture(scope="module")
def client(recorded: Recorded) -> Any:
    from mlflow import MlflowClient

    return MlflowClient(f"sqlite:///{recorded.home}/.mlrunner/mlflow.db")


class Opened:
    """A report in the browser, with its requests and errors."""

    def __init__(self, browser: Any, file: Path, **settings: Any) -> None:
        self._context = browser.new_context(offline=True, **settings)
        self.tab, self.requests, self.errors = self._context.new_page(), list[str](), list[str]()
        self.tab.set_default_timeout(30_000)
        self.tab.on("request", lambda request: self.requests.append(request.url))
        self.tab.on("console", lambda message: self.errors.append(message.text))
        self.tab.on("pageerror", lambda error: self.errors.append(str(error)))
        self.tab.goto(file.as_uri())

    def column(self, table: str, name: str) -> list[str]:
        """Read the visible cells of a column, exact values if there are any."""
        heads = [text.splitlines()[0].strip() for text in self.tab.locator(f"{table} thead th").all_inner_texts()]
        cells = self.tab.locator(f"{table} tbody tr:visible > :nth-child({heads.index(name) + 1})")
        values: list[str] = cells.evaluate_all("all => all.map(cell => cell.dataset.value ?? cell.textContent.trim())")
        return values

    def close(self) -> None:
        self._context.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (pip install playwright)")
    with api.sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=CHROMIUM, args=ROOT)
        yield launched
        launched.close()


@pytest.fixture
def search(browser: Any, files: dict[str, Path]) -> Iterator[Opened]:
    page = Opened(browser, files["search"], viewport=DESKTOP)
    yield page
    page.close()


class TestFile:
    def test_search_writes_and_logs_its_report(self, recorded: Recorded, client: Any, tmp_path: Path) -> None:
        file = Path(recorded.search["report"])
        assert file == Path(recorded.search["folder"]) / "report.html"
        logged = client.download_artifacts(recorded.search["parent_run_id"], "report.html", str(tmp_path))
        assert Path(logged).read_bytes() == file.read_bytes()

    def test_command_logs_the_report(
        self, recorded: Recorded, files: dict[str, Path], client: Any, tmp_path: Path
    ) -> None:
        logged = client.download_artifacts(recorded.classes["run_id"], "report.html", str(tmp_path))
        assert Path(logged).read_bytes() == files["classes"].read_bytes()

    def test_sweep_without_plots_writes_no_report(self, recorded: Recorded) -> None:
        assert not (Path(recorded.grid[0]["folder"]).parent / "report.html").exists()

    @pytest.mark.parametrize(("arguments", "message"), [
        (["missing"], "No run matches 'missing'"),
        (["latest", "-o", "/proc/no/report.html"], "Cannot write /proc/no/report.html"),
    ])  # fmt: skip
    def test_mistakes_are_one_sentence(self, recorded: Recorded, arguments: list[str], message: str) -> None:
        printed = front_door(recorded.home, "report", *arguments)
        assert (printed.code, printed.out) == (2, "")
        assert message in printed.err
        assert "Traceback" not in printed.err


class TestBrowser:
    pytestmark = in_browser

    @pytest.mark.parametrize(
        ("kind", "size"), [("search", DESKTOP), ("search", PHONE), ("grid", PHONE), ("classes", DESKTOP)]
    )
    def test_page_is_complete_without_a_network(
        self, browser: Any, files: dict[str, Path], kind: str, size: dict[str, int]
    ) -> None:
        page = Opened(browser, files[kind], viewport=size)
        assert page.errors == []
        assert {url.partition(":")[0] for url in page.requests} <= {"file", "data"}
        assert [url for url in page.requests if url.startswith("file")] == [files[kind].as_uri()]
        assert page.tab.evaluate("document.documentElement.scrollWidth") == size["width"]
        ids = page.tab.locator("section").evaluate_all("all => all.map(element => element.id)")
        assert set(ids) == SECTIONS[kind]
        pictures = page.tab.locator("figure").evaluate_all("all => all.map(element => element.id)")
        assert PICTURES[kind] <= set(pictures)
        broken = "all => all.filter(image => !image.complete || !image.naturalWidth).length"
        assert page.tab.locator("img").evaluate_all(broken) == 0
        empty = "all => all.filter(element => element.getBoundingClientRect().height < 50).length"
        assert page.tab.locator("figure svg").evaluate_all(empty) == 0
        cut = "all => all.filter(element => element.scrollWidth > element.clientWidth).length"
        assert page.tab.locator(".picture").evaluate_all(cut) == 0
        page.close()

    def test_leaderboard_equals_mlflow(self, search: Opened, recorded: Recorded, client: Any) -> None:
        runs = {trial["run_id"][:8]: client.get_run(trial["run_id"]) for trial in recorded.search["trials"]}
        scores = dict(zip(search.column("#leaderboard", "run"), search.column("#leaderboard", "r2"), strict=True))
        assert {name: float(text) for name, text in scores.items()} == {
            name: run.data.metrics["r2"] for name, run in runs.items()
        }
        fits = dict(zip(search.column("#leaderboard", "run"), search.column("#leaderboard", "fit"), strict=True))
        assert all(float(text) == runs[name].data.metrics["fit_seconds"] for name, text in fits.items())
        best = search.tab.locator("#leaderboard tr.best")
        assert recorded.search["best_mlflow_run_id"][:8] in best.inner_text()

    def test_scores_of_the_winner(self, search: Opened, recorded: Recorded, client: Any) -> None:
        metrics = client.get_run(recorded.search["winner"]["run_id"]).data.metrics
        names = search.column("#scores", "metric")
        assert names[0] == "r2"
        for part in ("train", "validation", "test"):
            scores = dict(zip(names, map(float, search.column("#scores", part)), strict=True))
            assert scores == {name: metrics[f"{part}/{name}"] for name in names}
        headline = search.tab.locator(".headline b").evaluate_all("all => all.map(element => element.dataset.value)")
        assert [float(text) for text in headline[:3]] == [recorded.search["best_value"], metrics["test/r2"], 6]

    def test_click_sorts_and_second_click_reverses(self, search: Opened) -> None:
        head = search.tab.locator("#leaderboard th", has_text="fit")
        for way in ("ascending", "descending"):
            head.get_by_role("button").click()
            assert head.get_attribute("aria-sort") == way
            values = [float(text) for text in search.column("#leaderboard", "fit")]
            assert values == sorted(values, reverse=way == "descending")
        assert search.tab.locator("#leaderboard [aria-sort]").count() == 1

    def test_filter_shows_rows_with_all_words(self, search: Opened, recorded: Recorded) -> None:
        names = [trial["name"] for trial in recorded.search["trials"]]
        matches = [name for name in names if "model=rf" in name]
        search.tab.get_by_label("Filter").fill("MODEL=rf depth")
        assert len(search.column("#leaderboard", "run")) == len(matches) < len(names)
        assert search.tab.locator("output").inner_text() == f"{len(matches)} of {len(names)}"

    def test_command_is_copied(self, browser: Any, files: dict[str, Path]) -> None:
        page = Opened(browser, files["classes"], permissions=["clipboard-read", "clipboard-write"])
        button = page.tab.locator(".command button").nth(1)  # the first names this home
        button.click()
        page.tab.get_by_role("button", name="Copied").wait_for()
        command = page.tab.locator(".command code").nth(1).inner_text()
        assert page.tab.evaluate("navigator.clipboard.readText()") == command
        assert command.startswith("mlrunner reproduce ")
        page.close()

    def test_page_is_complete_without_scripts(self, browser: Any, files: dict[str, Path]) -> None:
        page = Opened(browser, files["search"], viewport=PHONE, java_script_enabled=False)
        assert page.tab.locator("#leaderboard tbody tr:visible").count() == 6
        assert page.tab.locator("button:visible, input:visible").count() == 0
        assert page.tab.locator("section:visible").count() == len(SECTIONS["search"])
        page.close()

    def test_pictures_are_white_on_a_dark_page(self, browser: Any, files: dict[str, Path]) -> None:
        page = Opened(browser, files["search"], viewport=DESKTOP, color_scheme="dark")
        colour = "element => getComputedStyle(element).backgroundColor"
        assert page.tab.locator("body").evaluate(colour) == "rgb(18, 21, 24)"
        assert page.tab.locator(".picture").first.evaluate(colour) == "rgb(255, 255, 255)"
        page.tab.emulate_media(media="print")
        assert page.tab.locator("body").evaluate(colour) == "rgb(255, 255, 255)"
        assert page.tab.locator("nav:visible, .tools:visible, .copy:visible").count() == 0
        page.close()

    def test_pictures_fit_a_phone_and_wide_tables_scroll(self, browser: Any, files: dict[str, Path]) -> None:
        page = Opened(browser, files["search"], viewport=PHONE)
        for name, scrolls in (("#optimization_history .picture", False), ("#leaderboard .scroll", True)):
            box = page.tab.locator(name)
            assert box.evaluate("element => element.scrollWidth > element.clientWidth") is scrolls
            assert box.bounding_box()["width"] <= PHONE["width"]
        page.close()

"""Make the pictures of the README and the guides from real runs: a terminal as SVG, and four pages as PNG.

python docs/pictures.py (or `make docs`). The pages need Chromium, and stay as they are without it.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from rich.console import Console
from rich.text import Text

HERE = Path(__file__).parent
COMPOSITION = ["model=hist_gradient_boosting", "cleaning=dates"]
SEARCH = ["sweep=optuna", "model=xgboost,ridge", "split=kfold", "hydra.sweeper.n_trials=16"]
DEPLOYMENT = ["gate=threshold", "gate.threshold=0.3", "deployer=local", "deployer.name=orders"]
COLUMNS = 124
COLORS = 128  # of a PNG's palette
MARGIN = 30  # pixels
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
Rows = tuple[int, int]


def main() -> None:
    """Run twice, so that the cache shows, and draw the second."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "shop"
        home.mkdir()
        mlrunner(home, "model=ridge", "cleaning=dates")
        draw_terminal(mlrunner(home, *COMPOSITION))
        browser = next(filter(None, map(shutil.which, BROWSERS)), None)
        if browser is not None:
            draw_pages(home, browser)


def environment(home: Path) -> dict[str, str]:
    """Return the variables of a command: stores of its own, and the colors of a terminal."""
    own = {"MLRUNNER_HOME": str(home), "FORCE_COLOR": "1", "TTY_INTERACTIVE": "0", "COLUMNS": str(COLUMNS)}
    return {**os.environ, **own}


def mlrunner(home: Path, *arguments: str) -> str:
    """Run a command, and return what it printed."""
    command = [sys.executable, "-m", "mlrunner", *arguments]
    return subprocess.run(
        command, env=environment(home), stdout=subprocess.PIPE, text=True, check=True, cwd=home
    ).stdout


def draw_terminal(output: str) -> None:
    """Draw what a command printed as a terminal window."""
    console = Console(record=True, width=COLUMNS, file=open(os.devnull, "w"), force_terminal=True)  # noqa: SIM115, PTH123
    console.print(Text(f"$ mlrunner {' '.join(COMPOSITION)}", style="bold"))
    console.print(Text.from_ansi(output), overflow="fold")  # as a terminal does
    (HERE / "terminal.svg").write_text(console.export_svg(title="mlrunner"))


def draw_pages(home: Path, browser: str) -> None:
    """Photograph a run in MLflow, the report of a search and the page of a deployed model."""
    from playwright.sync_api import sync_playwright

    folder = json.loads(mlrunner(home, *SEARCH, "output=json").splitlines()[-1])["folder"]
    mlrunner(home, *COMPOSITION)
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=browser, args=["--no-sandbox"] if os.geteuid() == 0 else [])
        photograph(chromium, f"file://{folder}/report.html", "report.png", (1280, 1400), show_table)
        with serving(home, "ui", "latest") as url:
            photograph(chromium, url, "mlflow.png", (1440, 830), show_run)
        port = f"deployer.port={free_port()}"
        mlrunner(home, "deploy", "latest", *DEPLOYMENT, port)
        try:
            with serving(home, "playground", "orders") as url:
                photograph(chromium, url, "playground.png", (820, 1300), predict)
        finally:
            mlrunner(home, "stop", "orders")
        chromium.close()


def free_port() -> int:
    """Return a port that nothing listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(home: Path, *arguments: str) -> Iterator[str]:
    """Run a command that serves a page until the end of the block; give the address that it prints."""
    command = [sys.executable, "-m", "mlrunner", *arguments, "--no-browser"]
    plain = {**environment(home), "FORCE_COLOR": ""}
    with subprocess.Popen(command, env=plain, cwd=home, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield next(word for line in process.stdout for word in line.split() if "://" in word)
        finally:
            process.terminate()


def photograph(browser: Any, url: str, name: str, size: tuple[int, int], prepare: Callable[[Any], Rows]) -> None:
    """Save a page, with a palette, which makes the file a third as large.

    Args:
        browser: Chromium.
        url: Address of the page.
        name: Name of the file.
        size: Width and height of the window.
        prepare: Waits for what the page shows, and returns the first and the last row of the picture.
    """
    tab = browser.new_page(viewport={"width": size[0], "height": size[1]})
    tab.set_default_timeout(60_000)
    tab.goto(url)
    top, bottom = prepare(tab)
    tab.mouse.move(0, 0)
    tab.wait_for_timeout(1500)  # animations
    clip = {"x": 0, "y": top, "width": size[0], "height": bottom - top}
    image = Image.open(BytesIO(tab.screenshot(clip=clip))).convert("RGB")
    image.quantize(COLORS, dither=Image.Dither.NONE).save(HERE / name, optimize=True)
    tab.close()


def show_run(tab: Any) -> Rows:
    """Wait for the metrics of a run in MLflow, and close its panel with a chat."""
    tab.get_by_text("test/r2", exact=True).first.wait_for()
    close = tab.get_by_role("button", name="Close")
    if close.count():
        close.first.click()
    return 0, tab.viewport_size["height"]


def show_table(tab: Any) -> Rows:
    """Show a report with the first three rows of its table."""
    return 0, bottom_of(tab.locator("#leaderboard tbody tr").nth(2))


def predict(tab: Any) -> Rows:
    """Ask a deployed model for the prediction of its example."""
    tab.get_by_role("button", name="Predict").click()
    answer = bottom_of(tab.get_by_text("Exactly"))
    return round(tab.get_by_role("heading").first.bounding_box()["y"]) - MARGIN, answer + MARGIN


def bottom_of(element: Any) -> int:
    """Return the last row of an element that is shown."""
    element.wait_for()
    box = element.bounding_box()
    return round(box["y"] + box["height"])


if __name__ == "__main__":
    main()

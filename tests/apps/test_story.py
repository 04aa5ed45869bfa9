"""The whole story on the real Olist table, on this machine and through Docker.

A search, a gate that refuses and one that opens, raw rows over HTTP, a worse challenger, a better one under load, back
again, and the end.
"""

from __future__ import annotations

import json
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import psutil
import pytest

from mlrunner.core.loopback import free_port
from tests.support.front_door import SHARED, CommandResult, front_door
from tests.support.released import BASE, docker_client

pytestmark = pytest.mark.slow
OLIST = SHARED / "olist_customers_dataset.csv"
ROWS = 3000  # of the real table; the story is not about its size
RAW = 200  # rows that are asked for
SEARCH = ("--multirun", "sweep=optuna", "hydra.sweeper.n_trials=2")
QUIET = ("tracking.plots=false",)


@dataclass(frozen=True)
class Plot:
    """What differs between the stories.

    Args:
        data: Overrides of the task and its metric.
        weak: The first search.
        worse: A challenger that has to be refused.
        better: One that has to win.
        high: A threshold that no model reaches, and
        fair: Threshold that the winner reaches.
    """

    data: tuple[str, ...]
    weak: tuple[str, ...]
    worse: tuple[str, ...]
    better: tuple[str, ...]
    high: str
    fair: str
    deployer: str = "local"


CLASSES = Plot(
    data=("dataset.task=classification", "objective.metric=log_loss"),
    weak=(
        "model=rf",
        "~model.search",
        "model.estimator.max_depth=int(interval(1,2))",
        "model.estimator.n_estimators=5",
    ),
    worse=("model=dummy",),
    better=("model=rf", "model.estimator.max_depth=5", "model.estimator.n_estimators=40"),
    high="0.1",
    fair="1.33",
)
STARS = Plot(
    data=("dataset.task=regression",),
    weak=("model=ridge",),
    worse=("model=dummy",),
    better=("model=rf", "model.estimator.n_estimators=30"),
    high="0.99",
    fair="0.1",
)


@dataclass
class Session:
    """A home, and the commands that were run in it."""

    home: Path
    plot: Plot
    port: int
    extra: tuple[str, ...] = ()
    commands: list[tuple[str, ...]] = field(default_factory=list)

    def __call__(self, *arguments: str, code: int = 0) -> CommandResult:
        self.commands.append(arguments)
        result = front_door(self.home, *arguments)
        assert result.code == code, f"{arguments}: {result.code}\n{result.out}\n{result.err}"
        return result

    @property
    def deployer(self) -> tuple[str, ...]:
        return (f"deployer={self.plot.deployer}", f"deployer.port={self.port}", *self.extra)

    @property
    def data(self) -> tuple[str, ...]:
        return (f"dataset.path={OLIST}", f"dataset.rows={ROWS}", *self.plot.data, *QUIET)

    def ask(self, path: str, body: bytes | None = None, kind: str = "application/json") -> Any:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", body, {"Content-Type": kind})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read())

    def status(self) -> Any:
        return json.loads(self("status", "--json").out)[0]


@contextmanager
def under_load(story: Session, body: bytes) -> Iterator[list[int | str]]:
    """Two clients that send requests all the while, and what they were answered."""
    answers: list[int | str] = []
    stop = threading.Event()

    def client() -> None:
        while not stop.is_set():
            try:
                answers.append(len(story.ask("/invocations", body)["predictions"]))
            except (OSError, ValueError) as error:
                answers.append(str(error))
            time.sleep(0.05)  # or they would take a core from the command

    threads = [threading.Thread(target=client) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def as_json(rows: pd.DataFrame) -> bytes:
    """Raw rows as a client sends them: a missing value is null."""
    return b'{"dataframe_split":' + rows.to_json(orient="split", index=False).encode() + b"}"


def raw_rows() -> pd.DataFrame:
    return pd.read_csv(OLIST, nrows=RAW).drop(columns="review_score")


def predict_with_sklearn(story: Session, uri: str, rows: pd.DataFrame) -> list[Any]:
    """What the model itself says, loaded from MLflow."""
    mlflow.set_tracking_uri(f"sqlite:///{story.home}/.mlrunner/mlflow.db")
    return list(mlflow.sklearn.load_model(uri).predict(rows))


def run_story(story: Session) -> None:
    refused_then_deployed(story)
    first = story.ask("/version")
    answers_equal_the_models_own(story, first)
    worse_is_refused(story, first)
    better_is_switched_in(story, first)
    back_and_away(story, first)


def refused_then_deployed(story: Session) -> None:
    searched = story(
        *SEARCH, *story.data, *story.plot.weak, *story.deployer, "gate=threshold", f"gate.threshold={story.plot.high}"
    )
    assert "gate      closed: test/" in searched.out
    assert f"{story.plot.high}" in searched.out
    assert "deployed" not in searched.out
    assert not is_in_use(story.port)
    sweep = next(line.split()[-1] for line in searched.out.splitlines() if line.strip().startswith("study"))
    chosen = ("deploy", sweep, *story.deployer, "gate=threshold")
    again = story(*chosen, f"gate.threshold={story.plot.high}", "--json", code=3)
    assert again.json["open"] is False
    opened = story(*chosen, f"gate.threshold={story.plot.fair}", "--json").json
    assert (opened["open"], opened["version"], opened["url"]) == (True, 1, f"http://127.0.0.1:{story.port}")


def answers_equal_the_models_own(story: Session, first: dict[str, Any]) -> None:
    rows = raw_rows()
    expected = predict_with_sklearn(story, first["model_uri"], rows)
    assert story.ask("/invocations", as_json(rows))["predictions"] == pytest.approx(expected)
    csv = rows.to_csv(index=False).encode()
    assert story.ask("/invocations", csv, "text/csv")["predictions"] == pytest.approx(expected)
    records = b'{"dataframe_records":' + rows.head(3).to_json(orient="records").encode() + b"}"
    assert story.ask("/invocations", records)["predictions"] == pytest.approx(expected[:3])
    with pytest.raises(urllib.error.HTTPError) as refused:
        story.ask("/invocations", as_json(rows.drop(columns="price")))
    with refused.value as answer:
        assert answer.code == 422
        assert "price is missing, which the model needs" in json.loads(answer.read())["message"]


def worse_is_refused(story: Session, first: dict[str, Any]) -> None:
    run = story(*story.data, *story.plot.worse, *story.deployer, "gate=champion", "output=json").json
    assert run["gate"]["open"] is False
    assert "olist/1" in run["gate"]["reason"]
    assert run["deployment"] is None
    assert story.ask("/version")["instance"] == first["instance"]  # the server was not restarted


def better_is_switched_in(story: Session, first: dict[str, Any]) -> None:
    with under_load(story, as_json(raw_rows().head(2))) as answers:
        run = story(*story.data, *story.plot.better, *story.deployer, "gate=champion", "output=json").json
    assert run["gate"]["open"] is True, run["gate"]
    assert run["deployment"]["version"] == 2
    assert len(answers) > 50
    assert set(answers) == {2}
    second = story.ask("/version")
    assert (second["version"], second["run_id"]) == (2, run["run_id"])
    assert second["instance"] != first["instance"]
    status = story.status()
    assert (status["health"], status["version"], status["ready"]) == ("serving", 2, 1)
    assert status["requests"]["200"] >= len(answers)
    assert set(status["requests"]) <= {"200", "422"}


def back_and_away(story: Session, first: dict[str, Any]) -> None:
    with under_load(story, as_json(raw_rows().head(2))) as answers:
        assert story("rollback", "--json").json["version"] == 1
    assert set(answers) == {2}
    assert story.ask("/version")["instance"] == first["instance"]  # it was kept ready
    mlflow.set_tracking_uri(f"sqlite:///{story.home}/.mlrunner/mlflow.db")
    assert mlflow.MlflowClient().get_model_version_by_alias("olist", "champion").version == 1
    events = [line["event"] for line in json.loads(story("history", "--json").out)]
    assert events == ["refused", "refused", "deployed", "refused", "deployed", "rolled back"]
    assert "stopped" in story("stop").out
    assert "was not running" in story("stop").out
    assert not is_in_use(story.port)
    assert left_behind(story.home) == []


def is_in_use(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def left_behind(home: Path) -> list[str]:
    """Processes of a home that still run."""
    lines = [" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"])]
    return [line for line in lines if str(home) in line and "mlrunner.serving" in line]


@pytest.mark.skipif(not OLIST.exists(), reason=f"{OLIST} is not there")
@pytest.mark.parametrize("plot", [CLASSES], ids=["five-classes"])
def test_the_whole_story_on_this_machine(plot: Plot, tmp_path: Path) -> None:
    story = Session(tmp_path, plot, free_port())
    try:
        run_story(story)
    finally:
        front_door(tmp_path, "stop", "olist")


@pytest.mark.docker
@pytest.mark.skipif(not OLIST.exists(), reason=f"{OLIST} is not there")
def test_the_whole_story_through_docker(tmp_path: Path) -> None:
    docker_client().close()  # or skip
    plot = replace(STARS, deployer="docker")
    story = Session(tmp_path, plot, free_port(), extra=(f"deployer.base={BASE}", "deployer.image=mlrunner-story"))
    try:
        run_story(story)
        assert containers(tmp_path) == []
    finally:
        front_door(tmp_path, "stop", "olist")


def containers(home: Path) -> list[str]:
    """Names of the containers of a home, stopped ones too."""
    import docker

    with closing(docker.from_env()) as client:
        label = f"mlrunner.home={home}/.mlrunner/deployments"
        return [str(container.name) for container in client.containers.list(all=True, filters={"label": label})]

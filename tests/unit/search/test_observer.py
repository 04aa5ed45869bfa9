"""A search is followed by its study, which another process writes."""

from __future__ import annotations

import io
import time
from threading import Thread

import pytest
from rich.console import Console

from mlrunner.search import observer
from mlrunner.search.loop import Search
from mlrunner.search.observer import Observer
from mlrunner.search.study_setup import LIMIT_ATTRIBUTE, SEARCH_ATTRIBUTE
from mlrunner.tracking.studies import SESSION
from tests.support.displays import build_search, finish_trial, start_trial


def make_observer(search: Search, terminal: bool = False) -> Observer:
    return Observer(search.study, Console(file=io.StringIO(), width=160, force_terminal=terminal, color_system=None))


def read_output(shown: Observer) -> list[str]:
    text = shown._out.file.getvalue()  # type: ignore[attr-defined]
    return [" ".join(line.split()) for line in text.splitlines()]


@pytest.fixture
def search() -> Search:
    search = build_search(limit=4)
    search.study.set_user_attr(SEARCH_ATTRIBUTE, {"metric": {"r2": "maximize"}})
    search.study.set_user_attr(LIMIT_ATTRIBUTE, 4)
    return search


def test_a_running_trial_shows_its_last_step_and_its_seconds(search: Search) -> None:
    finish_trial(search, 0.25)
    finish_trial(search, state="FAIL")
    running = start_trial(search)
    running.trial.report(0.5, 10)
    running.trial.report(0.625, 20)
    shown = make_observer(search)
    shown.read()
    assert shown.is_running
    assert shown.format_line() == "2 of 4 trials, 1 running, best r2 0.25"
    shown._out.print(shown.render())
    bar, states, best, row = read_output(shown)
    assert bar.startswith("search")
    assert "2/4" in bar
    assert states == "1 complete 0 pruned 1 failed 1 running"
    assert best.startswith("best r2 0.25 trial 0 x=")
    assert row.startswith("running 2 x=")
    assert row.endswith("0 s at 20: 0.625")


def test_seconds_of_another_machine_are_unknown(search: Search) -> None:
    start_trial(search).trial.set_user_attr(SESSION, "elsewhere")
    shown = make_observer(search)
    shown.read()
    assert [row.seconds for row in shown._list_running()] == [None]


@pytest.mark.parametrize("terminal", [False, True])
def test_a_search_is_followed_to_its_end(search: Search, terminal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observer, "POLL_SECONDS", 0.02)
    shown = make_observer(search, terminal)
    thread = Thread(target=shown.follow)
    thread.start()
    while not read_output(shown):
        time.sleep(0.01)
    for value in (0.5, 0.75):
        finish_trial(search, value)
    search.queue.close()
    thread.join(30)
    assert not thread.is_alive()
    text = "\n".join(read_output(shown))
    assert ("0 of 4 trials, 0 running" in text) is not terminal
    assert ("2/4" if terminal else "2 of 4 trials, 0 running, best r2 0.75") in text
    assert shown.counts == (2, 4)

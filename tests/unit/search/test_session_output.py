"""The start and the results of a search are printed."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from mlrunner.core.warning_names import Notice
from mlrunner.search import closing, session_output
from tests.support.search_session import Session


def test_the_start_of_a_search_is_shown(session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    session_output.show_start(session.plan, session.driver.search.study, session.folder)
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert lines[:2] == ["mlrunner  search  3 trials, maximize r2", "dataset   diabetes"]
    assert lines[2].startswith("varies    alpha")
    session.run()
    session_output.show_start(session.plan, session.driver.search.study, session.folder)
    assert "3 trials done before" in capsys.readouterr().out


def test_the_start_of_a_search_shows_warnings_about_the_data(
    session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    first = session.plan.first
    checked = replace(first.repeats[0], notices=(Notice("id_columns", "name differs in nearly every row."),))
    plan = replace(session.plan, first=replace(first, repeats=(checked,)))
    session_output.show_start(plan, session.driver.search.study, session.folder)
    assert "  warning   id_columns: name differs in nearly every row.\n" in capsys.readouterr().out


def test_times_are_measured(session: Session) -> None:
    session.run()
    times = session_output.measure_times(session.driver)
    assert 0 < times["search"] <= times["whole"] <= times["process"]
    assert json.loads(json.dumps(times)) == times


def test_the_results_of_a_search_are_shown(session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    session.run()
    study = session.driver.search.study
    session.driver.search.stop_reason = "target 0.4 reached"
    summary = closing.close_search(session.plan, session.driver, study, session.folder)
    session_output.show_results(session.plan, session.driver, summary, session.folder)
    output = capsys.readouterr().out
    assert f"  best      trial {study.best_trial.number} leads by" in output
    assert "  stopped   target 0.4 reached\n" in output
    assert f"  study     mlrunner resume {study.study_name}\n" in output


def test_a_trial_of_another_program_counts_but_cannot_win(session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    """Its value is the best; neither the winner nor the end of the search stumbles over it."""
    session.run()
    study = session.driver.search.study
    own = study.best_trial.number
    study.tell(study.ask(), 2.0)
    assert study.best_trial.number == 3
    assert session.driver.prepare_winner() is not None
    session.driver.winner_run = None  # its steps are not run here
    summary = closing.close_search(session.plan, session.driver, study, session.folder)
    session_output.show_results(session.plan, session.driver, summary, session.folder)
    assert (summary["best_trial_number"], summary["counts"]) == (own, {"complete": 4})
    assert "  left out  trial 3: made by another program than mlrunner" in capsys.readouterr().out

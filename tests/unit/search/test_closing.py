"""A search ends with its results in its folder and in MLflow, and without an open run."""

from __future__ import annotations

import yaml
from optuna.trial import TrialState

from mlrunner.search import closing
from mlrunner.tracking.records.record import BEST_NAME_TAG, BEST_TAG, STUDY_TAG, WINNER_TAG
from tests.support.search_session import Session


def test_a_search_closes_with_its_results(session: Session) -> None:
    session.run()
    study, folder = session.driver.search.study, session.folder
    summary = closing.close_search(session.plan, session.driver, study, folder)
    assert (summary["best_trial_number"], summary["winner"]) == (study.best_trial.number, None)
    assert yaml.safe_load((folder / "optimization_results.yaml").read_text())["best_value"] == study.best_value
    assert len((folder / "trials.csv").read_text().splitlines()) == 4
    parent = session.client.get_run(session.driver.parent)
    assert (parent.info.status, parent.data.metrics["r2"]) == ("FINISHED", study.best_value)
    assert parent.data.tags[STUDY_TAG] == study.study_name
    assert parent.data.tags[BEST_TAG] == summary["best_mlflow_run_id"]
    assert any(name.startswith("space/") and name.endswith("alpha") for name in parent.data.params)


def test_a_search_without_a_finished_trial_names_no_best_run(session: Session) -> None:
    study = session.driver.search.study
    study.tell(study.ask(), state=TrialState.FAIL)
    closing.close_search(session.plan, session.driver, study, session.folder)
    parent = session.client.get_run(session.driver.parent)
    assert parent.info.status == "FAILED"
    assert not parent.data.tags.keys() & {BEST_TAG, BEST_NAME_TAG, WINNER_TAG}


def test_an_abandoned_search_ends_its_runs(session: Session) -> None:
    session.run()
    session.driver.prepare_winner()
    closing.abandon_search(session.driver)
    assert session.client.get_run(session.driver.parent).info.status == "KILLED"
    assert session.driver.winner_run is not None
    assert session.client.get_run(session.driver.winner_run.run_id).info.status == "FAILED"

"""The parent run of a search is opened once, and reopened by later sessions."""

from __future__ import annotations

from mlrunner.search.parent_run import close_parent_run, open_parent_run
from mlrunner.search.session import describe_search
from mlrunner.search.trial_attributes import INVALID_TRIALS
from mlrunner.tracking import run_log
from mlrunner.tracking.background_writer import RECORDER
from mlrunner.tracking.records.record import INVALID_TAG, PARENT_TAG, TRIAL_TAG, ZENML_RUN_TAG
from tests.support.search_session import Session


def test_a_later_session_opens_the_same_parent_run(session: Session) -> None:
    session.run()
    plan, driver = session.plan, session.driver
    study = driver.search.study
    close_parent_run(driver.parent, "KILLED", {}, {}, session.folder)
    RECORDER.flush()
    experiment, parent = open_parent_run(plan, study, {"metric": {}}, session.folder)
    assert (experiment, parent) == (driver.child_runs.experiment, driver.parent)
    assert session.client.get_run(parent).info.status == "RUNNING"
    (best,) = [run.info.run_id for run in session.get_children() if run.data.tags[TRIAL_TAG] == "1"]
    session.client.set_tag(best, INVALID_TAG, "it leaks")
    open_parent_run(plan, study, {"metric": {}}, session.folder)
    assert study.user_attrs[INVALID_TRIALS] == {"1": "it leaks"}
    session.client.delete_run(parent)
    other = open_parent_run(plan, study, describe_search(plan, driver.search.preparer), session.folder)[1]
    assert other != parent


def test_a_session_that_starts_ends_the_runs_of_killed_sessions_only(session: Session) -> None:
    driver = session.driver
    tags = [{PARENT_TAG: driver.parent, ZENML_RUN_TAG: name} for name in (driver.pipeline_run, "search-any-gone")]
    children = [run_log.create_run(driver.child_runs.experiment, "trial", each) for each in tags]
    open_parent_run(session.plan, driver.search.study, {"metric": {}}, session.folder)
    assert [session.client.get_run(child).info.status for child in children] == ["RUNNING", "KILLED"]


def test_a_parent_run_stays_open_while_another_session_goes_on(session: Session) -> None:
    close_parent_run(session.driver.parent, None, {}, {}, session.folder)
    RECORDER.flush()
    assert session.client.get_run(session.driver.parent).info.status == "RUNNING"

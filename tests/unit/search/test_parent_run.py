"""The parent run of a search is opened once, and reopened by later sessions."""

from __future__ import annotations

import time

from mlrunner.search.parent_run import close_parent_run, end_lost_runs, open_parent_run
from mlrunner.search.session import describe_search
from mlrunner.search.trial_attributes import INVALID_TRIALS
from mlrunner.tracking import run_log
from mlrunner.tracking.background_writer import RECORDER
from mlrunner.tracking.records.record import INVALID_TAG, PARENT_TAG, TRIAL_TAG, ZENML_RUN_TAG
from mlrunner.tracking.studies import SESSION, describe_process
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
    """One on another machine is known to be lost after a while only, whatever that machine's clock says."""
    driver, study = session.driver, session.driver.search.study
    study.set_user_attr(f"{SESSION}:far", {**describe_process(), "machine": "elsewhere", "seen": time.time() - 3600})
    names = (driver.pipeline_run, "search-any-far", "search-any-gone")
    tags = [{PARENT_TAG: driver.parent, ZENML_RUN_TAG: name} for name in names]
    children = [run_log.create_run(driver.child_runs.experiment, "trial", each).run_id for each in tags]
    open_parent_run(session.plan, study, {"metric": {}}, session.folder)
    statuses = [session.client.get_run(child).info.status for child in children]
    assert statuses == ["RUNNING", "RUNNING", "KILLED"]
    end_lost_runs(driver.parent, {driver.search.queue.session})
    assert session.client.get_run(children[1]).info.status == "KILLED"


def test_a_parent_run_stays_open_while_another_session_goes_on(session: Session) -> None:
    close_parent_run(session.driver.parent, None, {}, {}, session.folder)
    RECORDER.flush()
    assert session.client.get_run(session.driver.parent).info.status == "RUNNING"

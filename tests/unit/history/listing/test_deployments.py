"""Which runs serve, or have served."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from mlrunner.groups.deployer.release import Server
from mlrunner.groups.deployer.state import DeploymentStore, State
from mlrunner.history.listing.deployments import Deployments, find_deployments
from mlrunner.tracking.records.record import DEPLOYED_VERSION_TAG, DEPLOYMENT_TAG
from mlrunner.tracking.records.sqlite_store import SqliteStore
from tests.support.records import make_record


def write_deployment(home: Path, stopped: bool = False) -> None:
    """A deployment whose second version serves, and the first entry is ready."""
    deployment_store = DeploymentStore(home / ".mlrunner" / "deployments" / "olist")
    first, second = (Server(version, "http://127.0.0.1:1", "pid", "token") for version in (1, 2))
    for version, run_id in ((1, "b" * 32), (2, "a" * 32)):
        deployment_store.log_event("deployed", version=version, run_id=run_id)
    deployment_store.log_event("stopped", version=2)
    serving = {} if stopped else {"active": second, "ready": first}
    deployment_store.write_state(State("olist", "127.0.0.1", 8000, 1.0, 1.0, {}, versions=[1, 2], **serving))


def test_status_of_each_version(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "mlflow.db")
    tags = {DEPLOYMENT_TAG: "olist", DEPLOYED_VERSION_TAG: "1"}
    assert find_deployments(store, tmp_path).of(make_record()) is None
    assert str(find_deployments(store, tmp_path).of(make_record(tags=tags))) == "was olist v1"
    write_deployment(tmp_path)
    deployments = find_deployments(store, tmp_path)
    assert str(deployments.of(make_record())) == "olist v2 serving"  # by the history, without a tag
    assert str(deployments.of(make_record(run_id="b" * 32, tags=tags))) == "olist v1 ready"
    assert str(deployments.of(make_record(run_id="c" * 32, tags=tags | {DEPLOYED_VERSION_TAG: "7"}))) == "was olist v7"
    write_deployment(tmp_path, stopped=True)
    assert str(find_deployments(store, tmp_path).of(make_record(run_id="b" * 32, tags=tags))) == "was olist v1"


def test_champion_of_a_registry() -> None:
    serving = Deployments({}, {}, {"olist": "a" * 32}, set())
    tags = {DEPLOYMENT_TAG: "olist", DEPLOYED_VERSION_TAG: "3"}
    deployments = serving.of(make_record(tags=tags))
    assert deployments is not None
    assert str(deployments) == "olist v3 champion"
    assert asdict(deployments) == {"name": "olist", "version": 3, "state": "champion"}

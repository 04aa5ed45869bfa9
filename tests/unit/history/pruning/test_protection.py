"""Which runs must stay."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlrunner.groups.deployer.release import Server
from mlrunner.groups.deployer.state import DeploymentStore, State
from mlrunner.history.pruning.protection import protected
from mlrunner.tracking.records.record import DEPLOYED_VERSION_TAG, DEPLOYMENT_TAG
from mlrunner.tracking.records.sqlite_store import SqliteStore
from tests.support.mlflow_home import MlflowHome

EMPTY = SqliteStore(Path("/nonexistent/mlflow.db"))


class TestDeployments:
    @pytest.fixture
    def deployment(self, tmp_path: Path) -> DeploymentStore:
        return DeploymentStore(tmp_path / ".mlrunner" / "deployments" / "olist")

    def state(self, versions: list[int], active: int | None, ready: int | None) -> State:
        servers = {
            name: None if version is None else Server(version, "http://x", "h", "t")
            for name, version in {"active": active, "ready": ready}.items()
        }
        return State("olist", "127.0.0.1", 8000, 60, 64, {}, versions=versions, **servers)  # type: ignore[arg-type]

    def reasons(self, deployment: DeploymentStore) -> dict[str, str]:
        return protected(EMPTY, deployment.folder.parents[2])

    def note(self, deployment: DeploymentStore, *versions: int, event: str = "deployed") -> None:
        for version in versions:
            deployment.log_event(event, version=version, run_id=f"run{version}")

    def test_serving_ready_and_previous_versions(self, deployment: DeploymentStore) -> None:
        self.note(deployment, 1, 2, 3, 4)
        deployment.write_state(self.state([1, 2, 3], active=3, ready=4))
        assert self.reasons(deployment) == {
            "run2": "was recently deployed as olist v2",
            "run3": "serves as olist v3",
            "run4": "is kept ready as olist v4",
        }

    def test_stopped_deployment_keeps_its_last_two_versions(self, deployment: DeploymentStore) -> None:
        self.note(deployment, 1, 2, 3)
        deployment.write_state(self.state([1, 2, 3], active=None, ready=None))
        assert sorted(self.reasons(deployment)) == ["run2", "run3"]

    def test_run_is_read_from_the_release(self, deployment: DeploymentStore) -> None:
        deployment.log_event("refused", run_id="other", reason="bad")
        release = deployment.get_release(7)
        release.folder.mkdir(parents=True)
        (deployment.folder / "releases" / "8").mkdir()  # not completed
        (release.folder / "release.json").write_text(json.dumps({"facts": {"run_id": "run7"}}))
        deployment.write_state(self.state([7], active=7, ready=None))
        assert self.reasons(deployment) == {"run7": "serves as olist v7"}

    def test_registry_keeps_the_last_two_versions_of_its_history(self, deployment: DeploymentStore) -> None:
        self.note(deployment, 1, 2, 3, event="registered")
        deployment.log_event("refused", run_id="run9")
        assert sorted(self.reasons(deployment)) == ["run2", "run3"]
        self.note(deployment, 1, event="registered")
        assert sorted(self.reasons(deployment)) == ["run1", "run3"]

    def test_aliases(self, mlflow_home: MlflowHome) -> None:
        mlflow_home.client.create_registered_model("m")
        runs = [mlflow_home.add_run() for _ in range(3)]
        for run_id in runs:
            mlflow_home.client.create_model_version("m", "file:///nowhere", run_id)
        for alias, version in (("challenger", 2), ("champion", 2), ("mine", 3)):
            mlflow_home.client.set_registered_model_alias("m", alias, str(version))
        assert protected(mlflow_home.store, mlflow_home.home) == {
            runs[1]: "is challenger of m v2",
            runs[2]: "is mine of m v3",
        }

    def test_last_two_versions_that_another_machine_deployed(self, mlflow_home: MlflowHome) -> None:
        tags = [{DEPLOYMENT_TAG: "far", DEPLOYED_VERSION_TAG: str(version)} for version in (1, 2, 3)]
        runs = [mlflow_home.add_run(**tags_of_run) for tags_of_run in tags]
        assert protected(mlflow_home.store, mlflow_home.home) == {
            runs[1]: "was recently deployed as far v2",
            runs[2]: "was recently deployed as far v3",
        }
        DeploymentStore(mlflow_home.home / ".mlrunner" / "deployments" / "far").log_event(
            "stopped"
        )  # it is of this machine
        assert protected(mlflow_home.store, mlflow_home.home) == {}

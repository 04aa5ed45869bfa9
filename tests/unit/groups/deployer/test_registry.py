"""`deployer=registry` with a real model registry."""

from __future__ import annotations

from mlrunner.groups.deployer import Candidate, Deployment
from mlrunner.groups.deployer.registry import RegistryDeployer
from mlrunner.groups.gate import Decision
from tests.support.mlflow_home import MlflowHome
from tests.support.mlflow_home import mlflow_home as mlflow_home
from tests.support.mlflow_home import template as template

OPEN = Decision(deploy=True, reason="good enough")


def test_each_deployment_is_a_version_with_the_alias_champion(mlflow_home: MlflowHome) -> None:
    deployer = RegistryDeployer(name="olist", folder=str(mlflow_home.home))
    for version in (1, 2):
        run_id = mlflow_home.add_run()
        candidate = Candidate(f"models:/{mlflow_home.add_model(run_id)}", run_id, pipeline=None)
        assert deployer.deploy(candidate, OPEN) == Deployment("olist", version, None, "in the registry, alias champion")
        assert mlflow_home.client.get_model_version_by_alias("olist", "champion").run_id == run_id
    events = deployer.store.read_history()
    assert [(event["event"], event["version"]) for event in events] == [("registered", 1), ("registered", 2)]

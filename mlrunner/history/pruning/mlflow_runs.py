"""Remove runs from MLflow: mark them as deleted, then collect their rows, files and models by `mlflow gc`.

On a tracking server, runs are only marked; `mlflow gc` has to run where its database is.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterable
from pathlib import Path
from uuid import uuid4

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Run, ViewType
from mlflow.exceptions import MlflowException

from mlrunner.groups.stack import reachability
from mlrunner.tracking.records.record import PRUNING_TAG

PLACEHOLDER = "mlrunner-prune-"  # prefix of an experiment's name
MISSING = "RESOURCE_DOES_NOT_EXIST"


class MlflowRuns:
    """The runs in MLflow's store.

    Args:
        deployments: Folder of all deployments, which keep copies of the versions that they served.
    """

    def __init__(self, deployments: Path) -> None:
        self.deployments = deployments
        self.client = MlflowClient()
        self.can_collect = not reachability.is_remote(mlflow.get_tracking_uri())

    def tag(self, run_id: str) -> None:
        """Tag a run whose removal has begun."""
        self.client.set_tag(run_id, PRUNING_TAG, "begun")

    def delete(self, run_id: str) -> list[str]:
        """Mark a run and its models as deleted, and delete its registered versions that no deployment can serve.

        Returns:
            The ids of the models.
        """
        run = self.client.get_run(run_id)
        for version in self.client.search_model_versions(f"run_id = '{run_id}'"):
            if not (self.deployments / version.name / "releases" / str(version.version)).exists():
                self.client.delete_model_version(version.name, version.version)
        where = f"source_run_id = '{run_id}'"
        models = [model.model_id for model in self.client.search_logged_models([run.info.experiment_id], where)]
        for model_id in models:
            self.client.delete_logged_model(model_id)
        self.client.delete_run(run_id)
        return sorted({*models, *_output_models(run)})

    def uncollected(self) -> dict[str, list[str]]:
        """Find the runs that an interrupted prune marked as deleted and did not collect, each with its models."""
        experiments = [experiment.experiment_id for experiment in self.client.search_experiments()]
        if not self.can_collect or not experiments:
            return {}
        where = f"tags.`{PRUNING_TAG}` = 'begun'"
        runs = self.client.search_runs(experiments, where, ViewType.DELETED_ONLY)
        return {run.info.run_id: _output_models(run) for run in runs}

    def collect(self, run_id: str, models: Iterable[str]) -> None:
        """Remove a deleted run for good: first its models, which are found by the run; some of them may be gone."""
        if not self.can_collect:
            return
        for model_id in models:
            try:
                self._gc(models=[model_id])
            except MlflowException as error:
                if error.error_code != MISSING:
                    raise
        self._gc(runs=[run_id])

    def _gc(self, runs: Iterable[str] = (), models: Iterable[str] = ()) -> None:
        """Run `mlflow gc` on runs and models that are marked as deleted.

        Without ids of a kind, it collects everything of that kind, also what a user deleted and may restore. A
        placeholder of each kind prevents that.
        """
        from mlflow.cli import gc  # takes a second

        experiment = self.client.create_experiment(f"{PLACEHOLDER}{uuid4().hex}")
        model = self.client.create_logged_model(experiment).model_id
        run = self.client.create_run(experiment).info.run_id
        self.client.delete_logged_model(model)
        self.client.delete_run(run)
        self.client.delete_experiment(experiment)
        placeholders = self.client.search_experiments(
            ViewType.DELETED_ONLY, filter_string=f"name LIKE '{PLACEHOLDER}%'"
        )
        options = {
            "--tracking-uri": mlflow.get_tracking_uri(),  # the default is the environment's at the import
            "--experiment-ids": ",".join(experiment.experiment_id for experiment in placeholders),
            "--logged-model-ids": ",".join([model, *models]),
            "--run-ids": ",".join([run, *runs]),
        }
        with contextlib.redirect_stdout(io.StringIO()):
            gc.main([word for option in options.items() for word in option], prog_name="mlflow", standalone_mode=False)


def _output_models(run: Run) -> list[str]:
    return [] if run.outputs is None else [model.model_id for model in run.outputs.model_outputs]

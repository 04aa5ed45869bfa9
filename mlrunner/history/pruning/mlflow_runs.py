"""Remove runs from MLflow: mark them as deleted, then collect their rows, files and models by `mlflow gc`.

A tracking server only marks runs; `mlflow gc` has to run where its database is.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from uuid import uuid4

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Run, ViewType
from mlflow.exceptions import MlflowException

from mlrunner.groups.stack import reachability
from mlrunner.history.pruning import MARK

PLACEHOLDER = "mlrunner-prune-"  # begins the name of an experiment
GONE = "RESOURCE_DOES_NOT_EXIST"
Models = Mapping[str, Sequence[str]]  # ids of the models of each run


class Tracked:
    """MLflow's side of a prune.

    Args:
        deployments: Folder of all deployments, which keep copies of the versions that they served.
    """

    def __init__(self, deployments: Path) -> None:
        self.deployments = deployments
        self.client = MlflowClient()
        self.is_for_good = not reachability.is_remote(mlflow.get_tracking_uri())

    def mark(self, run_id: str) -> None:
        """Tag a run whose removal has begun."""
        self.client.set_tag(run_id, MARK, "begun")

    def delete(self, run_id: str) -> list[str]:
        """Mark a run and its models as deleted, and delete the registered versions that no deployment can serve.

        Returns:
            The ids of the models.
        """
        run = self.client.get_run(run_id)
        for version in self.client.search_model_versions(f"run_id = '{run_id}'"):
            if not (self.deployments / version.name / "releases" / str(version.version)).exists():
                self.client.delete_model_version(version.name, version.version)
        where = f"source_run_id = '{run_id}'"
        models = [one.model_id for one in self.client.search_logged_models([run.info.experiment_id], where)]
        for model in models:
            self.client.delete_logged_model(model)
        self.client.delete_run(run_id)
        return sorted({*models, *_outputs(run)})

    def interrupted(self) -> dict[str, list[str]]:
        """List the runs that an earlier prune marked as deleted and did not collect, each with its models."""
        if not self.is_for_good:
            return {}
        experiments = [one.experiment_id for one in self.client.search_experiments()]
        where = f"tags.`{MARK}` = 'begun'"
        runs = self.client.search_runs(experiments, where, ViewType.DELETED_ONLY) if experiments else []
        return {run.info.run_id: _outputs(run) for run in runs}

    def collect(self, runs: Models) -> dict[str, Exception]:
        """Remove deleted runs for good, all at once; one by one where one of them cannot be removed.

        Returns:
            The error of each run that is still there.
        """
        if not runs or not self.is_for_good:
            return {}
        try:
            self._gc(models=[model for models in runs.values() for model in models])
            self._gc(runs=runs)
        except Exception:  # each store and disk has errors of its own
            errors = {run_id: self._collect_one(run_id, models) for run_id, models in runs.items()}
            with contextlib.suppress(Exception):
                self._gc()  # placeholders of the calls that failed
            return {run_id: error for run_id, error in errors.items() if error is not None}
        return {}

    def _collect_one(self, run_id: str, models: Sequence[str]) -> Exception | None:
        try:
            for model in models:
                with _gone_allowed():
                    self._gc(models=[model])
            with _gone_allowed():
                self._gc(runs=[run_id])
        except Exception as error:  # as above
            return error
        return None

    def _gc(self, runs: Iterable[str] = (), models: Iterable[str] = ()) -> None:
        """Run `mlflow gc` on runs and models that are marked as deleted.

        Where it is given no ids of a kind, it collects everything of that kind, also what a user deleted and may
        restore. A placeholder of each kind prevents that.
        """
        from mlflow.cli import gc  # takes a second

        experiment = self.client.create_experiment(f"{PLACEHOLDER}{uuid4().hex}")
        model = self.client.create_logged_model(experiment).model_id
        run = self.client.create_run(experiment).info.run_id
        self.client.delete_logged_model(model)
        self.client.delete_run(run)
        self.client.delete_experiment(experiment)
        ours = self.client.search_experiments(ViewType.DELETED_ONLY, filter_string=f"name LIKE '{PLACEHOLDER}%'")
        options = {
            "--tracking-uri": mlflow.get_tracking_uri(),  # its default is what the environment said at the import
            "--experiment-ids": ",".join(one.experiment_id for one in ours),
            "--logged-model-ids": ",".join([model, *models]),
            "--run-ids": ",".join([run, *runs]),
        }
        with contextlib.redirect_stdout(io.StringIO()):
            gc.main([word for option in options.items() for word in option], prog_name="mlflow", standalone_mode=False)


def _outputs(run: Run) -> list[str]:
    return [] if run.outputs is None else [one.model_id for one in run.outputs.model_outputs]


@contextlib.contextmanager
def _gone_allowed() -> Iterator[None]:
    try:
        yield
    except MlflowException as error:
        if error.error_code != GONE:
            raise

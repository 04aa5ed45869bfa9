"""Carry out a plan: first what is outside of MLflow, then the rows in MLflow, by which a run is found again."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from uuid import UUID

import mlflow
from mlflow.entities import Run, ViewType
from zenml.client import Client
from zenml.enums import ArtifactSaveType
from zenml.models import ArtifactVersionResponse, PipelineRunResponse
from zenml.utils.pagination_utils import depaginate

from mlrunner.core import worker_cache
from mlrunner.core.errors import StoreError, first_line
from mlrunner.core.uris import has_scheme
from mlrunner.groups.stack import reachability
from mlrunner.history.pruning import images, mlflow_gc
from mlrunner.history.pruning.criteria import DAY
from mlrunner.history.pruning.files import own_cache, remove_empty, total_size
from mlrunner.history.pruning.plan import Item
from mlrunner.steps import materializers
from mlrunner.tracking import study_lookup
from mlrunner.tracking.records import SWEEP_TAG, Record
from mlrunner.tracking.records.artifact_location import local_path
from mlrunner.tracking.records.record import PRUNING_TAG


class Remover:
    """Remove runs one by one.

    Args:
        home: Folder that holds `multirun/` and `.mlrunner/`.
        protected: Read the protected runs again: one may have been deployed since the plan was made.

    Attributes:
        items: The removed runs, up to date after an interruption too.
        cache: Size in bytes of each removed cache entry.
        leftovers: Removed images and containers.
        problems: One sentence for each failure.
        can_collect: Whether MLflow's database is within reach; a server only marks runs as deleted.
    """

    def __init__(self, home: Path, protected: Callable[[], dict[str, str]]) -> None:
        self.home = home
        self.protected = protected
        self.mlflow = mlflow.MlflowClient()
        self.can_collect = not reachability.is_remote(mlflow.get_tracking_uri())
        self.items: list[Item] = []
        self.cache: dict[Path, int] = {}
        self.leftovers: list[images.Leftover] = []
        self.problems: list[str] = []
        self._failed_sweeps: set[str] = set()  # their parents stay, by which the remaining runs are found

    @cached_property
    def zenml(self) -> Client:
        """ZenML's client."""
        return Client()

    def complete(self) -> None:
        """Complete an interrupted prune, whose runs no name finds any more."""
        for run in self.find_uncollected():
            with self._reporting(f"{run.info.run_id[:8]} of an earlier prune"):
                self.collect(run)

    def remove(self, items: Iterable[Item]) -> None:
        """Remove runs; trials come before the parent of their sweep."""
        for item in items:
            with self._reporting(f"{item.record.name} ({item.record.short})"):
                self._remove(item)
                self.items.append(item)
                continue
            self._failed_sweeps.add(item.record.tags.get(SWEEP_TAG, ""))

    def empty_cache(self, least_age: float = DAY) -> None:
        """Remove our cached tables, those of other machines' trials, and the step artifacts that no run uses.

        Args:
            least_age: Age of a step artifact in seconds; a younger one may belong to a step that is still writing.
        """
        for path, size in own_cache(self.home).items():
            with self._reporting(str(path)):
                worker_cache.remove_entry(path)
                self.cache[path] = size
        created = f"lt:{datetime.now(UTC) - timedelta(seconds=least_age):%Y-%m-%d %H:%M:%S}"
        with self._reporting("An unused step artifact"):
            for version in self._unused_artifacts(created=created):
                self.cache[Path(version.uri)] = total_size(Path(version.uri))
                self._delete_artifact(version)

    def remove_leftovers(self) -> None:
        """Remove Docker images that nothing uses, and containers of commands that were killed."""
        for leftover in images.find_leftovers(self.home):
            with self._reporting(f"The {leftover}"):
                images.remove_leftover(leftover, self.home)
                self.leftovers.append(leftover)

    @contextmanager
    def _reporting(self, subject: str) -> Iterator[None]:
        """Report an exception as a problem; only an interruption is raised again."""
        try:
            yield
        except KeyboardInterrupt:
            self.problems.append(f"{subject} may be partly removed; the next mlrunner prune removes the rest.")
            raise
        except Exception as error:  # each store and disk raises exceptions of its own
            self.problems.append(f"{subject} is not removed: {first_line(error)}.")

    def _remove(self, item: Item) -> None:
        record, folder = item.record, item.folder
        if reason := self.protected().get(record.run_id):
            raise StoreError(f"it {reason} now")
        if record.is_sweep and record.tags[SWEEP_TAG] in self._failed_sweeps:
            raise StoreError("one of its runs is not removed")
        if self.can_collect:
            mlflow_gc.refuse_foreign_files(self.mlflow, self.mlflow.get_run(record.run_id))
        self.mlflow.set_tag(record.run_id, PRUNING_TAG, "begun")
        self._delete_pipeline_runs(record)
        if item.study is not None:
            study_lookup.delete_study(record, item.study, self.home)
        if folder is not None and folder.exists():
            shutil.rmtree(folder)
            top = (self.home / "multirun").resolve()
            remove_empty(above for above in folder.parents if top in above.parents)
        self.collect(self.delete(record.run_id))

    def delete(self, run_id: str) -> Run:
        """Mark a run and its models as deleted, and delete its registered versions that no deployment can serve."""
        run = self.mlflow.get_run(run_id)
        for version in self.mlflow.search_model_versions(f"run_id = '{run_id}'"):
            releases = self.home / ".mlrunner" / "deployments" / version.name / "releases"
            if not (releases / str(version.version)).exists():
                self.mlflow.delete_model_version(version.name, version.version)
        for model in mlflow_gc.list_models(run):
            self.mlflow.delete_logged_model(model)
        self.mlflow.delete_run(run_id)
        return run

    def find_uncollected(self) -> list[Run]:
        """Find the runs that an interrupted prune marked as deleted and did not collect; none on a server."""
        if not self.can_collect:
            return []
        experiments = [experiment.experiment_id for experiment in self.mlflow.search_experiments()]
        where = f"tags.`{PRUNING_TAG}` = 'begun'"
        return list(self.mlflow.search_runs(experiments, where, ViewType.DELETED_ONLY)) if experiments else []

    def collect(self, run: Run) -> None:
        """Remove a deleted run and its models for good by `mlflow gc`; on a server they only stay marked."""
        if not self.can_collect:
            return
        mlflow_gc.collect(self.mlflow, run)
        if artifacts := local_path(run.info.artifact_uri):  # MLflow leaves empty folders
            folder = artifacts.parent
            remove_empty([folder, *(folder.parent / "models" / model for model in mlflow_gc.list_models(run))])

    def _delete_pipeline_runs(self, record: Record) -> None:
        """Delete the pipeline runs of a run or sweep in ZenML, and their artifacts that no other run uses."""
        for run in self._find_pipeline_runs(record):
            versions = depaginate(self.zenml.list_artifact_versions, pipeline_run=run.id)
            snapshot = run.snapshot
            self.zenml.delete_pipeline_run(run.id)
            if snapshot is not None and not snapshot.name and not self._is_used(snapshot.id):
                self.zenml.delete_snapshot(snapshot.id)  # a user names one to run it again
            ids = {version.id for version in versions}
            for version in self._unused_artifacts():
                if version.id in ids:
                    self._delete_artifact(version)

    def _is_used(self, snapshot: UUID) -> bool:
        return self.zenml.list_pipeline_runs(snapshot_id=snapshot, size=1).total > 0

    def _unused_artifacts(self, created: str | None = None) -> list[ArtifactVersionResponse]:
        """List the outputs of our steps that no step and no model uses; another pipeline's are not ours to remove."""
        linked = {link.artifact_version.id for link in depaginate(self.zenml.list_model_version_artifact_links)}
        versions = depaginate(self.zenml.list_artifact_versions, only_unused=True, created=created)
        return [each for each in versions if is_ours(each) and each.id not in linked]

    def _delete_artifact(self, version: ArtifactVersionResponse) -> None:
        is_remote = has_scheme(version.uri)
        is_there = is_remote or Path(version.uri).exists()
        self.zenml.delete_artifact_version(version.id, delete_from_artifact_store=is_there)
        if not is_remote:
            remove_empty(list(Path(version.uri).parents)[:3])  # of step run, output and step

    def _find_pipeline_runs(self, record: Record) -> list[PipelineRunResponse]:
        """Find pipeline runs by their names, MODEL-RUN and search-SWEEP-SESSION."""
        short = record.run_id[:12]
        runs = depaginate(self.zenml.list_pipeline_runs, name=f"contains:-{short}")
        return [run for run in runs if run.name.endswith(f"-{short}") or run.name.startswith(f"search-{short}-")]


def is_ours(version: ArtifactVersionResponse) -> bool:
    """Check whether a step of ours has made an artifact: with its run gone, only the materializer tells."""
    return version.save_type == ArtifactSaveType.STEP_OUTPUT and version.materializer.module == materializers.__name__

"""Remove pipeline runs from ZenML, and the step artifacts that no other run uses.

A file lists the artifacts before their pipeline runs are deleted, so that an interrupted prune can be completed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from zenml.client import Client
from zenml.models import ArtifactVersionResponse, PipelineRunResponse
from zenml.utils.pagination_utils import depaginate

from mlrunner.history.pruning.cache import CacheEntry
from mlrunner.history.pruning.criteria import DAY
from mlrunner.history.pruning.files import size
from mlrunner.tracking.records import Record

PENDING_FILE = "prune.json"
PAGE_SIZE = 100  # artifacts per request


class ZenmlRuns:
    """The pipeline runs and step artifacts in ZenML's store.

    Args:
        pending: File that lists the artifacts to delete.
    """

    def __init__(self, pending: Path) -> None:
        self.pending = pending
        self.client = Client()

    def delete(self, record: Record) -> None:
        """Delete the pipeline runs of a run or sweep, and their artifacts that no other run uses."""
        runs = self._pipeline_runs(record)
        versions = [v for run in runs for v in depaginate(self.client.list_artifact_versions, pipeline_run=run.id)]
        self._add_pending([str(version.id) for version in versions])
        for run in runs:
            self._delete_run(run)
        self.delete_pending()

    def delete_pending(self) -> None:
        """Delete the listed artifacts that no run uses any more, also those of an interrupted prune."""
        ids = sorted(set(self._read_pending()))
        for start in range(0, len(ids), PAGE_SIZE):
            some = f"oneof:{json.dumps(ids[start : start + PAGE_SIZE])}"
            self._delete_artifacts(self.client.list_artifact_versions(id=some, only_unused=True, size=PAGE_SIZE).items)
        self.pending.unlink(missing_ok=True)

    def delete_unused(self, age: float = DAY) -> list[CacheEntry]:
        """Delete every artifact that no run uses.

        Args:
            age: Least age, in seconds: a younger artifact may belong to a step that is still writing.
        """
        before = datetime.now(UTC) - timedelta(seconds=age)
        created = f"lt:{before:%Y-%m-%d %H:%M:%S}"
        return self._delete_artifacts(depaginate(self.client.list_artifact_versions, only_unused=True, created=created))

    def _delete_artifacts(self, versions: Iterable[ArtifactVersionResponse]) -> list[CacheEntry]:
        deleted = []
        for version in versions:
            path = Path(version.uri)
            deleted.append(CacheEntry(path, size(path)))
            exists = "://" in version.uri or path.exists()
            self.client.delete_artifact_version(version.id, delete_from_artifact_store=exists)
            with suppress(OSError):  # the folders of step run, output and step may hold other files
                for folder in list(path.parents)[:3]:
                    folder.rmdir()
        return deleted

    def _pipeline_runs(self, record: Record) -> list[PipelineRunResponse]:
        """Find the pipeline runs by their names, MODEL-RUN and search-SWEEP-SESSION."""
        short = record.run_id[:12]
        runs = depaginate(self.client.list_pipeline_runs, name=f"contains:-{short}")
        return [run for run in runs if run.name.endswith(f"-{short}") or run.name.startswith(f"search-{short}-")]

    def _delete_run(self, run: PipelineRunResponse) -> None:
        snapshot = run.snapshot
        self.client.delete_pipeline_run(run.id)
        if snapshot is None or snapshot.name:  # a user names a snapshot to run it again
            return
        if self.client.list_pipeline_runs(snapshot_id=snapshot.id, size=1).total == 0:
            self.client.delete_snapshot(snapshot.id)

    def _read_pending(self) -> list[str]:
        return [str(version) for version in json.loads(self.pending.read_text())] if self.pending.exists() else []

    def _add_pending(self, versions: list[str]) -> None:
        partial = self.pending.with_suffix(".part")
        partial.write_text(json.dumps([*self._read_pending(), *versions]))
        partial.replace(self.pending)

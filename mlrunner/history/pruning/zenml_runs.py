"""Remove what ZenML keeps of runs: pipeline runs, and the step artifacts that no other run uses.

The artifacts are noted on the disk before the pipeline runs go, so that the next prune removes what this one left.
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

from mlrunner.history.pruning import DAY
from mlrunner.history.pruning.files import size
from mlrunner.history.pruning.unused_artifacts import Leftover
from mlrunner.tracking.records import Record

NOTE = "prune.json"
BATCH = 100  # artifacts a request


class Pipelines:
    """ZenML's side of a prune.

    Args:
        note: File that lists the artifacts whose removal has begun.
    """

    def __init__(self, note: Path) -> None:
        self.note = note
        self.client = Client()

    def remove(self, record: Record) -> None:
        """Delete the pipeline runs of a run or a sweep; `finish` deletes their artifacts."""
        runs = self._runs(record)
        versions = [v for run in runs for v in depaginate(self.client.list_artifact_versions, pipeline_run=run.id)]
        self._remember([str(version.id) for version in versions])
        for run in runs:
            self._delete(run)

    def finish(self) -> None:
        """Delete the noted artifacts that no run uses any more."""
        wanted = sorted(set(self._noted()))
        for at in range(0, len(wanted), BATCH):
            ids = f"oneof:{json.dumps(wanted[at : at + BATCH])}"
            self._delete_artifacts(self.client.list_artifact_versions(id=ids, only_unused=True, size=BATCH).items)
        self.note.unlink(missing_ok=True)

    def remove_unused(self, age: float = DAY) -> list[Leftover]:
        """Delete every artifact that no run uses.

        Args:
            age: Seconds since it was made, at least: a younger one may belong to a step that is still writing.
        """
        before = datetime.now(UTC) - timedelta(seconds=age)
        created = f"lt:{before:%Y-%m-%d %H:%M:%S}"
        return self._delete_artifacts(depaginate(self.client.list_artifact_versions, only_unused=True, created=created))

    def _delete_artifacts(self, versions: Iterable[ArtifactVersionResponse]) -> list[Leftover]:
        deleted = []
        for version in versions:
            path = Path(version.uri)
            deleted.append(Leftover(path, size(path)))
            is_there = "://" in version.uri or path.exists()
            self.client.delete_artifact_version(version.id, delete_from_artifact_store=is_there)
            with suppress(OSError):  # step run, output and step: not empty
                for above in list(path.parents)[:3]:
                    above.rmdir()
        return deleted

    def _runs(self, record: Record) -> list[PipelineRunResponse]:
        """Find the pipeline runs by their names: MODEL-RUN, and search-SWEEP-SESSION."""
        short = record.run_id[:12]
        runs = depaginate(self.client.list_pipeline_runs, name=f"contains:-{short}")
        return [run for run in runs if run.name.endswith(f"-{short}") or run.name.startswith(f"search-{short}-")]

    def _delete(self, run: PipelineRunResponse) -> None:
        snapshot = run.snapshot
        self.client.delete_pipeline_run(run.id)
        if snapshot is None or snapshot.name:  # a user names what is to be run again
            return
        if self.client.list_pipeline_runs(snapshot_id=snapshot.id, size=1).total == 0:
            self.client.delete_snapshot(snapshot.id)

    def _noted(self) -> list[str]:
        return [str(version) for version in json.loads(self.note.read_text())] if self.note.exists() else []

    def _remember(self, versions: list[str]) -> None:
        partial = self.note.with_suffix(".part")
        partial.write_text(json.dumps([*self._noted(), *versions]))
        partial.replace(self.note)

"""Remove what ZenML keeps of a run: the pipeline run, and the step artifacts that no other run uses.

The rows go before the files: a cached step must not be found whose files are gone. What was to go is noted on the
disk in between, so that the next prune ends what this one could not.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from zenml.client import Client
from zenml.models import PipelineRunResponse
from zenml.utils.pagination_utils import depaginate

from mlrunner.tracking.records import Record

NOTE = "prune.json"
MANY = 100  # artifacts a request


class Pipelines:
    """ZenML's side of a prune.

    Args:
        note: The file that remembers the artifacts whose removal has begun.
    """

    def __init__(self, note: Path) -> None:
        self.note = note
        self.client = Client()

    def remove(self, record: Record) -> None:
        """Remove the pipeline runs of a run or a sweep, and the artifacts that only they used."""
        runs = self._runs(record)
        pending = [
            str(version.id)
            for run in runs
            for version in depaginate(self.client.list_artifact_versions, pipeline_run=run.id)
        ]
        if runs:
            self._remember(pending)
        for run in runs:
            self._forget(run)
        self.finish()

    def finish(self) -> None:
        """Remove the noted artifacts that no run uses any more."""
        if self.note.exists():
            self.unused(json.loads(self.note.read_text()))
            self.note.unlink()

    def unused(self, versions: Iterable[str]) -> None:
        """Remove artifacts, but for those that a run uses."""
        wanted = sorted(set(versions))
        for at in range(0, len(wanted), MANY):
            ids = f"oneof:{json.dumps(wanted[at : at + MANY])}"
            for version in self.client.list_artifact_versions(id=ids, only_unused=True, size=MANY).items:
                is_there = "://" in version.uri or Path(version.uri).exists()
                self.client.delete_artifact_version(version.id, delete_from_artifact_store=is_there)
                _remove_empty(Path(version.uri))

    def _runs(self, record: Record) -> list[PipelineRunResponse]:
        """Find the pipeline runs by the names that they are given: MODEL-RUN, and search-SWEEP-SESSION."""
        short = record.run_id[:12]
        found = depaginate(self.client.list_pipeline_runs, name=f"contains:-{short}")
        return [run for run in found if run.name.endswith(f"-{short}") or run.name.startswith(f"search-{short}-")]

    def _forget(self, run: PipelineRunResponse) -> None:
        snapshot = run.snapshot
        self.client.delete_pipeline_run(run.id)
        if snapshot is None or snapshot.name:  # a name is given to what shall be run again
            return
        if self.client.list_pipeline_runs(snapshot_id=snapshot.id, size=1).total == 0:
            self.client.delete_snapshot(snapshot.id)

    def _remember(self, versions: list[str]) -> None:
        before = json.loads(self.note.read_text()) if self.note.exists() else []
        partial = self.note.with_suffix(".part")
        partial.write_text(json.dumps([*before, *versions]))
        partial.replace(self.note)


def _remove_empty(artifact: Path) -> None:
    """Remove the folders of step run, output and step above an artifact where nothing is left in them."""
    with suppress(OSError):
        for above in list(artifact.parents)[:3]:
            above.rmdir()

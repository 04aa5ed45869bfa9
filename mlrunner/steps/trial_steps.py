"""Record trials as ZenML would by running the step `fitting.trial` for each, in a third of the time and in any process.

ZenML runs the step for one trial; the others with the same tables are written to its store like that one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import uuid4

from zenml.artifact_stores import BaseArtifactStore
from zenml.artifacts.utils import load_artifact_store
from zenml.client import Client
from zenml.config.step_configurations import Step
from zenml.enums import ArtifactSaveType, ExecutionStatus
from zenml.exceptions import EntityExistsError
from zenml.models import ArtifactVersionRequest, StepRunRequest, StepRunResponse

from mlrunner.groups.stack.stores import reduce_zenml_overhead
from mlrunner.steps.materializers import DocumentMaterializer

SCORES = "scores"  # output of the step


def name_step(number: int) -> str:
    """Return ZenML's name of the step of a trial, which is unique in the run of a search."""
    return f"trial_{number}"


def is_recorded(search: str, number: int) -> bool:
    """Check whether a session of a search has recorded a trial.

    Args:
        search: Beginning of ZenML's names of the runs of all sessions.
        number: Number of the trial.
    """
    client, name = Client(), name_step(number)
    runs = client.list_pipeline_runs(name=f"startswith:{search}", size=1000)
    done = ExecutionStatus.COMPLETED.value
    return any(client.list_run_steps(pipeline_run_id=run.id, name=name, status=done, size=1).total for run in runs)


def write_step(run: str, template: int, record: dict[str, Any], started: float, seconds: float) -> None:
    """Record a trial; one that is recorded in the run already stays as it is.

    Args:
        run: ZenML's name of the run of this session.
        template: Number of a trial with the same tables, for which ZenML has run the step in this run.
        record: Parameters of `fitting.trial`.
        started: Time of the trial's start, in seconds since the epoch.
        seconds: Duration of the trial.
    """
    model, store = _read_template(run, template), _open_store()
    name = name_step(record["number"])
    end = datetime.fromtimestamp(started + seconds, UTC).replace(tzinfo=None)
    outputs = {SCORES: [store.create_artifact_version(model.save_scores(name, record[SCORES])).id]}
    times = {"start_time": datetime.fromtimestamp(started, UTC).replace(tzinfo=None), "end_time": end}
    changes = {"name": name, "dynamic_config": model.configure(name, record), "outputs": outputs, **times}
    try:
        store.create_run_step(model.request.model_copy(update=changes))
    except EntityExistsError:
        return


@dataclass(frozen=True)
class _Template:
    """A step that ZenML has run.

    Args:
        request: The request by which it would be recorded.
        artifact: The request by which its scores would be.
        files: Store of the files of artifacts.
    """

    request: StepRunRequest
    artifact: ArtifactVersionRequest
    files: BaseArtifactStore

    def configure(self, name: str, record: dict[str, Any]) -> Step:
        """Configure the step of another trial."""
        step = self.request.dynamic_config
        assert step is not None
        config = step.config.model_copy(update={"parameters": record})
        spec = step.spec.model_copy(update={"invocation_id": name, "parameter_spec": None})  # it repeats the values
        return Step(spec=spec, config=config, step_config_overrides=config)

    def save_scores(self, name: str, scores: dict[str, float]) -> ArtifactVersionRequest:
        """Write the scores of another trial into a folder of their own."""
        uri = f"{self.files.path}/{name}/{SCORES}/{uuid4()}"
        self.files.makedirs(uri)
        materializer = DocumentMaterializer(uri, self.files)
        materializer.save(scores)
        digest = materializer.compute_content_hash(scores)
        return self.artifact.model_copy(update={"uri": uri, "content_hash": digest})


@cache
def _open_store() -> Any:
    """Open ZenML's store, which a background process has not opened yet."""
    client = Client()
    reduce_zenml_overhead(client)
    return client.zen_store


@cache
def _read_template(run: str, number: int) -> _Template:
    _open_store()
    client = Client()
    run_id = client.get_pipeline_run(run, allow_name_prefix_match=False).id
    (step,) = client.list_run_steps(pipeline_run_id=run_id, name=name_step(number), hydrate=True)
    return _make_template(step)


def _make_template(step: StepRunResponse) -> _Template:
    (scores,) = step.outputs[SCORES]
    assert scores.artifact_store_id is not None
    request = StepRunRequest(
        name=step.name,
        project=step.project_id,
        pipeline_run_id=step.pipeline_run_id,
        status=ExecutionStatus.COMPLETED,
        start_time=datetime.min,
        code_hash=step.code_hash,
        docstring=step.docstring,
        source_code=step.source_code,
        inputs={name: [version.id for version in versions] for name, versions in step.inputs.items()},
        dynamic_config=Step(spec=step.spec, config=step.config, step_config_overrides=step.config),
    )
    artifact = ArtifactVersionRequest(
        project=scores.project_id,
        artifact_name=scores.artifact.name,
        has_custom_name=True,
        type=scores.type,
        artifact_store_id=scores.artifact_store_id,
        uri=scores.uri,
        materializer=scores.materializer,
        data_type=scores.data_type,
        save_type=ArtifactSaveType.STEP_OUTPUT,
    )
    return _Template(request, artifact, load_artifact_store(scores.artifact_store_id))

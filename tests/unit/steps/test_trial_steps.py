"""Steps written like one that ZenML has run; `tests/apps/test_search.py` compares the two in ZenML's own store."""

from __future__ import annotations

import json
import uuid
from datetime import datetime
from pathlib import Path

from zenml.artifact_stores.local_artifact_store import LocalArtifactStore, LocalArtifactStoreConfig
from zenml.config.step_configurations import Step
from zenml.enums import ArtifactSaveType, ArtifactType, ExecutionStatus, StackComponentType
from zenml.models import ArtifactVersionRequest, StepRunRequest

from mlrunner.steps.trial_steps import _Template, name_step

NOW = datetime(2026, 1, 31)
ID = uuid.UUID(int=1)


def make_template(folder: Path) -> _Template:
    source = {"module": "mlrunner.steps.fitting", "attribute": "trial", "type": "unknown"}
    spec = {"source": source, "upstream_steps": ["divide"], "invocation_id": "trial_0", "parameter_spec": {"a": 1}}
    step = Step.model_validate({"spec": spec, "config": {"name": "trial", "parameters": {"number": 0}}})
    request = StepRunRequest(
        name="trial_0", project=ID, pipeline_run_id=ID, status=ExecutionStatus.COMPLETED, start_time=NOW,
        dynamic_config=step,
    )  # fmt: skip
    artifact = ArtifactVersionRequest(
        project=ID, artifact_name="scores", has_custom_name=True, type=ArtifactType.DATA, uri="first",
        materializer=source, data_type=source, save_type=ArtifactSaveType.STEP_OUTPUT,
    )  # fmt: skip
    files = LocalArtifactStore(
        name="store", id=ID, config=LocalArtifactStoreConfig(path=str(folder)), flavor="local",
        type=StackComponentType.ARTIFACT_STORE, user=None, created=NOW, updated=NOW,
    )  # fmt: skip
    return _Template(request, artifact, files)


def test_a_step_has_its_own_name_and_parameters_and_all_else_of_the_template(tmp_path: Path) -> None:
    template = make_template(tmp_path)
    step = template.configure(name_step(7), {"number": 7})
    assert (step.spec.invocation_id, step.config.parameters) == ("trial_7", {"number": 7})
    assert step.step_config_overrides == step.config
    assert (step.config.name, step.spec.upstream_steps) == ("trial", ["divide"])
    assert step.spec.parameter_spec is None
    assert template.request.dynamic_config is not None
    assert template.request.dynamic_config.config.parameters == {"number": 0}


def test_scores_are_a_file_of_their_own(tmp_path: Path) -> None:
    template = make_template(tmp_path)
    first, second = (template.save_scores("trial_7", {"r2": value}) for value in (0.5, 0.25))
    assert json.loads((Path(first.uri) / "data.json").read_text()) == {"r2": 0.5}
    assert first.uri != second.uri
    assert first.content_hash != second.content_hash
    assert (first.artifact_name, template.artifact.uri) == ("scores", "first")

"""Print the steps and the options of each pipeline as JSON; run in a process with its own ZenML store."""

from __future__ import annotations

import inspect
import json
from typing import Any

from zenml.utils import source_utils

from mlrunner.core.column_roles import Roles
from mlrunner.groups.model import ModelNameConfig
from mlrunner.steps.prediction import PredictionJob
from mlrunner.steps.problem import Problem
from mlrunner.steps.recording import RunContext
from pipelines.deployment import deployment
from pipelines.inference import inference
from pipelines.search import DRIVERS, search
from pipelines.training import training
from tests.support.front_door import PROJECT


def describe() -> dict[str, Any]:
    """Prepare each pipeline without running it."""
    problem = Problem(roles=Roles("y"), task="regression", label="data")
    run = RunContext(run_id="r", log_model=False, plots=False, seed=0, objective="r2")
    code = {"dataset": "a", "cleaning": "b", "split": "c"}
    rows = {"dataset": {}, "problem": problem, "cleaning": {}, "split": {}, "fingerprint": "f", "code": code}
    common = {**rows, "gate": {}, "deployer": {}, "run": run}
    fit = {**common, "model_config": ModelNameConfig(name="rf", settings={}), "blueprint": False}
    settings = {"folder": "", "name": "", "version": 1, "offline": True, "out": "", "keep": [], "rows_per_chunk": 1}
    job = PredictionJob(**settings, force=False)
    calls: dict[str, Any] = {
        "training": (training, {**fit, "refit": False}),
        "refit": (training, {**fit, "refit": True}),
        "deployment": (deployment, {**common, "uri": "models:/m-1", "other_scores": {}}),
        "inference": (inference, {"dataset": {}, "job": job}),
    }
    shapes: dict[str, Any] = {}
    texts: set[str] = set()
    for name, (pipeline, arguments) in calls.items():
        pipeline.prepare(**arguments)
        for function in (pipeline.entrypoint, *[call.step.entrypoint for call in pipeline.invocations.values()]):
            texts |= {note for note in inspect.get_annotations(function).values() if isinstance(note, str)}
        shapes[name] = {step: sorted(call.upstream_steps) for step, call in pipeline.invocations.items()}
    options: dict[str, Any] = {}
    for pipeline in (training, deployment, inference, search):
        config = pipeline.configuration
        flags = [config.enable_step_logs, config.enable_pipeline_logs, config.enable_artifact_metadata]
        options[pipeline.name] = [*flags, config.enable_heartbeat, pipeline.is_dynamic, str(config.execution_mode)]
    try:
        search.entrypoint("another study")
    except KeyError as error:
        refusal = str(error)
    return {"shapes": shapes, "options": options, "refusal": refusal, "drivers": [*DRIVERS], "texts": sorted(texts)}


def main() -> None:
    """Print the description."""
    source_utils.set_custom_source_root(str(PROJECT))
    print(json.dumps(describe()))

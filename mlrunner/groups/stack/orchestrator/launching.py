"""Run a static pipeline whose steps run in containers, and wait for its end."""

from __future__ import annotations

import importlib
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from zenml.client import Client
from zenml.config import DockerSettings
from zenml.orchestrators.local_docker.local_docker_orchestrator import LocalDockerOrchestratorSettings
from zenml.pipelines.run_utils import wait_for_pipeline_run_to_finish

from mlrunner.core import environment, errors
from mlrunner.core.containers.engine import open_client, remove
from mlrunner.core.containers.step_containers import find_orphans, label_container, remove_containers
from mlrunner.core.errors import DeployError, MlrunnerError, StepError, StoreError, first_line
from mlrunner.groups.stack.orchestrator.placement import Placement
from mlrunner.groups.stack.orchestrator.step_image import REPOSITORY, ensure_step_image

log = logging.getLogger(__name__)


def run_pipeline(placement: Placement, pipeline: Any, name: str, arguments: Mapping[str, Any]) -> Any:
    """Run a static pipeline, each step in a container, and wait for its end.

    Returns:
        ZenML's record of the finished run; None when ZenML did not run it.

    Raises:
        MlrunnerError: When a step has failed, or a container did not run.
    """
    if placement.orchestrator.is_local_docker:
        _remove_orphans()
    options = _describe_options(placement, name)
    with _explained(placement, name), _ended_with_the_command(placement, name):
        run = pipeline.with_options(run_name=name, **options)(**arguments)
        run = None if run is None else wait_for_pipeline_run_to_finish(run.id)
    if (failure := _find_failure(name)) is not None:
        raise failure
    return run


def _describe_options(placement: Placement, name: str) -> dict[str, Any]:
    tag = ensure_step_image(placement.stack.base_image, placement.stack.packages)
    docker = DockerSettings(
        parent_image=f"{REPOSITORY}:{tag}",
        target_repository=REPOSITORY,
        image_tag=tag,
        install_stack_requirements=False,
        allow_including_files_in_images=False,
        allow_download_from_code_repository=False,
        allow_download_from_artifact_store=False,
    )
    settings: dict[str, Any] = {"docker": docker}
    if placement.orchestrator.is_local_docker:
        settings["orchestrator.local_docker"] = LocalDockerOrchestratorSettings(run_args=_run_args(placement, name))
    return {"settings": settings, "environment": dict(placement.variables)}


def _run_args(placement: Placement, name: str) -> dict[str, Any]:
    """Add to the arguments of the component: what containers see of this machine, as whom they run, and the run."""
    own = placement.orchestrator.settings.get("run_args", {})
    mounts = {path: {"bind": path, "mode": mode} for path, mode in placement.mounts.items()}
    return {
        "user": f"{os.getuid()}:{os.getgid()}",
        "remove": True,
        **own,
        "volumes": {**mounts, **own.get("volumes", {})},
        "labels": {**own.get("labels", {}), **label_container(name)},
    }


def _remove_orphans() -> None:
    """Remove the containers that commands of this home have left when they were killed."""
    with suppress(DeployError), open_client() as client:
        for container in find_orphans(client, environment.home()):
            log.warning("removing the container %s of a command that was killed", container.name)
            remove(container)


@contextmanager
def _ended_with_the_command(placement: Placement, name: str) -> Iterator[None]:
    """Remove the containers of a run that is interrupted, which would run on."""
    try:
        yield
    except BaseException:
        if placement.orchestrator.is_local_docker:
            with suppress(DeployError), open_client() as client:
                remove_containers(client, name)
        raise


@contextmanager
def _explained(placement: Placement, name: str) -> Iterator[None]:
    """Replace the error of an orchestrator by that of the step which has failed."""
    try:
        yield
    except MlrunnerError:
        raise
    except Exception as error:
        failure = _find_failure(name)
        if failure is None:
            reason = _last_line(error) or first_line(error)
            failure = StoreError(f"{placement.orchestrator} did not run the pipeline ({reason}); see -v.")
        raise failure from error


def _last_line(error: Exception) -> str:
    """Return the last line that a container printed before it failed; empty when there was none."""
    printed = getattr(error, "stderr", None) or b""
    lines = printed.decode(errors="replace").strip().splitlines()
    return lines[-1].rstrip(".") if lines else ""


def _find_failure(name: str) -> MlrunnerError | None:
    """Find the error of the step that has failed; None when no step of the run has."""
    try:
        steps = Client().get_pipeline_run(name, allow_name_prefix_match=False).steps
    except KeyError:
        return None
    for step, record in steps.items():
        if record.status.is_failed and record.exception_info is not None:
            return _restore_error(step, record.exception_info)
    return None


def _restore_error(step: str, info: Any) -> MlrunnerError:
    """Make the error that a step has raised in its container: one of ours as it was, any other with the step's name."""
    path, message = str(info.source or ""), str(info.message or info.traceback.strip().splitlines()[-1])
    module, _, kind = path.rpartition(".")
    if module == errors.__name__:
        cls = getattr(importlib.import_module(module), kind)
        return StepError(message) if cls is errors.ProblemsError else cls(message)
    return StepError(f"The step {step} failed in its container: {kind or 'error'}: {first_line(Exception(message))}.")

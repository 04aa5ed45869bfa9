"""Where the steps of a run, a deployment or a prediction run: in this process, or in containers of the active stack."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from mlrunner.composition.checks import Checked
from mlrunner.core.build import Group, build
from mlrunner.core.errors import ConfigError, StoreError
from mlrunner.core.redaction import hide_group
from mlrunner.core.uris import has_scheme
from mlrunner.groups.deployer import Deployer, NoDeployer
from mlrunner.groups.stack import Stack
from mlrunner.steps.progress import show_finished

if TYPE_CHECKING:
    from mlrunner.groups.stack.orchestrator.placement import Placement
    from mlrunner.steps.prediction import PredictionJob


def place_run(checked: Checked) -> Placement | None:
    """Place the steps of a run; its stack must be active.

    Raises:
        ConfigError: When they cannot run in the containers of the stack.
    """
    composition = checked.composition
    deployer: Deployer = build(composition["deployer"], "deployer", Deployer)
    deploys = composition.has_deployment_step  # a job of a grid does not: its winner is deployed at the end
    placement = place(checked.stack, composition["dataset"], deployer if deploys else NoDeployer())
    if placement is not None and not composition.settings.tracking.log_model:
        raise ConfigError(
            f"tracking.log_model=false, but the steps of {placement.orchestrator} hand over the model through MLflow; "
            "set it to true."
        )
    return placement


def place(stack: Stack, dataset: Group, deployer: Deployer) -> Placement | None:
    """Place the steps of a pipeline that has a model.

    Raises:
        ConfigError: When they cannot run in the containers of the stack.
    """
    from mlrunner.groups.stack.orchestrator.placement import Uses, place_steps

    placement = place_steps(stack, Uses(_list_files(dataset), deployer.folders))
    if placement is not None and deployer.needs_this_machine:
        raise ConfigError(
            f"{type(deployer).__name__} deploys on the machine where its step runs, and {placement.orchestrator} runs "
            "steps in containers, which end with the step; take deployer=none here, and then mlrunner deploy RUN "
            "deployer=… with a stack whose orchestrator is local, such as stack.name=local_stack."
        )
    return placement


def place_prediction(stack: Stack, dataset: Group, job: PredictionJob) -> Placement | None:
    """Place the step of a batch prediction.

    Args:
        stack: Active stack.
        dataset: Config group `dataset`.
        job: What to predict with, and where to write.

    Raises:
        ConfigError: When it cannot run in a container of the stack.
    """
    from mlrunner.groups.stack.orchestrator.placement import Uses, place_steps

    placement = place_steps(stack, Uses(_list_files(dataset), (job.folder, str(Path(job.out).absolute().parent))))
    if placement is not None and not job.offline:
        refuse_service(placement)
    return placement


def refuse_service(placement: Placement) -> NoReturn:
    """Refuse to ask the service of a deployment from a container.

    Raises:
        ConfigError: Always.
    """
    raise ConfigError(
        f"{placement.orchestrator} predicts in a container, which does not reach the service of a deployment; add "
        "--offline."
    )


def _list_files(dataset: Group) -> tuple[str, ...]:
    path = dataset.get("path")
    return () if path is None or has_scheme(path) else (str(Path(path).expanduser()),)


def record_dataset(placement: Placement | None, dataset: Group, recorded: dict[str, Any] | None = None) -> Group:
    """Return the data set as the argument of a pipeline, which ZenML records.

    Args:
        placement: Where the steps run.
        dataset: Resolved config group.
        recorded: The same group as MLflow records it; None: without what its keys and values show to be secret.

    Raises:
        ConfigError: When a step in a container needs a secret.
    """
    hidden = hide_group(dataset, recorded)
    if placement is None:
        return hidden
    from mlrunner.groups.stack.orchestrator.placement import require_plain

    plain = require_plain(dataset, hidden)
    files = _list_files(dataset)
    return {**plain, "path": str(Path(files[0]).absolute())} if files else plain


def run_pipeline(placement: Placement | None, pipeline: Any, name: str, arguments: Mapping[str, Any]) -> Any:
    """Run a static pipeline, and print the lines of steps that ran in containers.

    Returns:
        ZenML's record of the finished run.

    Raises:
        MlrunnerError: When ZenML did not run the pipeline, or a step has failed in its container.
        Exception: Whatever a step in this process raises.
    """
    if placement is None:
        run = pipeline.with_options(run_name=name)(**arguments)
    else:
        from mlrunner.groups.stack.orchestrator.launching import run_pipeline as launch

        run = launch(placement, pipeline, name, arguments)
    if run is None:
        raise StoreError("ZenML did not run the pipeline; see its log with -v.")
    if placement is not None:
        show_finished({step: _read_seconds(record) for step, record in run.steps.items()})
    return run


def _read_seconds(record: Any) -> float | None:
    is_timed = record.status == "completed" and record.start_time is not None and record.end_time is not None
    return (record.end_time - record.start_time).total_seconds() if is_timed else None

"""Judge a saved model and deploy it: shared by `mlrunner deploy`, the end of a grid and the Python API."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from omegaconf import OmegaConf

from mlrunner.composition.code_digest import digest_code
from mlrunner.composition.compose import compose_config
from mlrunner.composition.foreign_sources import refuse_foreign_sources
from mlrunner.composition.resolve import resolve_group
from mlrunner.composition.stores import open_store
from mlrunner.composition.trust import refuse_foreign
from mlrunner.core import environment
from mlrunner.core.build import build
from mlrunner.core.errors import DeployError, ProblemsError
from mlrunner.core.project import load_pipelines
from mlrunner.execution.deployment_groups import RECORDED_KEYS, check_overrides, choose_groups, split_key
from mlrunner.execution.placement import place, record_dataset, run_pipeline
from mlrunner.groups.dataset import Dataset
from mlrunner.groups.deployer import Deployer
from mlrunner.groups.gate import Gate
from mlrunner.groups.stack import Stack
from mlrunner.tracking.records import Record, lookup
from mlrunner.tracking.records.record import DATA_TAG, INVALID_TAG, MODEL_TAG

if TYPE_CHECKING:
    from mlrunner.groups.stack.orchestrator.placement import Placement

DEPLOYMENT_GROUPS = ("dataset", "cleaning", "split", "gate", "deployer")


@dataclass(frozen=True)
class DeploymentResult:
    """Result of judging and deploying a run.

    Args:
        run_id: Id of the MLflow run.
        name: Name of the run.
        open: Whether the gate opened.
        reason: Reason of the gate's decision.
        deployment: Name of the deployment; None when nothing was deployed.
        version: Version of the registered model; None when nothing was deployed.
        url: Address of the service; None when nothing serves.
        where: Description of the place where the model serves, or commands to paste.
        note: Warning about the data that the gate used; None without a warning.
    """

    run_id: str
    name: str
    open: bool
    reason: str
    deployment: str | None = None
    version: int | None = None
    url: str | None = None
    where: str | None = None
    note: str | None = None


def deploy(name: str, overrides: Sequence[str] = (), trust: bool = False) -> DeploymentResult:
    """Judge a saved model on its test rows, and deploy it if the gate opens.

    Args:
        name: Name of a run or a sweep, as `records.lookup.find` takes it.
        overrides: Overrides of gate, deployer and stack. The default is the run's gate, and today's deployer.
        trust: True to read the query or address of the run's data set, with the rights of the current user.

    Raises:
        MlrunnerError: When there is no such run, or it cannot be deployed; the previous deployment stays.
    """
    home = environment.home()
    overrides = list(overrides)
    check_overrides(overrides)
    cfg = compose_config([text for text in overrides if split_key(text)[0] == "stack"])
    stack: Stack = build(resolve_group(cfg, "stack"), "stack", Stack)
    stack.activate(home)
    store = open_store(home)
    run = lookup.resolve_sweep(store, lookup.find(store, name, home, saved=True))
    recorded = run.read_config()
    refuse_foreign(recorded, (*RECORDED_KEYS, "gate"))
    None if trust else refuse_foreign_sources(recorded["dataset"])
    return deploy_record(run, {**recorded, **choose_groups(overrides, run.params, recorded)}, stack)


def deploy_record(run: Record, config: dict[str, Any], stack: Stack) -> DeploymentResult:
    """Judge a run by the gate of a composition, and deploy it if the gate opens.

    Args:
        run: Run that saved a model.
        config: Resolved configuration of the run, with the gate and the deployer to use.
        stack: Active stack.

    Raises:
        MlrunnerError: When a setting is not possible, or the model cannot be deployed.
    """
    from mlrunner.steps import recording

    uri = _get_model(run)
    refuse_foreign(config, (*DEPLOYMENT_GROUPS, "metric"))
    dataset_group: Any = OmegaConf.to_container(OmegaConf.create(config["dataset"]), resolve=True)
    config = {**config, "dataset": dataset_group}  # variables of the environment are recorded by name
    dataset: Dataset = build(config["dataset"], "dataset", Dataset)
    fingerprint = dataset.fingerprint()
    deployer = _check_groups(config, config["dataset"]["task"])
    placement = place(stack, config["dataset"], deployer)
    context = recording.RunContext(
        run_id=run.run_id, log_model=True, plots=False, seed=config["seed"], objective=run.metric
    )
    _run_pipeline(config, placement, context, uri, dict(run.metrics), fingerprint)
    recorded = recording.read_deployment(run.run_id)
    gate, deployment = recorded["gate"], recorded["deployment"] or {}
    if "error" in deployment:
        raise DeployError(deployment["error"])
    is_changed = fingerprint != run.tags.get(DATA_TAG)
    note = "the data set has changed since the run; the gate used today's test rows" if is_changed else None
    fields = {"deployment": deployment.pop("name", None), **deployment}
    return DeploymentResult(run.run_id, run.name, gate["open"], gate["reason"], **fields, note=note)


def _get_model(run: Record) -> str:
    """Return the URI of a run's model; raise an error if the run has no model, or must not be deployed."""
    if run.status == "FAILED":
        raise DeployError(f"Run {run.short} failed, so its model is not deployed; deploy another run.")
    if INVALID_TAG in run.tags:
        raise DeployError(
            f"Run {run.short} is invalid ({run.tags[INVALID_TAG]}); deploy another run, or undo that with mlrunner tag "
            f"{run.short} invalid=."
        )
    if MODEL_TAG not in run.tags:
        raise DeployError(f"Run {run.short} saved no model; run it again with tracking.log_model=true.")
    return run.tags[MODEL_TAG]


def _run_pipeline(
    config: dict[str, Any], placement: Placement | None, run: Any, uri: str, known: dict[str, float], fingerprint: str
) -> None:
    from mlrunner.steps.problem import describe_problem

    groups = {name: config[name] for name in DEPLOYMENT_GROUPS}
    groups["dataset"] = record_dataset(placement, config["dataset"])
    code = {name: digest_code(build(config[name], name)) for name in ("dataset", "cleaning", "split")}
    scores = {name: value for name, value in known.items() if "/" in name and value == value}
    problem = describe_problem(config["dataset"], config["metric"])
    data = {"problem": problem, "fingerprint": fingerprint, "code": code}
    arguments = {**groups, **data, "run": run, "uri": uri, "other_scores": scores}
    name = f"deployment-{run.run_id[:12]}-{uuid.uuid4().hex[:8]}"
    run_pipeline(placement, load_pipelines("deployment").deployment, name, arguments)


def _check_groups(config: dict[str, Any], task: str) -> Deployer:
    """Check gate and deployer as the start of a run does, and return the deployer."""
    gate: Gate = build(config["gate"], "gate", Gate)
    deployer: Deployer = build(config["deployer"], "deployer", Deployer)
    problems = [*gate.problems(task), *deployer.problems()]
    if problems:
        raise ProblemsError(problems)
    return deployer

"""Judge a saved model and deploy it: shared by `mlrunner deploy`, the end of a grid and the Python API."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from omegaconf import OmegaConf

from mlrunner.composition.code_digest import digest_code
from mlrunner.composition.compose import compose_config
from mlrunner.composition.foreign_sources import refuse_foreign_sources
from mlrunner.composition.resolve import resolve_group
from mlrunner.composition.stores import open_store
from mlrunner.composition.trust import refuse_foreign
from mlrunner.core import environment
from mlrunner.core.build import Group, build
from mlrunner.core.errors import ConfigError, DeployError, ProblemsError, StoreError
from mlrunner.core.project import load_pipelines
from mlrunner.core.redaction import hide_group
from mlrunner.groups.dataset import Dataset
from mlrunner.groups.deployer import Deployer
from mlrunner.groups.gate import Gate
from mlrunner.tracking.records import Record, lookup
from mlrunner.tracking.records.record import DATA_TAG, INVALID_TAG, MODEL_TAG

OVERRIDABLE = ("gate", "deployer")  # groups of the run that a deployment may replace
ACCEPTED = (*OVERRIDABLE, "stack")
DEPLOYMENT_GROUPS = ("dataset", "cleaning", "split", "gate", "deployer")
OPTION = re.compile(r"[\w-]+(/[\w-]+)*")
RECORDED_KEYS = ("dataset", "cleaning", "split", "objective", "seed")  # always those of the run


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
    _check_overrides(overrides)
    cfg = compose_config([text for text in overrides if _split_key(text)[0] == "stack"])
    build(resolve_group(cfg, "stack"), "stack").activate(home)
    store = open_store(home)
    run = lookup.resolve_sweep(store, lookup.find(store, name, home, saved=True))
    recorded = run.read_config()
    refuse_foreign(recorded, (*RECORDED_KEYS, "gate"))
    None if trust else refuse_foreign_sources(recorded["dataset"])
    return deploy_record(run, {**recorded, **_choose_groups(overrides, run.params, recorded)})


def _split_key(override: str) -> list[str]:
    return override.lstrip("+~").partition("=")[0].split(".")


def _check_overrides(overrides: list[str]) -> None:
    for text in overrides:
        if _split_key(text)[0] not in ACCEPTED or "=" not in text:
            raise ConfigError(
                f"'{text}' cannot be overridden for a deployment; {', '.join(ACCEPTED)} can, such as "
                "gate=threshold gate.threshold=0.8 deployer=local."
            )


def _choose_groups(overrides: list[str], params: Mapping[str, str], recorded: dict[str, Any]) -> dict[str, Group]:
    """Resolve the gate of the run, and its kind of deployer by today's files: a store sets no address."""
    replaced = {_split_key(text)[0] for text in overrides if len(_split_key(text)) == 1}
    options = {group: params.get(group, "none") for group in OVERRIDABLE if group not in replaced}
    for group, option in options.items():
        if not OPTION.fullmatch(option):  # a path would read a file of anybody
            raise ConfigError(f"The run's {group}={option} is no option of conf/{group}/; add {group}=... of yours.")
    if options.get("deployer") == "none":
        options["deployer"] = "local"
    cfg = compose_config([*(f"{group}={option}" for group, option in options.items()), *overrides])
    OmegaConf.set_struct(cfg, False)
    for key in RECORDED_KEYS:
        cfg[key] = recorded[key]
    groups = {group: resolve_group(cfg, group) for group in OVERRIDABLE}
    if "gate" not in replaced and "gate" in params:
        overridden = {".".join(_split_key(text)) for text in overrides}
        groups["gate"] = _merge(groups["gate"], recorded["gate"], "gate", overridden)
    return groups


def _merge(composed: Any, recorded: Any, key: str, overridden: set[str]) -> Any:
    """Take the recorded value of each key, and the composed value of overridden and new keys."""
    if key in overridden:
        return composed
    if not (isinstance(composed, dict) and isinstance(recorded, dict)):
        return recorded
    return {
        name: _merge(composed.get(name), recorded.get(name, composed.get(name)), f"{key}.{name}", overridden)
        for name in {**recorded, **composed}
    }


def deploy_record(run: Record, config: dict[str, Any]) -> DeploymentResult:
    """Judge a run by the gate of a composition, and deploy it if the gate opens; the stack must be active.

    Args:
        run: Run that saved a model.
        config: Resolved configuration of the run, with the gate and the deployer to use.

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
    _check_groups(config, config["dataset"]["task"])
    context = recording.RunContext(
        run_id=run.run_id, log_model=True, plots=False, seed=config["seed"], objective=run.metric
    )
    _run_pipeline(config, context, uri, dict(run.metrics), fingerprint)
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


def _run_pipeline(config: dict[str, Any], run: Any, uri: str, known: dict[str, float], fingerprint: str) -> None:
    from mlrunner.steps.problem import describe_problem

    groups = {name: config[name] for name in DEPLOYMENT_GROUPS}
    groups["dataset"] = hide_group(config["dataset"])
    code = {name: digest_code(build(config[name], name)) for name in ("dataset", "cleaning", "split")}
    scores = {name: value for name, value in known.items() if "/" in name and value == value}
    problem = describe_problem(config["dataset"], config["metric"])
    data = {"problem": problem, "fingerprint": fingerprint, "code": code}
    pipeline_run = load_pipelines("deployment").deployment(**groups, **data, run=run, uri=uri, other_scores=scores)
    if pipeline_run is None:
        raise StoreError("ZenML did not run the pipeline; see its log with -v.")


def _check_groups(config: dict[str, Any], task: str) -> None:
    """Check gate and deployer as the start of a run does."""
    gate: Gate = build(config["gate"], "gate", Gate)
    deployer: Deployer = build(config["deployer"], "deployer", Deployer)
    problems = [*gate.problems(task), *deployer.problems()]
    if problems:
        raise ProblemsError(problems)

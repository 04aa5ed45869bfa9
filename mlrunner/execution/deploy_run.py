"""Hand a saved model to gate and deployer: what `mlrunner deploy`, the end of a grid and Python share."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import OmegaConf

from mlrunner.composition.checks import digest_code
from mlrunner.composition.compose import compose_config
from mlrunner.composition.resolve import resolve_group
from mlrunner.composition.stores import open_store
from mlrunner.composition.trust import refuse_foreign
from mlrunner.core.build import Group, build
from mlrunner.core.errors import ConfigError, DeployError, ProblemsError, StoreError
from mlrunner.groups.dataset import Dataset
from mlrunner.groups.deployer import Deployer
from mlrunner.groups.gate import Gate
from mlrunner.tracking.records import lookup
from mlrunner.tracking.records.record import DATA_TAG, MODEL_TAG

if TYPE_CHECKING:
    from mlrunner.tracking.records import Record

OVERRIDABLE = ("gate", "deployer")  # groups that a deployment may choose anew
ACCEPTED = (*OVERRIDABLE, "stack")
DEPLOYMENT_GROUPS = ("dataset", "cleaning", "split", "gate", "deployer")
RECORDED_KEYS = ("dataset", "cleaning", "split", "objective", "seed")  # what the run was, and stays


@dataclass(frozen=True)
class DeploymentResult:
    """What became of a run that was to be deployed.

    Args:
        run_id: Of MLflow.
        name: Of the run.
        open: Whether the gate opened.
        reason: What it said.
        deployment: The deployment's name; None when nothing was deployed.
        version: Of the registered model.
        url: Where it serves; None where nothing serves.
        where: The same for people.
        note: What a person should know about the data that judged; None for nothing.
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


def deploy(what: str, overrides: Sequence[str] = ()) -> DeploymentResult:
    """Judge a saved model on its test rows, and deploy it if the gate opens.

    Args:
        what: A run or a sweep, see `records.naming.find`.
        overrides: Of gate, deployer and stack, like `gate=threshold`; those of the run stand where none are given.

    Raises:
        ConfigError: When there is no such run, or a choice is impossible.
        DeployError: When the model cannot be deployed; what was deployed before still is.
    """
    home = Path(os.environ["MLRUNNER_HOME"])
    told = list(overrides)
    _check_overrides(told)
    cfg = compose_config([text for text in told if _key(text)[0] == "stack"])
    build(resolve_group(cfg, "stack"), "stack").activate(home)
    store = open_store(home)
    run = lookup.resolve_sweep(store, lookup.find(store, what, home, saved=True))
    frozen = run.read_config()
    refuse_foreign(frozen, RECORDED_KEYS)
    return deploy_record(run, {**frozen, **_choose_groups(told, run.params, frozen)})


def _key(override: str) -> list[str]:
    return override.lstrip("+~").partition("=")[0].split(".")


def _check_overrides(overrides: list[str]) -> None:
    for text in overrides:
        if _key(text)[0] not in ACCEPTED or "=" not in text:
            raise ConfigError(
                f"'{text}' cannot be given here: the run is what it was; {', '.join(ACCEPTED)} may be chosen, like "
                "gate=threshold gate.threshold=0.8 deployer=local."
            )


def _choose_groups(overrides: list[str], params: Mapping[str, str], frozen: dict[str, Any]) -> dict[str, Group]:
    """Resolve gate and deployer: as the run had them, where they are not chosen or set anew; local instead of none."""
    options = {group: params.get(group, "none") for group in OVERRIDABLE}
    if options["deployer"] == "none":
        options["deployer"] = "local"
    anew = {_key(text)[0] for text in overrides if len(_key(text)) == 1}
    cfg = compose_config([*(f"{group}={option}" for group, option in options.items() if group not in anew), *overrides])
    OmegaConf.set_struct(cfg, False)
    for key in RECORDED_KEYS:
        cfg[key] = frozen[key]
    found = {group: resolve_group(cfg, group) for group in OVERRIDABLE}
    for group in OVERRIDABLE:
        if group not in anew and options[group] == params.get(group):
            kept = {".".join(_key(text)) for text in overrides}
            found[group] = _merge(found[group], frozen[group], group, kept)
    return found


def _merge(now: Any, then: Any, key: str, given: set[str]) -> Any:
    """Take what the run had, but for the keys that are given."""
    if key in given or not (isinstance(now, dict) and isinstance(then, dict)):
        return now if key in given else then
    return {
        name: _merge(now.get(name), then.get(name, now.get(name)), f"{key}.{name}", given) for name in {**then, **now}
    }


def deploy_record(run: Record, config: dict[str, Any]) -> DeploymentResult:
    """Hand a run to the gate and the deployer of a composition; the stack is active.

    Args:
        run: That saved a model.
        config: Its composition, resolved.

    Raises:
        MlrunnerError: When a choice is impossible, or the model cannot be deployed.
    """
    from mlrunner.steps import recording
    from mlrunner.steps.progress import PROGRESS

    uri = run.tags.get(MODEL_TAG)
    if uri is None:
        raise DeployError(f"Run {run.short} saved no model; run it again with tracking.log_model=true.")
    refuse_foreign(config, DEPLOYMENT_GROUPS)
    dataset: Dataset = build(config["dataset"], "dataset", Dataset)
    fingerprint = dataset.fingerprint()
    _check_groups(config, config["dataset"]["task"])
    tracked = recording.RunContext(run_id=run.run_id, log_model=True, plots=False, seed=config["seed"])
    try:
        _pipeline(config, tracked, uri, dict(run.metrics), fingerprint)
    finally:
        PROGRESS.end()
    found = recording.read_deployment(run.run_id)
    told, deployment = found["gate"], found["deployment"] or {}
    if "error" in deployment:
        raise DeployError(deployment["error"])
    changed = fingerprint != run.tags.get(DATA_TAG)
    note = "the data set has changed since the run; today's test rows judged" if changed else None
    named = {"deployment": deployment.pop("name", None), **deployment}
    return DeploymentResult(run.run_id, run.name, told["open"], told["reason"], **named, note=note)


def _pipeline(config: dict[str, Any], tracked: Any, uri: str, known: dict[str, float], fingerprint: str) -> None:
    from pipelines.deployment import deployment

    groups = {name: config[name] for name in ("dataset", "cleaning", "split", "gate", "deployer")}
    code = {name: digest_code(build(config[name], name)) for name in ("dataset", "cleaning", "split")}
    finished = deployment(**groups, tracked=tracked, uri=uri, known=_finite(known), fingerprint=fingerprint, code=code)
    if finished is None:
        raise StoreError("ZenML did not run the pipeline; see its log with -v.")


def _finite(metrics: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in metrics.items() if "/" in name and value == value}


def _check_groups(config: dict[str, Any], task: str) -> None:
    """Refuse what the start-up check of a run would have refused."""
    gate: Gate = build(config["gate"], "gate", Gate)
    deployer: Deployer = build(config["deployer"], "deployer", Deployer)
    problems = [*gate.problems(task), *deployer.problems()]
    if problems:
        raise ProblemsError(problems)

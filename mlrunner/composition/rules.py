"""The rules between the config groups of a composition; each yields one sentence for each violation."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from mlrunner.composition.findings import Findings
from mlrunner.composition.metric_rules import METRIC_RULES
from mlrunner.composition.split_rules import check_sizes
from mlrunner.composition.stand_ins import TASKS
from mlrunner.core import environment
from mlrunner.core.column_kinds import infer_kind
from mlrunner.core.errors import MlrunnerError, brief, nearest
from mlrunner.groups.cleaning.controller import DataCleaning, resolve_strategy, select_inputs
from mlrunner.groups.cleaning.date_columns import AmbiguousDates
from mlrunner.groups.dataset.validation import table_problems, target_problems
from mlrunner.groups.model import EstimatorModel
from mlrunner.groups.model.estimator_arguments import construct
from mlrunner.groups.model.target_transform import target_problems as transform_problems
from mlrunner.groups.split.assignment import TimeAssignment
from mlrunner.groups.stack import Stack
from mlrunner.groups.stack.preflight import refuse_file_store, refuse_full_disk

SAMPLE_ROWS = 100  # rows that are cleaned to check which columns are left


def check_table(findings: Findings) -> Iterator[str]:
    """Refuse a target that cannot be learned, and tables without usable rows or columns."""
    if findings.data is None:
        return
    table, roles = findings.data.table, findings.data.dataset.roles
    yield from target_problems(table, roles, findings.task or "regression")
    yield from table_problems(table, roles)


def check_columns(findings: Findings) -> Iterator[str]:
    """Refuse columns of the cleaning that the data set does not have."""
    cleaning, data = findings.built["cleaning"], findings.data
    if cleaning is None:
        return
    yield from cleaning.problems()
    if data is None:
        return
    present = [str(name) for name in data.table.columns]
    for key, names in cleaning.named_columns.items():
        for name in names:
            if name not in present:
                yield (
                    f"{key} names '{name}', which {data.dataset.label} does not have; its columns are "
                    f"{brief(present)}.{nearest(name, present)}"
                )


def check_features(findings: Findings) -> Iterator[str]:
    """Clean a few rows, and refuse a cleaning that fails or leaves no column."""
    cleaning, data = findings.built["cleaning"], findings.data
    if cleaning is None or data is None or data.labeled_rows.empty or cleaning.problems():
        return
    if table_problems(data.table, data.dataset.roles):
        return
    rows, roles = data.labeled_rows, data.dataset.roles
    try:
        findings.built["cleaning"] = cleaning = resolve_strategy(cleaning, data.table, roles)
        cleaning.describe_unreadable(select_inputs(rows, roles))
        DataCleaning(cleaning.mask_unreadable(rows.head(SAMPLE_ROWS)), cleaning, roles).handle_data()
    except AmbiguousDates as error:  # `check_sizes` names split.date_format, by which the cleaning reads too
        split = findings.built["split"]
        is_set_there = isinstance(split, TimeAssignment) and split.date_format is None
        yield from error.describe(without=split.time if is_set_there else None)
    except MlrunnerError as error:
        yield str(error)


def check_estimator(findings: Findings) -> Iterator[str]:
    """Refuse an estimator that cannot do the task, and arguments that it does not have."""
    model = findings.built["model"]
    if model is None:
        return
    targets = getattr(model, "targets", None) or dict.fromkeys(TASKS, "")
    possible = [task for task in TASKS if targets.get(task) is not None] or TASKS
    problems = [model.problems(task) for task in ((findings.task,) if findings.task is not None else possible)]
    yield from (sentence for sentence in problems[0] if all(sentence in others for others in problems))


def check_weights(findings: Findings) -> Iterator[str]:
    """Refuse weights for an estimator whose `fit` takes none."""
    model = findings.built["model"]
    weight = None if findings.data is None else findings.data.dataset.weight
    keys = {"dataset.weight": weight, "model.class_weight": getattr(model, "class_weight", None)}
    weight_keys = [key for key, value in keys.items() if value is not None]
    if (
        not weight_keys
        or findings.task is None
        or not isinstance(model, EstimatorModel)
        or model.problems(findings.task)
    ):
        return
    from sklearn.utils.validation import has_fit_parameter

    estimator = construct(model.estimator, "model.estimator")
    if not has_fit_parameter(estimator, "sample_weight"):
        subject = f"{weight_keys[0]}: the fit of {type(estimator).__name__} takes no weights"
        yield f"{subject}; choose another model, or leave {' and '.join(weight_keys)} null."


def check_target(findings: Findings) -> Iterator[str]:
    """Refuse a transform that the target does not allow."""
    model, data = findings.built["model"], findings.data
    if not isinstance(model, EstimatorModel) or data is None or data.labeled_rows.empty:
        return
    target = data.labeled_rows[data.dataset.target]
    if findings.task == "regression" and model.target_transform is not None and infer_kind(target).is_numeric:
        yield from transform_problems(model.target_transform, target)


def check_stores(findings: Findings) -> Iterator[str]:
    """Refuse an address that is not one of a store, and a full disk."""
    address = partial(_check_address, findings.built["stack"], findings.home)
    for check in (address, partial(refuse_full_disk, findings.home / ".mlrunner")):
        try:
            check()
        except MlrunnerError as error:
            yield str(error)


def _check_address(stack: Stack | None, home: Path) -> None:
    if stack is not None:
        address = stack.environment(home)["MLFLOW_TRACKING_URI"]
        refuse_file_store(environment.tracking_uri() or address)


def check_gate(findings: Findings) -> Iterator[str]:
    """Refuse a gate that does not apply to the task, and one that needs a champion without a deployer."""
    gate, deployer = findings.built.get("gate"), findings.built.get("deployer")
    if gate is None or deployer is None:
        return
    yield from gate.problems(findings.task)
    if gate.needs_champion and deployer.registered_name is None:
        yield "gate: it compares with what is deployed, but deployer=none deploys nothing; choose deployer=local."


def check_deployment(findings: Findings) -> Iterator[str]:
    """Refuse a deployment that would fail after the training."""
    deployer = findings.built.get("deployer")
    if deployer is None or deployer.is_none:
        return
    if not findings.saves:
        yield (
            "tracking: the deployer needs the saved model, but it is not kept; set tracking.log_model=true and "
            "tracking.keep_models=best."
        )
    yield from deployer.problems()


def check_executor(findings: Findings) -> Iterator[str]:
    """Refuse an engine that is not installed, and settings that contradict each other."""
    executor = findings.built.get("executor")
    if executor is not None:
        yield from executor.problems()


DATA_RULES = (check_table, check_columns, check_features, check_sizes)
MODEL_RULES = (check_estimator, check_weights, check_target)
RULES = (*DATA_RULES, *MODEL_RULES, *METRIC_RULES, check_stores, check_gate, check_deployment, check_executor)

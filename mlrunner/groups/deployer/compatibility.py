"""Compare what a registered model predicts, and the columns that it takes, with those of another model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mlflow.models import ModelSignature, get_model_info

from mlrunner.core.errors import DeployError, brief
from mlrunner.groups.deployer import Candidate
from mlrunner.tracking import model_registry
from mlrunner.tracking.records.record import TARGET_TAG, TASK_TAG


def describe_task(facts: Mapping[str, Any]) -> dict[str, str]:
    """Return the tags of a registered version: its target and its task, as far as the facts of its run name them."""
    tags = {TARGET_TAG: facts.get("target"), TASK_TAG: facts.get("task")}
    return {name: str(value) for name, value in tags.items() if value is not None}


def compare_tasks(tags: Mapping[str, str], target: str, task: str) -> str | None:
    """Return how the target or the task of a registered version differs; None when both are equal or unknown."""
    if tags.get(TARGET_TAG, target) != target:
        return f"predicts {tags[TARGET_TAG]}, not {target}"
    if tags.get(TASK_TAG, task) != task:
        return f"does {tags[TASK_TAG]} of {target}, not {task}"
    return None


def compare_classes(champion: Any, candidate: Any) -> str | None:
    """Return how the class labels of two fitted classifiers differ; None when they are equal or one has none."""
    theirs, ours = ([str(label) for label in getattr(model, "classes_", [])] for model in (champion, candidate))
    if not theirs or not ours or set(theirs) == set(ours):
        return None
    return f"predicts the classes {brief(sorted(theirs))}, not {brief(sorted(ours))}"


def compare_columns(theirs: Iterable[str], ours: Iterable[str]) -> str | None:
    """Return how the columns that two models take differ; None when they are equal."""
    old, new = set(theirs), set(ours)
    parts = [
        f"{word} {brief(sorted(names))}" for word, names in (("no longer", old - new), ("also", new - old)) if names
    ]
    return f"takes {' and '.join(parts)}" if parts else None


def find_absent(uri: str, names: Iterable[str]) -> str | None:
    """Return which raw columns a saved model needs that a table lacks; None when there are all or none is known."""
    signature = read_signature(uri)
    required = [] if signature is None else [str(name) for name in signature.inputs.required_input_names()]
    absent = sorted(set(required) - set(names))
    return f"needs {brief(absent)}, which this table lacks" if absent else None


def refuse_unlike(name: str, alias: str, candidate: Candidate) -> None:
    """Refuse a candidate that cannot answer the requests that the deployed version answers.

    Raises:
        DeployError: With what differs: target, task or input columns.
    """
    version = model_registry.get_version(name, alias)
    if version is None:
        return
    facts = describe_task(candidate.facts)
    difference = compare_tasks(version.tags, facts.get(TARGET_TAG, ""), facts.get(TASK_TAG, "")) if facts else None
    if difference is not None:
        reason = f"{name}/{version.version} {difference}"
    else:
        theirs, ours = read_columns(f"models:/{name}/{version.version}"), read_columns(candidate.uri)
        columns = compare_columns(theirs, ours) if theirs and ours else None
        reason = f"the model {columns}, unlike {name}/{version.version}" if columns is not None else ""
    if reason:
        raise DeployError(
            f"{reason}; its clients would get wrong answers or errors. Set deployer.name to another name, or "
            "deployer.replace=true to replace it."
        )


def read_columns(uri: str) -> list[str]:
    """Read the raw columns that a saved model takes; empty when the model has no signature or cannot be read."""
    signature = read_signature(uri)
    return [] if signature is None else [str(column) for column in signature.inputs.input_names()]


def read_signature(uri: str) -> ModelSignature | None:
    """Read the signature of a saved model; None when it has none or cannot be read."""
    try:
        model_registry.refuse_foreign_model(uri)
        signature: ModelSignature | None = get_model_info(uri).signature
        return signature
    except Exception:  # stores raise errors of many kinds; whether the model can be served is checked later
        return None

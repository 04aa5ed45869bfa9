"""Deploy a saved model: load it, score it on the test rows, and deploy it if the gate opens."""

from typing import Any

from mlrunner.core.build import Group
from mlrunner.steps import deploying
from mlrunner.steps.problem import Problem
from mlrunner.steps.recording import RunContext

from .options import static_pipeline
from .rows import Rows, prepare_rows


@static_pipeline
def deployment(
    dataset: Group,
    problem: Problem,
    cleaning: Group,
    split: Group,
    gate: Group,
    deployer: Group,
    run: RunContext,
    uri: str,
    other_scores: dict[str, float],
    fingerprint: str,
    code: dict[str, str],
) -> None:
    """Score a saved model again, and deploy it if the gate opens."""
    rows = prepare_rows(dataset, problem, cleaning, split, fingerprint, code, blueprint=False)
    fitted = deploying.load(uri)
    metrics = deploying.score(fitted, rows.raw, rows.test, other_scores, problem)
    gate_and_deploy(fitted, rows, metrics, problem, gate, deployer, run)


def gate_and_deploy(
    fitted: Any, rows: Rows, metrics: Any, problem: Problem, gate: Group, deployer: Group, run: RunContext
) -> None:
    """Ask the gate and deploy: the last steps of every pipeline that has a model."""
    decision = deploying.gate(fitted, rows.raw, rows.test, metrics, problem, gate, deployer, run)
    deploying.deploy(fitted, metrics, decision, deployer, run)

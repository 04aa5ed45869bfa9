"""A run: one line a step."""

from mlrunner.core.build import Group
from mlrunner.groups.model import ModelNameConfig
from mlrunner.steps import fitting
from mlrunner.steps.problem import Problem
from mlrunner.steps.recording import RunContext

from .deployment import gate_and_deploy
from .options import static_pipeline
from .rows import prepare_rows


@static_pipeline
def training(
    dataset: Group,
    problem: Problem,
    cleaning: Group,
    split: Group,
    model_config: ModelNameConfig,
    gate: Group,
    deployer: Group,
    run: RunContext,
    fingerprint: str,
    code: dict[str, str],
    blueprint: bool,
    refit: bool,
) -> None:
    """Ingest, clean, split, fit, score, and deploy if the gate opens; `refit` fits on the validation rows as well."""
    rows = prepare_rows(dataset, problem, cleaning, split, fingerprint, code, blueprint)
    fit = problem, cleaning, model_config, run
    score = problem, model_config, run
    if refit:
        fitted = fitting.refit(rows.train, rows.validation, rows.folds, rows.raw, *fit)
        metrics = fitting.judge(fitted, rows.train, rows.validation, rows.test, rows.folds, {}, *score)
    else:
        fitted = fitting.train(rows.train, rows.validation, rows.folds, rows.raw, *fit)
        metrics = fitting.evaluate(fitted, rows.train, rows.validation, rows.test, rows.folds, *score)
    gate_and_deploy(fitted, rows, metrics, problem, gate, deployer, run)

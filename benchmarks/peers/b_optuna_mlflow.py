"""b. Optuna and MLflow by hand: a nested run a trial with parameters, metric and model, in SQLite."""

from __future__ import annotations

import argparse
import importlib
import logging
import math
import time
from typing import Any

import common as c

REQUIREMENTS = ["xgboost==3.2.0", "scikit-learn==1.9.1"]


def main() -> None:
    """Search and report."""
    args = arguments()
    c.warm(args.model)
    import mlflow
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    open_store()
    importlib.import_module("mlflow.xgboost" if args.model == "xgb" else "mlflow.sklearn")
    began = time.perf_counter()
    data, prep = c.timed_prepare(args.data)
    objective = Objective(args, data)
    study = optuna.create_study(direction="minimize", sampler=optuna.samplers.TPESampler(seed=args.seed))
    with mlflow.start_run(run_name="sweep"):
        study.optimize(objective, n_trials=args.n_trials)
        if args.log_model == "best":
            with mlflow.start_run(run_id=objective.run_id, nested=True):
                objective.log_model(objective.best_model)
    name = f"b_optuna_mlflow[model={args.log_model},sig={args.signature},req={args.pip_req}]"
    c.report(name, time.perf_counter() - began, args.n_trials, study.best_value, prep_s=prep)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = c.parser("optuna_mlflow")
    parser.add_argument("--log-model", choices=["all", "best", "none"], default="all")
    parser.add_argument("--signature", action="store_true", help="signature + input example")
    parser.add_argument("--pip-req", choices=["infer", "given"], default="infer")
    return parser.parse_args()


def open_store() -> None:
    """Make a new store and an experiment in it: the schema is not a trial's cost."""
    import mlflow

    logging.getLogger("mlflow").setLevel(logging.ERROR)
    folder = c.fresh_dir("b")
    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    mlflow.create_experiment("sweep", artifact_location=f"file://{folder}/art")
    mlflow.set_experiment("sweep")


class Objective:
    """A trial with its nested run; remembers the best."""

    def __init__(self, args: argparse.Namespace, data: Any) -> None:
        self.args, self.data = args, data
        self.best, self.best_model, self.run_id = math.inf, None, ""

    def __call__(self, trial: Any) -> float:
        """Fit, score and log."""
        import mlflow

        params = c.suggest(trial, self.args.model)
        with mlflow.start_run(nested=True) as run:
            rmse, model, _ = c.fit_score(self.args.model, params, self.data, self.args.threads)
            mlflow.log_params(params)
            mlflow.log_metric("rmse", rmse)
            if self.args.log_model == "all":
                self.log_model(model)
        if rmse < self.best:
            self.best, self.best_model, self.run_id = rmse, model, run.info.run_id
        return rmse

    def log_model(self, model: Any) -> None:
        """Log a model to the active run."""
        import mlflow

        options: dict[str, Any] = {}
        rows = self.data[2][:5]
        if self.args.signature:
            options["signature"] = mlflow.models.infer_signature(rows, model.predict(rows))
            options["input_example"] = rows
        if self.args.pip_req == "given":
            options["pip_requirements"] = REQUIREMENTS
        flavor = mlflow.xgboost if self.args.model == "xgb" else mlflow.sklearn
        flavor.log_model(model, name="model", **options)


if __name__ == "__main__":
    main()

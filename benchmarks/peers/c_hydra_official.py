"""c. The official stack: hydra-core 1.3 and hydra-optuna-sweeper 1.3.0, which wants optuna 2.10.

Every trial reads, cleans, splits and fits. `main` only turns the common command line into Hydra overrides; everything
else is as the sweeper's documentation shows.
"""

from __future__ import annotations

import argparse
import functools
import logging
import math
import sys
import time
from pathlib import Path
from typing import Any

import common as c

BEST = [math.inf]
keep = functools.lru_cache(c.prepare)


def main() -> None:
    """Search and report."""
    args = arguments()
    c.warm(args.model)
    import hydra

    folder = c.fresh_dir("c")
    store_config(args)
    if args.mlflow:
        open_store(args.model, folder)

    @hydra.main(version_base="1.3", config_name="config", config_path=None)
    def app(cfg: Any) -> float:
        return trial(args, cfg, folder)

    sys.argv = [sys.argv[0], *overrides(args, folder)]
    began = time.perf_counter()
    app()
    name = f"c_{args.label}[mlflow={args.mlflow}{',keep-data' if args.keep_data else ''}]"
    c.report(name, time.perf_counter() - began, args.n_trials, BEST[0])


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = c.parser("hydra_official")
    parser.add_argument("--mlflow", action="store_true")
    parser.add_argument("--n-jobs", type=int, default=1)
    parser.add_argument("--keep-data", action="store_true", help="a careful user: prepare the data once per process")
    parser.add_argument("--storage", default=None)
    parser.add_argument("--launcher", default=None)
    parser.add_argument("--label", default="hydra_official")
    return parser.parse_args()


def store_config(args: argparse.Namespace) -> None:
    """Register the config that Hydra composes."""
    from hydra.core.config_store import ConfigStore
    from omegaconf import OmegaConf

    params = {"alpha": 1.0} if args.model == "ridge" else {"max_depth": 6, "learning_rate": 0.1, "subsample": 1.0}
    settings = {"data": str(Path(args.data).absolute()), "model": args.model, "threads": args.threads, "params": params}
    ConfigStore.instance().store(name="config", node=OmegaConf.create(settings))


def open_store(model: str, folder: str) -> None:
    """Import MLflow and make its store before the clock starts."""
    import mlflow

    if model == "xgb":
        import mlflow.xgboost
    else:
        import mlflow.sklearn
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    mlflow.set_experiment("sweep")


def overrides(args: argparse.Namespace, folder: str) -> list[str]:
    """Write the command line that a user of Hydra would."""
    space = ["params.alpha=tag(log,interval(0.001,1000))"]
    if args.model != "ridge":
        space = [
            "params.max_depth=range(3,9)",
            "params.learning_rate=tag(log,interval(0.03,0.3))",
            "params.subsample=interval(0.5,1.0)",
        ]
    overrides = [
        "-m",
        "hydra/sweeper=optuna",
        "hydra/sweeper/sampler=tpe",
        f"hydra.sweeper.sampler.seed={args.seed}",
        f"hydra.sweeper.n_trials={args.n_trials}",
        f"hydra.sweeper.n_jobs={args.n_jobs}",
        "hydra.sweeper.direction=minimize",
        f"hydra.sweep.dir={folder}/multirun",
        "hydra.job.chdir=false",
        *space,
    ]
    if args.storage:
        overrides += [f"hydra.sweeper.storage={args.storage}", "hydra.sweeper.study_name=s"]
    return [*overrides, f"hydra/launcher={args.launcher}"] if args.launcher else overrides


def trial(args: argparse.Namespace, cfg: Any, folder: str) -> float:
    """Run one of Hydra's jobs."""
    data = keep(cfg.data) if args.keep_data else c.prepare(cfg.data)
    params = dict(cfg.params)
    fit = functools.partial(c.fit_score, cfg.model, params, data, cfg.threads)
    rmse = tracked(fit, cfg.model, params, folder) if args.mlflow else fit()[0]
    BEST[0] = min(BEST[0], rmse)
    return rmse


def tracked(fit: Any, model: str, params: dict[str, Any], folder: str) -> float:
    """Fit in a run of MLflow, with its model."""
    import mlflow

    logging.getLogger("mlflow").setLevel(logging.ERROR)
    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    mlflow.set_experiment("sweep")
    with mlflow.start_run():
        rmse, made, _ = fit()
        mlflow.log_params(params)
        mlflow.log_metric("rmse", rmse)
        (mlflow.sklearn if model == "ridge" else mlflow.xgboost).log_model(made, name="model")
    return rmse


if __name__ == "__main__":
    main()

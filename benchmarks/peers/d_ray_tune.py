"""d. Ray Tune with OptunaSearch, two trials at once, the data put in the object store once."""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import time
from pathlib import Path
from typing import Any

import common as c

QUIET = {"RAY_AIR_NEW_OUTPUT": "0", "RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}


def main() -> None:
    """Search and report."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    parser = c.parser("ray_tune")
    parser.add_argument("--reuse", action="store_true", help="TuneConfig(reuse_actors=True)")
    args = parser.parse_args()
    c.warm(args.model)
    import ray

    importlib.import_module("ray.tune.search.optuna")  # imports are not a trial's cost
    folder, init = c.fresh_dir("d"), start()
    began = time.perf_counter()
    data, prep = c.timed_prepare(args.data)
    results = tuner_of(args, data, folder).fit()
    wall = time.perf_counter() - began
    fits = [one.metrics["fit_s"] for one in results if one.metrics and "fit_s" in one.metrics]
    best = results.get_best_result().metrics["rmse"]
    name = "d_ray_tune" + ("[reuse_actors]" if args.reuse else "")
    c.report(name, wall, len(fits), best, sum(fits), parallel=2, prep_s=prep, ray_init_s=init)
    ray.shutdown()


def start() -> float:
    """Start Ray's processes; the seconds it took."""
    import ray

    began = time.perf_counter()
    ray.init(
        num_cpus=2,
        include_dashboard=False,
        logging_level=logging.ERROR,
        log_to_driver=False,
        runtime_env={"env_vars": {"PYTHONPATH": str(Path(__file__).absolute().parent)}},
    )
    return round(time.perf_counter() - began, 2)


def tuner_of(args: argparse.Namespace, data: Any, folder: str) -> Any:
    """Set the search up."""
    import optuna
    from ray import tune
    from ray.tune.search.optuna import OptunaSearch

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    model = args.model

    def trainable(config: dict[str, Any], data: Any = None) -> dict[str, float]:
        import common

        rmse, _, seconds = common.fit_score(model, dict(config), data, 1)
        return {"rmse": rmse, "fit_s": seconds}

    return tune.Tuner(
        tune.with_resources(tune.with_parameters(trainable, data=data), {"cpu": 1}),
        param_space=space(model),
        tune_config=tune.TuneConfig(
            metric="rmse",
            mode="min",
            num_samples=args.n_trials,
            max_concurrent_trials=2,
            search_alg=OptunaSearch(seed=args.seed),
            reuse_actors=True if args.reuse else None,
        ),
        run_config=tune.RunConfig(storage_path=folder, verbose=0),
    )


def space(model: str) -> dict[str, Any]:
    """Write the ranges in Ray's words."""
    from ray import tune

    if model == "ridge":
        return {"alpha": tune.loguniform(1e-3, 1e3)}
    return {
        "max_depth": tune.randint(3, 9),
        "learning_rate": tune.loguniform(0.03, 0.3),
        "subsample": tune.uniform(0.5, 1.0),
    }


if __name__ == "__main__":
    main()

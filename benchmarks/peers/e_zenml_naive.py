"""e. Naive: every trial is a full ZenML pipeline run, five steps on the default local stack with an MLflow tracker.

--mode off      no step caching
--mode data     the data steps are cached
--mode process  as `data`, each trial in a process of its own
"""

from __future__ import annotations

import argparse
import importlib
import json
import logging
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import common as c


def main() -> None:
    """Search and report, or run the one trial that another process asks for."""
    args = arguments()
    os.environ["PEER_ZEN_CACHE"] = "off" if args.mode == "off" else "data"
    home = c.zenml_home("zen_e")
    c.warm(args.model)
    setup(home)
    if args.one:
        run_alone(args)
    else:
        search(args)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = c.parser("zenml_naive")
    parser.add_argument("--mode", choices=["off", "data", "process"], default="data")
    parser.add_argument("--one", default=None, help="internal: run one trial with these JSON params")
    return parser.parse_args()


def setup(home: Path) -> None:
    """Make the stack and activate it: not a trial's cost."""
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    from zenml.client import Client
    from zenml.enums import StackComponentType as Kind
    from zenml.integrations.registry import integration_registry

    client = Client()
    try:
        client.get_stack("withmlf")
    except KeyError:
        uri = f"sqlite:///{home}/mlflow.db"
        client.create_stack_component("mlf", "mlflow", Kind.EXPERIMENT_TRACKER, {"tracking_uri": uri})
        components = {Kind.ORCHESTRATOR: "default", Kind.ARTIFACT_STORE: "default", Kind.EXPERIMENT_TRACKER: "mlf"}
        client.create_stack("withmlf", components)
    client.activate_stack("withmlf")
    integration_registry.activate_integrations()


def search(args: argparse.Namespace) -> None:
    """Run all trials and report."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    run = run_apart if args.mode == "process" else run_here
    if args.mode != "process":
        for name in ("zen_naive_defs", "mlflow.sklearn", "mlflow.xgboost"):  # imports are not a trial's cost
            importlib.import_module(name)
    began = time.perf_counter()
    study = optuna.create_study(direction="minimize", sampler=optuna.samplers.TPESampler(seed=args.seed))
    study.optimize(lambda trial: run(args, c.suggest(trial, args.model)), n_trials=args.n_trials)
    c.report(f"e_zenml_naive[{args.mode}]", time.perf_counter() - began, args.n_trials, study.best_value)


def run_here(args: argparse.Namespace, params: dict[str, Any]) -> float:
    """Run the pipeline for a trial."""
    import zen_naive_defs

    run = zen_naive_defs.trial(str(Path(args.data).absolute()), args.model, params, args.threads)
    return run.steps["evaluate"].output.load()


def run_apart(args: argparse.Namespace, params: dict[str, Any]) -> float:
    """Run the pipeline for a trial in a new process."""
    command = [
        sys.executable, __file__, "--data", args.data, "--model", args.model, "--threads", str(args.threads),
        "--mode", "process", "--one", json.dumps(params),
    ]  # fmt: skip
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rmse, seconds = json.loads(next(line for line in out.splitlines() if line.startswith("RESULT "))[7:])
    c.spend(seconds)
    return rmse


def run_alone(args: argparse.Namespace) -> None:
    """Run one trial and tell the process that asked."""
    rmse = run_here(args, json.loads(args.one))
    print("RESULT " + json.dumps([rmse, c.SPENT["fit_s"]]), flush=True)


if __name__ == "__main__":
    main()

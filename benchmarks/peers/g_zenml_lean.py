"""g. How lean ZenML can be: Optuna and MLflow around it in one process, MLflow written behind.

--trial step   one dynamic ZenML run for the sweep, a step run a trial
--trial fused  one ZenML run for the sweep, the trials inside one step
--trial run    a (single-step) ZenML run a trial, the data artifacts shared
--mlflow behind|sync|none
"""

from __future__ import annotations

import argparse
import importlib
import logging
import math
import os
import queue
import threading
import time
from pathlib import Path
from typing import Any

import common as c


def main() -> None:
    """Search and report."""
    args = arguments()
    os.environ.setdefault("ZENML_PARAMETER_SIZE_THRESHOLD", "65536")
    c.zenml_home("zen_g")
    c.warm(args.model)
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    open_zenml(wal=not args.no_wal)
    importlib.import_module("zen_lean_defs")  # imports are not a trial's cost
    records = Records(args)
    began = time.perf_counter()
    study = optuna.create_study(direction="minimize", sampler=optuna.samplers.TPESampler(seed=args.seed))
    records.begin()
    zen_s = search(args, study, records)
    records.end()
    wall = time.perf_counter() - began
    extra = {"zen_s": round(zen_s, 3), "parallel": args.workers}
    c.report(name_of(args), wall, args.n_trials, study.best_value, **extra)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = c.parser("zenml_lean")
    parser.add_argument("--trial", choices=["step", "fused", "run"], default="step")
    parser.add_argument("--mlflow", choices=["behind", "sync", "none"], default="behind")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--qdm", action="store_true", help="XGBoost: share one QuantileDMatrix among the trials")
    parser.add_argument("--no-wal", action="store_true")
    parser.add_argument(
        "--cold-data", action="store_true", help="a new data artifact every time (no cached data steps)"
    )
    return parser.parse_args()


def name_of(args: argparse.Namespace) -> str:
    """Name the peer with its options."""
    options = [f"trial={args.trial}", f"mlflow={args.mlflow}"]
    options += ["nowal"] if args.no_wal else []
    options += ["qdm"] if args.qdm else []
    return f"g_zenml_lean[{','.join([*options, f'workers={args.workers}'])}]"


def open_zenml(wal: bool) -> None:
    """Open ZenML's store, with SQLite's write-ahead log where asked for."""
    from sqlalchemy import event
    from zenml.client import Client
    from zenml.integrations.registry import integration_registry

    engine = Client().zen_store.engine
    if wal:

        @event.listens_for(engine, "connect")
        def _pragma(connection: Any, _: Any) -> None:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")

        engine.dispose()
    integration_registry.activate_integrations()


def search(args: argparse.Namespace, study: Any, records: Records) -> float:
    """Run all trials; the seconds within ZenML."""
    import zen_lean_defs as z

    options = {key: getattr(args, key) for key in ("model", "threads", "workers", "qdm")}
    z.CTX.update(study=study, record=records.record, res={}, **options)
    path = str(Path(args.data).absolute())
    began = time.perf_counter()
    if args.trial == "step":
        z.sweep_by_step(path, args.n_trials)
    elif args.trial == "fused":
        z.sweep_fused.with_options(enable_cache=not args.cold_data)(path, args.n_trials)
    else:
        z.sweep_by_run(path, args.n_trials)
    return time.perf_counter() - began


class Records:
    """What MLflow gets: a parent, a child a trial, and the best one's model at the end."""

    def __init__(self, args: argparse.Namespace) -> None:
        """Import MLflow and make its store, which is not a trial's cost."""
        self.args, self.client = args, None
        self.best, self.model = math.inf, None
        self.logged, self.run_id = math.inf, ""
        self.queue: queue.Queue[Any] = queue.Queue()
        self.thread = threading.Thread(target=self._write_behind)
        if args.mlflow != "none":
            self._open(c.fresh_dir("g"))

    def _open(self, folder: str) -> None:
        import mlflow

        logging.getLogger("mlflow").setLevel(logging.ERROR)
        mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
        self.experiment = mlflow.create_experiment("sweep", artifact_location=f"file://{folder}/art")
        self.client = mlflow.MlflowClient()
        self.flavor = importlib.import_module("mlflow.xgboost" if self.args.model == "xgb" else "mlflow.sklearn")

    def begin(self) -> None:
        """Open the parent."""
        if self.client is not None:
            self.parent = self.client.create_run(self.experiment, run_name="sweep").info.run_id
        if self.args.mlflow == "behind":
            self.thread.start()

    def record(self, params: dict[str, Any], rmse: float, model: Any) -> None:
        """Take a trial down."""
        if rmse < self.best:
            self.best, self.model = rmse, model
        item = (params, rmse, int(time.time() * 1000))
        if self.args.mlflow == "behind":
            self.queue.put(item)
        elif self.args.mlflow == "sync":
            self._write(*item)

    def _write_behind(self) -> None:
        while (item := self.queue.get()) is not None:
            self._write(*item)

    def _write(self, params: dict[str, Any], rmse: float, when: int) -> None:
        from mlflow.entities import Metric, Param

        run_id = self.client.create_run(
            self.experiment, start_time=when, tags={"mlflow.parentRunId": self.parent}
        ).info.run_id
        logged = [Param(key, str(value)) for key, value in params.items()]
        self.client.log_batch(run_id, metrics=[Metric("rmse", rmse, when, 0)], params=logged)
        self.client.set_terminated(run_id)
        if rmse < self.logged:
            self.logged, self.run_id = rmse, run_id

    def end(self) -> None:
        """Write what is left, the best trial's model, and close the parent."""
        if self.args.mlflow == "behind":
            self.queue.put(None)
            self.thread.join()
        if self.client is None:
            return
        import mlflow

        with mlflow.start_run(run_id=self.run_id):
            requirements = ["xgboost==3.2.0", "scikit-learn==1.9.1"]
            self.flavor.log_model(self.model, name="model", pip_requirements=requirements)
        self.client.set_terminated(self.parent)


if __name__ == "__main__":
    main()

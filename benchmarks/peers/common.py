"""Shared by every peer: one command line, one data preparation, one fit and score, one JSON line."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

LOCK = threading.Lock()
SPENT = {"fit_s": 0.0}  # seconds of pure fit and score in this process


def parser(peer: str) -> argparse.ArgumentParser:
    """Make the command line that all peers share."""
    made = argparse.ArgumentParser(prog=peer)
    made.add_argument("--n-trials", type=int, default=20)
    made.add_argument("--data", required=True, help="CSV or parquet with a `target` column")
    made.add_argument("--model", choices=["xgb", "ridge"], default="xgb")
    made.add_argument("--seed", type=int, default=7)
    made.add_argument("--threads", type=int, default=2, help="threads of one XGBoost fit")
    return made


def read(path: str) -> Any:
    """Read the table."""
    import pandas as pd

    return pd.read_parquet(path) if path.endswith(".parquet") else pd.read_csv(path)


def clean(table: Any) -> Any:
    """Drop repeated rows and rows without a target, and fill the gaps."""
    kept = table.drop_duplicates().dropna(subset=["target"])
    return kept.fillna(kept.median(numeric_only=True))


def split(table: Any, seed: int = 0) -> tuple[Any, Any]:
    """Take a fifth of the rows to choose by."""
    from sklearn.model_selection import train_test_split

    train, validation = train_test_split(table, test_size=0.2, random_state=seed)
    return train, validation


def arrays(train: Any, validation: Any) -> tuple[Any, Any, Any, Any]:
    """Turn two tables into what an estimator takes."""
    x_train = train.drop(columns="target").to_numpy("float32")
    x_validation = validation.drop(columns="target").to_numpy("float32")
    return x_train, train["target"].to_numpy("float32"), x_validation, validation["target"].to_numpy("float32")


def prepare(path: str) -> tuple[Any, Any, Any, Any]:
    """Read, clean and split."""
    return arrays(*split(clean(read(path))))


def timed_prepare(path: str) -> tuple[Any, float]:
    """Read, clean and split; with the seconds that took, rounded."""
    began = time.perf_counter()
    data = prepare(path)
    return data, round(time.perf_counter() - began, 3)


def suggest(trial: Any, model: str) -> dict[str, Any]:
    """Draw the parameters of a trial; with Optuna 2 as well as 5."""
    if model == "ridge":
        return {"alpha": trial.suggest_float("alpha", 1e-3, 1e3, log=True)}
    return {
        "max_depth": trial.suggest_int("max_depth", 3, 8),
        "learning_rate": trial.suggest_float("learning_rate", 0.03, 0.3, log=True),
        "subsample": trial.suggest_float("subsample", 0.5, 1.0),
    }


def estimator(model: str, params: dict[str, Any], threads: int, seed: int = 0) -> Any:
    """Make the estimator, unfitted."""
    if model == "ridge":
        from sklearn.linear_model import Ridge

        return Ridge(**params)
    from xgboost import XGBRegressor

    return XGBRegressor(n_estimators=100, tree_method="hist", n_jobs=threads, random_state=seed, **params)


def fit_score(
    model: str, params: dict[str, Any], data: Any, threads: int = 2, seed: int = 0
) -> tuple[float, Any, float]:
    """Fit and score.

    Returns:
        The rmse, the fitted estimator and the seconds, which are added to what this process has spent.
    """
    import numpy as np

    x_train, y_train, x_validation, y_validation = data
    made = estimator(model, params, threads, seed)
    began = time.perf_counter()
    made.fit(x_train, y_train)
    rmse = float(np.sqrt(np.mean((made.predict(x_validation) - y_validation) ** 2)))
    seconds = time.perf_counter() - began
    spend(seconds)
    return rmse, made, seconds


def spend(seconds: float) -> None:
    """Count seconds as pure fit and score."""
    with LOCK:
        SPENT["fit_s"] += seconds


def warm(model: str) -> None:
    """Pay the imports of scikit-learn and XGBoost before the clock starts."""
    for name in ("pandas", "sklearn.model_selection", "sklearn.linear_model" if model == "ridge" else "xgboost"):
        importlib.import_module(name)


def report(
    peer: str, wall_s: float, trials: int, best: float, fit_s: float | None = None, parallel: int = 1, **extra: Any
) -> None:
    """Print the line.

    Args:
        peer: Name, with its options.
        wall_s: Seconds from the reading of the data to the last trial.
        trials: How many.
        best: Lowest rmse.
        fit_s: Seconds of pure fit and score; None takes those of this process.
        parallel: Trials at once; the pure time on the wall clock is that part of the sum.
        extra: More figures of this peer.
    """
    spent = SPENT["fit_s"] if fit_s is None else fit_s
    line = {
        "peer": peer,
        "wall_s": round(wall_s, 3),
        "trials": trials,
        "best": round(best, 5),
        "fit_s": round(spent, 3),
        "parallel": parallel,
        "overhead_ms_per_trial": round((wall_s - spent / parallel) / max(trials, 1) * 1000, 1),
        **extra,
    }
    sys.stdout.flush()
    print(json.dumps(line), flush=True)


def scratch() -> Path:
    """Tell where peers keep their stores: $PEER_TMP, or `peers` in the temporary folder."""
    return Path(os.environ.get("PEER_TMP") or Path(tempfile.gettempdir()) / "peers")


def fresh_dir(name: str) -> str:
    """Make a new folder for a peer."""
    scratch().mkdir(parents=True, exist_ok=True)
    return tempfile.mkdtemp(prefix=name + "_", dir=scratch())


def zenml_home(name: str) -> Path:
    """Have ZenML keep its records in the scratch folder, and say little; before it is imported."""
    os.environ.setdefault("ZENML_LOGGING_VERBOSITY", "ERROR")
    os.environ.setdefault("ZENML_ANALYTICS_OPT_IN", "false")
    os.environ.setdefault("ZENML_CONFIG_PATH", str(scratch() / name))
    home = Path(os.environ["ZENML_CONFIG_PATH"])
    home.mkdir(parents=True, exist_ok=True)
    return home

"""The peer: the same work by hand, with pandas, scikit-learn, XGBoost and MLflow in one script.

python by_hand.py --data TABLE.csv --home FOLDER --depths 3,4,5 -> one JSON line with wall and fit seconds.
It reads, cleans and splits once, and for each depth fits, scores three parts, and logs parameters, metrics,
two pictures and the model, as a careful user would.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any


def main() -> None:
    """Run the work once and print its times."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True)
    parser.add_argument("--home", required=True)
    parser.add_argument("--depths", required=True)
    parsed = parser.parse_args()
    began = time.perf_counter()
    fits = work(parsed.data, Path(parsed.home), [int(text) for text in parsed.depths.split(",")])
    print(json.dumps({"wall_s": time.perf_counter() - began, "fit_s": sum(fits), "runs": len(fits)}))


def work(data: str, home: Path, depths: list[int]) -> list[float]:
    """Fit and log a model for each depth; return the fits' seconds."""
    import mlflow
    import pandas as pd
    from sklearn.model_selection import train_test_split

    mlflow.set_tracking_uri(f"sqlite:///{home}/by_hand.db")
    if mlflow.get_experiment_by_name("by_hand") is None:
        mlflow.create_experiment("by_hand", artifact_location=f"file://{home}/artifacts")
    mlflow.set_experiment("by_hand")
    table = pd.read_csv(data).dropna(subset=["target"])
    rest, test = train_test_split(table, test_size=0.2, random_state=0)
    train, validation = train_test_split(rest, test_size=0.2, random_state=0)
    parts = {"train": train, "validation": validation, "test": test}
    return [one(depth, parts) for depth in depths]


def one(depth: int, parts: dict[str, Any]) -> float:
    """Fit, score and log one model; return the fit's seconds."""
    import mlflow
    from mlflow.models import infer_signature
    from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error
    from xgboost import XGBRegressor

    with mlflow.start_run(run_name=f"max_depth={depth}"):
        model = XGBRegressor(
            n_estimators=50, learning_rate=0.05, max_depth=depth, min_child_weight=1.0, subsample=0.8,
            colsample_bytree=0.8, reg_lambda=1.0, tree_method="hist", random_state=0, n_jobs=-1,
        )  # fmt: skip
        x, y = parts["train"].drop(columns="target"), parts["train"]["target"]
        began = time.perf_counter()
        model.fit(x, y)
        seconds = time.perf_counter() - began
        mlflow.log_params(model.get_params())
        for name, part in parts.items():
            actual, predicted = part["target"], model.predict(part.drop(columns="target"))
            scores = {"r2": r2_score, "mae": mean_absolute_error, "rmse": root_mean_squared_error}
            mlflow.log_metrics({f"{name}_{metric}": score(actual, predicted) for metric, score in scores.items()})
        draw(model, parts["validation"])
        example = x.head(5)
        mlflow.xgboost.log_model(
            model, name="model", signature=infer_signature(example, model.predict(example)), input_example=example,
            pip_requirements=["xgboost", "scikit-learn", "pandas"],
        )  # fmt: skip
    return seconds


def draw(model: Any, part: Any) -> None:
    """Log predictions against the truth, and the permutation importance."""
    import mlflow
    from matplotlib.figure import Figure
    from sklearn.inspection import permutation_importance

    x, y = part.drop(columns="target").head(500), part["target"].head(500)
    figure = Figure()
    figure.subplots().scatter(y, model.predict(x), s=4)
    mlflow.log_figure(figure, "plots/predicted_vs_actual.png")
    importance = permutation_importance(model, x, y, n_repeats=3, random_state=0)
    figure = Figure()
    figure.subplots().barh(list(x.columns), importance.importances_mean)
    mlflow.log_figure(figure, "plots/feature_importance.png")


if __name__ == "__main__":
    main()

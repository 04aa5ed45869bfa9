"""MLflow's garbage collection removes what it is given."""

from __future__ import annotations

from mlrunner.history.pruning import mlflow_gc
from tests.support.mlflow_home import MlflowHome


def test_a_model_alone_is_collected(mlflow_home: MlflowHome) -> None:
    run, trashed = mlflow_home.add_run(), mlflow_home.add_run()
    model, kept = mlflow_home.add_model(run), mlflow_home.add_model(trashed)
    for deleted in (model, kept):
        mlflow_home.client.delete_logged_model(deleted)
    for deleted in (run, trashed):
        mlflow_home.client.delete_run(deleted)
    mlflow_gc.collect_only(mlflow_home.client, models=[model])
    assert (mlflow_home.count("logged_models"), mlflow_home.count("runs")) == (1, 2)
    mlflow_gc.collect(mlflow_home.client, mlflow_home.client.get_run(run))  # whose model is gone
    assert (mlflow_home.count("logged_models"), mlflow_home.count("runs")) == (1, 1)
    assert mlflow_home.count("experiments") == 3  # no placeholder is left

"""`mlrunner prune`: select runs, protect what must stay, and remove the rest with all that belongs to them.

Planning imports neither MLflow nor ZenML; only `removal`, `mlflow_runs` and `zenml_runs` do.
"""

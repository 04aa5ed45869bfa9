"""Our Optuna sweeper for Hydra: `hydra/sweeper=optuna`."""

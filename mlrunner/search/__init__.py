"""Search hyperparameters and choices with Optuna: plan, trials, winner."""

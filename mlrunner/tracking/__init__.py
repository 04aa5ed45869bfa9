"""Every call to MLflow, and what is read from its stores; importing this package does nothing."""

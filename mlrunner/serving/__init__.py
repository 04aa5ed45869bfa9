"""HTTP serving of released models: the model server, and the gateway in front of replaceable servers.

A server runs in a container with the model's own libraries only: no ZenML, MLflow, Hydra or OmegaConf is imported here.
"""

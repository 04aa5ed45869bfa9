"""What serves a released model over HTTP: the model server, and the gateway in front of those that come and go.

A server runs in a container with nothing but the model's own libraries: no ZenML, MLflow, Hydra or OmegaConf here.
"""

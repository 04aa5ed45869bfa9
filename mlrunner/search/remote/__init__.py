"""Trials on the workers of a cluster: the driver's side, and what runs in a worker."""

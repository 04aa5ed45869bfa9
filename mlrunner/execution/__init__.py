"""Execution of runs: single runs, grids of Hydra, deployments, batch predictions and reproductions."""

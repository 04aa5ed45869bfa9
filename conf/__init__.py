"""Packaged as `mlrunner.conf`: Hydra finds these files by `pkg://`."""

"""Register `hydra/sweeper=optuna` when Hydra scans for plugins."""

from importlib.util import find_spec

from mlrunner.search.sweeper_config import OFFICIAL_PLUGIN, register_sweeper_config

if find_spec(OFFICIAL_PLUGIN) is None:  # in other programs of this environment the official plugin keeps the name
    register_sweeper_config()

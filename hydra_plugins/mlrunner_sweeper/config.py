"""What `hydra/sweeper=optuna`, its samplers and its pruners may be told; registered when Hydra scans for plugins.

Keys, names and defaults are those of the official plugin where it has them, so that its documentation serves.
Annotations are evaluated here: Hydra's scanner runs this module before Python knows it by name.
"""

from importlib.util import find_spec

from mlrunner.search.sweeper_config import OFFICIAL, register

if find_spec(OFFICIAL) is None:  # in other programs of this environment the official plugin keeps its name
    register()

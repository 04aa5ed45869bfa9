"""Typed access to environment variables: no other module reads or writes one of ours in `os.environ`.

`conf/*.yaml` reads MLRUNNER_PROJECT, MLRUNNER_HOME and MLRUNNER_RESOURCES by `oc.env`; ZenML, MLflow and Hydra read
theirs at import.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from mlrunner.core.errors import ConfigError
from mlrunner.core.project import CODE, RESOURCES, conf_folders, find_project

PROJECT_VARIABLE, HOME_VARIABLE, RESOURCES_VARIABLE = "MLRUNNER_PROJECT", "MLRUNNER_HOME", "MLRUNNER_RESOURCES"
VERBOSE_VARIABLE = "MLRUNNER_VERBOSE"
TRUSTED_VARIABLE, STACK_VARIABLE = "MLRUNNER_TRUSTED", "MLRUNNER_STACK"
TOKEN_VARIABLE, INSTANCE_VARIABLE = "MLRUNNER_TOKEN", "MLRUNNER_INSTANCE"  # of a model server
PARENT_VARIABLE, SHARED_VARIABLE = "MLRUNNER_PARENT_RUN", "MLRUNNER_SHARED_OVERRIDES"
FULL_ERROR_VARIABLE = "HYDRA_FULL_ERROR"
DEFAULTS = {"OMP_WAIT_POLICY": "passive"}  # spinning threads starve every other process of the machine
TRACKING_VARIABLE = "MLFLOW_TRACKING_URI"
STORE_VARIABLE, CONFIG_VARIABLE = "ZENML_STORE_URL", "ZENML_CONFIG_PATH"


def prepare_environment(verbose: bool) -> None:
    """Set the variables that the configuration files and Hydra read, and order the import path.

    Raises:
        ConfigError: When the variable of the project names no folder.
    """
    conf_folders.cache_clear()  # a notebook may have written `conf/` since its last call
    if not project().is_dir():
        raise ConfigError(f"{PROJECT_VARIABLE}={project()} is not a folder; name the folder of your project.")
    os.environ[PROJECT_VARIABLE] = str(project())
    os.environ[RESOURCES_VARIABLE] = str(RESOURCES)
    set_home(home())
    os.environ[FULL_ERROR_VARIABLE] = "1"  # Hydra raises, and `error_report` prints
    set_defaults(DEFAULTS)
    os.environ[VERBOSE_VARIABLE] = str(int(verbose))
    _order_import_path()


def _order_import_path() -> None:
    """Import modules of the project and of the current folder last: a `random.py` must not replace Python's."""
    own = [folder for folder in dict.fromkeys([str(project()), str(Path.cwd())]) if folder != str(CODE)]
    sys.path[:] = [*(folder for folder in sys.path if folder not in own), *own]


def project() -> Path:
    """Return the folder of the user's project: that of MLRUNNER_PROJECT, or else the one around the current folder."""
    folder = os.environ.get(PROJECT_VARIABLE)
    return find_project(Path.cwd()) if folder is None else Path(folder).resolve()


def home() -> Path:
    """Return the folder that holds `.mlrunner/`; the project where MLRUNNER_HOME is not set."""
    folder = os.environ.get(HOME_VARIABLE)
    return project() if folder is None else Path(folder)


def set_home(folder: Path) -> None:
    """Set the folder that holds `.mlrunner/`."""
    os.environ[HOME_VARIABLE] = str(folder.resolve())


def is_verbose() -> bool:
    """Check whether `-v` or `--verbose` was given."""
    return os.environ.get(VERBOSE_VARIABLE) == "1"


def has_full_errors() -> bool:
    """Check whether Hydra is asked for tracebacks, which `-v` asks for as well."""
    return os.environ.get(FULL_ERROR_VARIABLE) == "1"


def trusted_names() -> list[str]:
    """Return the modules, and `env:NAME` for variables, that a composition from a store may use."""
    return [name for name in map(str.strip, os.environ.get(TRUSTED_VARIABLE, "").split(",")) if name]


def trusted_modules() -> tuple[str, ...]:
    """Return the modules among `trusted_names`."""
    return tuple(name for name in trusted_names() if ":" not in name)


def serving_token() -> str:
    """Return the secret by which a model server proves that a deployment started it; empty when it is not set."""
    return os.environ.get(TOKEN_VARIABLE, "")


def tracking_uri() -> str | None:
    """Return MLflow's address; None when neither the user nor a stack has set it."""
    return os.environ.get(TRACKING_VARIABLE)


def zenml_url() -> str | None:
    """Return ZenML's address; None when neither the user nor a stack has set it."""
    return os.environ.get(STORE_VARIABLE)


def zenml_folder() -> Path | None:
    """Return the folder of ZenML's configuration; None when neither the user nor a stack has set it."""
    folder = os.environ.get(CONFIG_VARIABLE)
    return None if folder is None else Path(folder)


def claim_stack(digest: str) -> bool:
    """Bind this process and its children to a stack.

    Args:
        digest: Digest of the stack's settings.

    Returns:
        Whether the process uses this stack; False when it was bound to another one before.
    """
    return os.environ.setdefault(STACK_VARIABLE, digest) == digest


def has_stack() -> bool:
    """Check whether this process is bound to a stack."""
    return STACK_VARIABLE in os.environ


def share_grid(overrides: list[str], parent: str | None) -> None:
    """Hand a grid's common overrides and MLflow parent run to its jobs, which may run in other processes."""
    os.environ[SHARED_VARIABLE] = json.dumps(overrides)
    if parent is not None:
        os.environ[PARENT_VARIABLE] = parent


def grid_overrides() -> tuple[str, ...]:
    """Return the overrides that every job of the grid has; empty outside a grid."""
    return tuple(json.loads(os.environ.get(SHARED_VARIABLE, "[]")))


def grid_parent() -> str | None:
    """Return the MLflow parent run of the grid; None outside a grid."""
    return os.environ.get(PARENT_VARIABLE)


def leave_grid() -> str | None:
    """Remove the MLflow parent run of the grid from the environment, and return it."""
    return os.environ.pop(PARENT_VARIABLE, None)


def variable(name: str) -> str | None:
    """Return a variable of another program; None when it is not set."""
    return os.environ.get(name)


def variables() -> dict[str, str]:
    """Return a copy of all variables."""
    return dict(os.environ)


def set_variables(values: Mapping[str, str]) -> None:
    """Set variables."""
    os.environ.update(values)


def set_defaults(values: Mapping[str, str]) -> None:
    """Set the variables that are not set yet."""
    for name, value in values.items():
        os.environ.setdefault(name, value)


@contextmanager
def temporary_variables(**values: str) -> Iterator[None]:
    """Set variables within a block, and restore them after it."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def child_environment(**extra: str) -> dict[str, str]:
    """Return the variables for a child process: those of this process and `extra`."""
    return {**os.environ, **extra}


def python_path(first: Iterable[str | Path], last: Iterable[str | Path] = ()) -> str:
    """Build a PYTHONPATH for a child process.

    Args:
        first: Folders before those of this process's PYTHONPATH.
        last: Folders after them.
    """
    folders = [*first, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep)), *last]
    return os.pathsep.join(dict.fromkeys(map(str, folders)))

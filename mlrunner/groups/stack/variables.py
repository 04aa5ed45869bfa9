"""Environment variables of ZenML and MLflow that every stack sets."""

from __future__ import annotations

from pathlib import Path

from mlrunner.core import environment
from mlrunner.core.errors import ConfigError
from mlrunner.tracking.outage import RUN_RETRIES

FIXED_VARIABLES = {
    "ZENML_ANALYTICS_OPT_IN": "false",
    "ZENML_ENABLE_RICH_TRACEBACK": "false",
    "ZENML_PARAMETER_SIZE_THRESHOLD": "65536",
    "AUTO_OPEN_DASHBOARD": "false",
    "MLFLOW_ENABLE_ASYNC_LOGGING": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "GIT_PYTHON_REFRESH": "quiet",
    **RUN_RETRIES,
}


QUIET_LOGGING = {
    "ZENML_LOGGING_VERBOSITY": "CRITICAL",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # a URL would break the JSON of output=json
}


VERBOSE_LOGGING = {"ZENML_LOGGING_VERBOSITY": "INFO", "MLFLOW_LOGGING_LEVEL": "INFO"}


def common_variables() -> dict[str, str]:
    """Return the variables of every stack, with those of the logs as `-v` asks for them."""
    return {**FIXED_VARIABLES, **(VERBOSE_LOGGING if environment.is_verbose() else QUIET_LOGGING)}


def embedded_zenml_environment(home: Path) -> dict[str, str]:
    """Return the variables that keep ZenML's configuration and store in `.mlrunner/`; none when the user set others."""
    if environment.zenml_url() is not None or environment.zenml_folder() is not None:
        return {}
    return {"ZENML_CONFIG_PATH": str(home / ".mlrunner" / "zenml")}


def login(**settings: str | None) -> dict[str, str]:
    """Return the variables of the login to MLflow's server.

    Args:
        **settings: `username`, `password` and `token`; None where the environment has it, or the server needs none.

    Raises:
        ConfigError: When there is a user without a password, which MLflow would silently ignore, or the reverse.
    """
    given = {f"MLFLOW_TRACKING_{name.upper()}": value for name, value in settings.items() if value is not None}
    names = {**environment.variables(), **given}
    present = {name for name in ("USERNAME", "PASSWORD") if f"MLFLOW_TRACKING_{name}" in names}
    if len(present) == 1:
        absent = ({"USERNAME", "PASSWORD"} - present).pop()
        raise ConfigError(f"stack.{absent.lower()} is not set; give it, or set MLFLOW_TRACKING_{absent}.")
    return given

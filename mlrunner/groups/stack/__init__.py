"""Config group `stack`: the ZenML stack and the MLflow address that a run keeps its records in.

Nothing here imports ZenML or MLflow before `activate` has set the environment that both read at import.
"""

from __future__ import annotations

import hashlib
import os
from abc import ABC, abstractmethod
from pathlib import Path

from mlrunner.core.build import dataclass
from mlrunner.core.errors import ConfigError
from mlrunner.groups.stack import reachability
from mlrunner.groups.stack.preflight import own_folder, refuse_file_store, refuse_full_disk

__all__ = ["LocalStack", "MlflowServerStack", "Stack", "ZenmlServerStack", "refuse_file_store", "refuse_full_disk"]
PLAIN = {
    "ZENML_ANALYTICS_OPT_IN": "false",
    "ZENML_ENABLE_RICH_TRACEBACK": "false",
    "ZENML_PARAMETER_SIZE_THRESHOLD": "65536",
    "AUTO_OPEN_DASHBOARD": "false",
    "MLFLOW_ENABLE_ASYNC_LOGGING": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "GIT_PYTHON_REFRESH": "quiet",
}
SILENT = {
    "ZENML_LOGGING_VERBOSITY": "CRITICAL",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # it would break output=json
}
VERBOSE = {"ZENML_LOGGING_VERBOSITY": "INFO", "MLFLOW_LOGGING_LEVEL": "INFO"}
ACTIVATED = "MLRUNNER_STACK"  # reaches the jobs in other processes


@dataclass
class Stack(ABC):
    """Where ZenML and MLflow keep their records."""

    name: str | None
    artifacts: str | None = None

    @abstractmethod
    def environment(self, home: Path) -> dict[str, str]:
        """Name the stores in the environment variables that `zenml` and `mlflow` themselves read."""

    def prepare(self, home: Path) -> None:
        """Make what must be there before ZenML and MLflow are imported; what is told is in `os.environ` by then.

        Raises:
            MlrunnerError: When a store cannot be made or reached.
        """
        refuse_full_disk(own_folder(home))
        refuse_file_store(os.environ["MLFLOW_TRACKING_URI"])
        if reachability.is_remote(os.environ["MLFLOW_TRACKING_URI"]):
            reachability.reach(os.environ["MLFLOW_TRACKING_URI"], "stack.tracking_uri")

    def announce(self, home: Path) -> None:
        """Name the stores in this process's environment, which those that it starts have too; nothing is opened.

        Args:
            home: The folder that holds `.mlrunner/`.

        Raises:
            ConfigError: When the process has another stack already.
        """
        self._refuse_change()
        told = VERBOSE if os.environ.get("MLRUNNER_VERBOSE") == "1" else SILENT
        for variable, value in {**PLAIN, **told, **self.environment(home)}.items():
            os.environ.setdefault(variable, value)

    def activate(self, home: Path) -> None:
        """Point this process at the stack, and register its components if they are not there.

        Args:
            home: The folder that holds `.mlrunner/`.

        Raises:
            MlrunnerError: When a store cannot be made, reached or written.
        """
        follow = not self.is_ours and "MLFLOW_TRACKING_URI" not in os.environ
        self.announce(home)
        self.prepare(home)
        from mlrunner.groups.stack import stores

        lock = home / ".mlrunner" / "stores.lock"
        stores.open_stores(lock, self.name or "local_stack", register=self.is_ours, follow=follow)

    def _refuse_change(self) -> None:
        """Refuse a second stack: ZenML and MLflow have read the environment of the first, and would keep to it."""
        digest = hashlib.sha256(repr(self).encode()).hexdigest()
        if os.environ.setdefault(ACTIVATED, digest) != digest:
            raise ConfigError("stack: one sweep keeps to one stack and this one differs; run each stack by itself.")

    @property
    def is_ours(self) -> bool:
        """Whether mlrunner registers the stack, or finds it as somebody else made it."""
        return True

    @property
    def artifact_location(self) -> str | None:
        """Where MLflow keeps the files of a new experiment; None leaves that to the server, whose disk is not ours."""
        return None if reachability.is_remote(os.environ.get("MLFLOW_TRACKING_URI", "")) else self.artifacts


def embedded_zenml(home: Path) -> dict[str, str]:
    """Keep ZenML's configuration and store in the project, unless the user names others."""
    if "ZENML_STORE_URL" in os.environ or "ZENML_CONFIG_PATH" in os.environ:
        return {}
    return {"ZENML_CONFIG_PATH": str(home / ".mlrunner" / "zenml")}


@dataclass
class LocalStack(Stack):
    """SQLite for both, under `.mlrunner/`."""

    tracking_uri: str

    def environment(self, home: Path) -> dict[str, str]:
        """See `Stack.environment`."""
        return {**embedded_zenml(home), "MLFLOW_TRACKING_URI": self.tracking_uri}


@dataclass
class MlflowServerStack(Stack):
    """The embedded ZenML with an MLflow server."""

    tracking_uri: str
    username: str | None = None
    password: str | None = None
    token: str | None = None

    def environment(self, home: Path) -> dict[str, str]:
        """See `Stack.environment`."""
        secrets = {"username": self.username, "password": self.password, "token": self.token}
        given = {f"MLFLOW_TRACKING_{name.upper()}": value for name, value in secrets.items() if value is not None}
        self._refuse_half(given)
        return {**embedded_zenml(home), "MLFLOW_TRACKING_URI": self.tracking_uri, **given}

    def _refuse_half(self, given: dict[str, str]) -> None:
        """Refuse a user without a password, which MLflow would leave out without a word."""
        known = {name for name in ("USERNAME", "PASSWORD") if f"MLFLOW_TRACKING_{name}" in {**os.environ, **given}}
        if len(known) == 1:
            absent = ({"USERNAME", "PASSWORD"} - known).pop()
            raise ConfigError(f"stack.{absent.lower()} is not set; give it, or set MLFLOW_TRACKING_{absent}.")


@dataclass
class ZenmlServerStack(Stack):
    """A ZenML server, on one of its stacks by name."""

    tracking_uri: str
    url: str | None = None
    api_key: str | None = None

    def environment(self, home: Path) -> dict[str, str]:
        """See `Stack.environment`."""
        if self.url is None and "ZENML_STORE_URL" not in os.environ:
            raise ConfigError("stack.url is not set; give the ZenML server's URL, or set ZENML_STORE_URL.")
        server = {"ZENML_STORE_URL": self.url, "ZENML_STORE_API_KEY": self.api_key}
        return {
            "ZENML_CONFIG_PATH": str(home / ".mlrunner" / "zenml_server"),
            **{variable: value for variable, value in server.items() if value is not None},
            "MLFLOW_TRACKING_URI": self.tracking_uri,
        }

    def prepare(self, home: Path) -> None:
        """See `Stack.prepare`; ZenML keeps the key in its folder, in a file that anybody may read."""
        super().prepare(home)
        reachability.refuse_other_server(os.environ["ZENML_STORE_URL"], "stack.url")
        Path(os.environ["ZENML_CONFIG_PATH"]).mkdir(mode=0o700, parents=True, exist_ok=True)

    @property
    def is_ours(self) -> bool:
        """See `Stack.is_ours`: a stack that is named is the server's own."""
        return self.name is None

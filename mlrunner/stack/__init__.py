"""Config group `stack`: the ZenML stack and the MLflow address that a run keeps its records in.

Nothing here imports ZenML or MLflow before `activate` has set the environment that both read at import.
"""

from __future__ import annotations

import os
import shutil
from abc import ABC, abstractmethod
from pathlib import Path

from mlrunner.errors import ConfigError, StoreError
from mlrunner.schema import dataclass

NEEDED_BYTES = 50 * 2**20  # both empty stores take 3 MB; the rest is room for tables and models
PLAIN = {
    "ZENML_ANALYTICS_OPT_IN": "false",
    "ZENML_ENABLE_RICH_TRACEBACK": "false",
    "ZENML_PARAMETER_SIZE_THRESHOLD": "65536",
    "AUTO_OPEN_DASHBOARD": "false",
    "MLFLOW_ENABLE_ASYNC_LOGGING": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "GIT_PYTHON_REFRESH": "quiet",
}
SILENT = {"ZENML_LOGGING_VERBOSITY": "CRITICAL", "MLFLOW_LOGGING_LEVEL": "ERROR"}
VERBOSE = {"ZENML_LOGGING_VERBOSITY": "INFO", "MLFLOW_LOGGING_LEVEL": "INFO"}


@dataclass
class Stack(ABC):
    """Where ZenML and MLflow keep their records."""

    name: str | None
    artifacts: str | None = None

    @abstractmethod
    def environment(self, home: Path) -> dict[str, str]:
        """Name the stores in the environment variables that `zenml` and `mlflow` themselves read."""

    def prepare(self, home: Path) -> None:
        """Make what must be there before ZenML and MLflow are imported."""
        refuse_full_disk(own_folder(home))

    def activate(self, home: Path) -> None:
        """Point this process at the stack, and register its components if they are not there.

        Args:
            home: The folder that holds `.mlrunner/`.

        Raises:
            StoreError: When a store cannot be made, reached or written.
        """
        self.prepare(home)
        told = VERBOSE if os.environ.get("MLRUNNER_VERBOSE") == "1" else SILENT
        for variable, value in {**PLAIN, **told, **self.environment(home)}.items():
            os.environ.setdefault(variable, value)
        refuse_file_store(os.environ["MLFLOW_TRACKING_URI"])
        from mlrunner.stack import stores

        stores.open_stores(home / ".mlrunner" / "stores.lock", self.name or "local_stack", register=self.is_ours)

    @property
    def is_ours(self) -> bool:
        """Whether mlrunner registers the stack, or finds it as somebody else made it."""
        return True


def own_folder(home: Path) -> Path:
    """Make `.mlrunner/` and notice when the project folder was moved under it.

    Raises:
        StoreError: When the folder cannot be written, or the stores in it were made at another place:
            MLflow and ZenML both record absolute paths.
    """
    folder = home / ".mlrunner"
    mark = folder / "home"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not mark.exists():
            mark.write_text(str(home))
    except OSError as error:
        raise StoreError(
            f"Cannot write {folder} ({error.strerror}); set MLRUNNER_HOME to a folder that you may write."
        ) from error
    if mark.read_text() not in ("", str(home)):
        raise StoreError(
            f"The stores in {folder} were made at {mark.read_text()} and record that path; move the project back, or "
            f"remove {folder} to begin anew."
        )
    return folder


def refuse_full_disk(folder: Path) -> None:
    """Refuse a disk without room for the stores; the folder need not be there yet.

    Raises:
        StoreError: With what is free and what is needed.
    """
    there = next((one for one in (folder, *folder.parents) if one.exists()), Path("/"))
    free = shutil.disk_usage(there).free
    if free < NEEDED_BYTES:
        raise StoreError(
            f"No disk space for the stores: {free // 2**20} MB are free at {folder}, "
            f"{NEEDED_BYTES // 2**20} MB are needed; free some, or set MLRUNNER_HOME to a folder on another disk."
        )


def refuse_file_store(uri: str) -> None:
    """Refuse the file store, which MLflow itself refuses since 3.13, with the way out.

    Raises:
        ConfigError: When the address is a folder and MLFLOW_ALLOW_FILE_STORE is not set.
    """
    is_folder = uri.startswith("file:") or "://" not in uri
    if is_folder and uri != "databricks" and os.environ.get("MLFLOW_ALLOW_FILE_STORE") != "true":
        raise ConfigError(
            f"stack.tracking_uri={uri} is a folder, which MLflow no longer takes as a store; use "
            "sqlite:////absolute/path/mlflow.db, a server's URL, or set MLFLOW_ALLOW_FILE_STORE=true."
        )


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
        secrets = {
            "MLFLOW_TRACKING_USERNAME": self.username,
            "MLFLOW_TRACKING_PASSWORD": self.password,
            "MLFLOW_TRACKING_TOKEN": self.token,
        }
        given = {variable: value for variable, value in secrets.items() if value is not None}
        return {**embedded_zenml(home), "MLFLOW_TRACKING_URI": self.tracking_uri, **given}


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

    @property
    def is_ours(self) -> bool:
        """See `Stack.is_ours`: a stack that is named is the server's own."""
        return self.name is None

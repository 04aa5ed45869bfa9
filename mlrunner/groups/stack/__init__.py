"""Config group `stack`: the ZenML stack and the MLflow address that store the records of a run.

ZenML and MLflow read their environment variables at import, so `activate` sets those before it imports either.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

from mlrunner.core import environment
from mlrunner.core.build import dataclass
from mlrunner.core.errors import ConfigError
from mlrunner.core.uris import to_uri
from mlrunner.groups.stack import reachability, variables
from mlrunner.groups.stack.mlflow_private import ARTIFACT_ROOT
from mlrunner.groups.stack.object_store import ObjectStore
from mlrunner.groups.stack.preflight import prepare_folder, refuse_file_store, refuse_full_disk, warn_of_shared
from mlrunner.groups.stack.variables import embedded_zenml_environment


@dataclass
class Stack(ABC):
    """Stores of ZenML and MLflow.

    Args:
        name: Name of the ZenML stack; None stands for `local_stack`.
        artifacts: Folder or URL for the files of new MLflow experiments; None leaves it to MLflow.
        artifact_store: Address of an object store for ZenML's tables and the files of new MLflow experiments.
        endpoint: Address of an S3 server that is not Amazon's.
        base_image: Image with Python below that of steps in containers; None: Python's official one.
        packages: Further packages of that image.
    """

    name: str | None
    artifacts: str | None = None
    artifact_store: str | None = None
    endpoint: str | None = None
    base_image: str | None = None
    packages: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.object_store is not None:
            self.object_store.require_packages()

    @abstractmethod
    def environment(self, home: Path) -> dict[str, str]:
        """Return the environment variables by which `zenml` and `mlflow` find the stores.

        Args:
            home: Folder that holds `.mlrunner/`.
        """

    def prepare(self, home: Path) -> None:
        """Create and check what ZenML and MLflow need before they are imported; call `export_environment` first.

        Args:
            home: Folder that holds `.mlrunner/`.

        Raises:
            MlrunnerError: When a store cannot be created or reached.
        """
        refuse_full_disk(prepare_folder(home))
        uri = environment.tracking_uri() or ""
        refuse_file_store(uri)
        if reachability.is_remote(uri):
            reachability.fetch_page(uri, "stack.tracking_uri")

    def export_environment(self, home: Path) -> None:
        """Set the variables of the stack for this process and its children, without opening a store.

        Args:
            home: Folder that holds `.mlrunner/`.

        Raises:
            ConfigError: When the process is bound to another stack.
        """
        self._claim_process()
        store = {} if self.object_store is None else self.object_store.variables
        environment.set_defaults({**variables.common_variables(), **store, **self.environment(home)})
        if self.artifact_location is not None:
            environment.set_defaults({ARTIFACT_ROOT: to_uri(self.artifact_location)})

    def activate(self, home: Path, before_opening: Callable[[], object] = lambda: None) -> None:
        """Open the stores of the stack for this process, and register its components when they are absent.

        Args:
            home: Folder that holds `.mlrunner/`.
            before_opening: Called when ZenML and MLflow are imported, and no store is open.

        Raises:
            MlrunnerError: When a store cannot be created, reached or written.
        """
        follow = not self.is_managed and environment.tracking_uri() is None
        self.export_environment(home)
        self.prepare(home)
        from mlrunner.groups.stack import stores

        before_opening()
        warn_of_shared(folder := home / ".mlrunner")
        lock, name = folder / "stores.lock", self.name or "local_stack"
        stores.open_stores(lock, name, register=self.is_managed, follow=follow, artifacts=self.object_store)

    def _claim_process(self) -> None:
        """Refuse a second stack: ZenML and MLflow have read the variables of the first and would keep using it."""
        if not environment.claim_stack(hashlib.sha256(repr(self).encode()).hexdigest()):
            raise ConfigError("stack: a sweep uses one stack, and this one differs; run each stack in its own command.")

    @property
    def is_managed(self) -> bool:
        """Whether mlrunner registers the stack; False for one that exists on a server."""
        return True

    @property
    def object_store(self) -> ObjectStore | None:
        """Object store of the stack; None when tables and files are kept in folders."""
        return None if self.artifact_store is None else ObjectStore(self.artifact_store, self.endpoint)

    @property
    def artifact_location(self) -> str | None:
        """Location of the files of a new MLflow experiment; None leaves it to the server."""
        if reachability.is_remote(environment.tracking_uri() or ""):
            return None
        return self.artifacts if self.object_store is None else self.object_store.mlflow_root


@dataclass
class LocalStack(Stack):
    """ZenML and MLflow on SQLite, under `.mlrunner/`.

    Args:
        tracking_uri: MLflow's tracking URI.
    """

    tracking_uri: str

    def environment(self, home: Path) -> dict[str, str]:
        """See `Stack.environment`."""
        return {**embedded_zenml_environment(home), "MLFLOW_TRACKING_URI": self.tracking_uri}


@dataclass
class MlflowServerStack(Stack):
    """The embedded ZenML with an MLflow server.

    Args:
        tracking_uri: Address of the server.
        username: User of the server; None when it needs none.
        password: Password of the user.
        token: Bearer token, instead of user and password.
    """

    tracking_uri: str
    username: str | None = None
    password: str | None = None
    token: str | None = None

    def environment(self, home: Path) -> dict[str, str]:
        """See `Stack.environment`."""
        login = variables.login(username=self.username, password=self.password, token=self.token)
        return {**embedded_zenml_environment(home), "MLFLOW_TRACKING_URI": self.tracking_uri, **login}


@dataclass
class ZenmlServerStack(Stack):
    """A stack of a ZenML server.

    Args:
        tracking_uri: MLflow's tracking URI; the tracker of a named stack takes precedence.
        url: Address of the ZenML server; None: from ZENML_STORE_URL.
        api_key: Key of a service account; None: from ZENML_STORE_API_KEY.
    """

    tracking_uri: str
    url: str | None = None
    api_key: str | None = None

    def environment(self, home: Path) -> dict[str, str]:
        """See `Stack.environment`."""
        if self.url is None and environment.zenml_url() is None:
            raise ConfigError("stack.url is not set; give the ZenML server's URL, or set ZENML_STORE_URL.")
        server = {"ZENML_STORE_URL": self.url, "ZENML_STORE_API_KEY": self.api_key}
        given = {variable: value for variable, value in server.items() if value is not None}
        folder = str(home / ".mlrunner" / "zenml_server")
        return {"ZENML_CONFIG_PATH": folder, **given, "MLFLOW_TRACKING_URI": self.tracking_uri}

    def prepare(self, home: Path) -> None:
        """See `Stack.prepare`; the folder is private because ZenML writes the key into a file that all may read."""
        super().prepare(home)
        reachability.refuse_other_server(environment.zenml_url() or "")
        folder = environment.zenml_folder() or home / ".mlrunner" / "zenml_server"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    @property
    def is_managed(self) -> bool:
        """See `Stack.is_managed`: a stack with a name belongs to the server."""
        return self.name is None

"""An object store for ZenML's tables and MLflow's files: S3, Google Cloud Storage or Azure Data Lake.

The address alone is stored. Each machine takes its credentials from its own environment, as the clouds' SDKs do.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from mlrunner.core.errors import ConfigError, StoreError, first_line

SCHEMES = {
    "s3": ("s3", ("s3fs", "boto3"), "s3://BUCKET/FOLDER"),
    "gs": ("gcp", ("gcsfs", "google.cloud.storage"), "gs://BUCKET/FOLDER"),
    "abfs": ("azure", ("adlfs", "azure.storage.filedatalake"), "abfs://CONTAINER@ACCOUNT.dfs.core.windows.net/FOLDER"),
}  # flavor of ZenML's artifact store, modules of ZenML and MLflow, form of the address
PACKAGES = {"google.cloud.storage": "google-cloud-storage", "azure.storage.filedatalake": "azure-storage-file-datalake"}
ACCOUNT = re.compile(r"[^/@:]+@[\w-]+\.dfs\.core\.windows\.net(/|$)")
ENDPOINT = re.compile(r"https?://[^/?#@]+/?")


@dataclass(frozen=True)
class ObjectStore:
    """A folder of an object store.

    Args:
        url: `stack.artifact_store`.
        endpoint: `stack.endpoint`; None for Amazon's own S3, and for the other clouds.

    Raises:
        ConfigError: When the address is of another form, holds credentials, or a package is missing.
    """

    url: str
    endpoint: str | None = None

    def __post_init__(self) -> None:
        if self.scheme not in SCHEMES or not self._has_form():
            forms = ", ".join(form for _, _, form in SCHEMES.values())
            raise ConfigError(
                f"stack.artifact_store={self._shown} is not the address of an object store without credentials; write "
                f"one of {forms}, and set the credentials in the environment."
            )
        if self.endpoint is not None and (self.scheme != "s3" or not ENDPOINT.fullmatch(self.endpoint)):
            raise ConfigError(
                "stack.endpoint is the address of an S3 server, like http://127.0.0.1:8333, without credentials and "
                "with stack.artifact_store=s3://…; correct it, or leave it out."
            )

    @property
    def scheme(self) -> str:
        """The scheme of the address."""
        return self.url.partition("://")[0]

    @property
    def flavor(self) -> str:
        """ZenML's flavor of the artifact store."""
        return SCHEMES[self.scheme][0]

    @property
    def name(self) -> str:
        """Name of ZenML's artifact store."""
        return re.sub(r"\W+", "-", f"{self.url}-{self.endpoint or ''}").strip("-")

    @property
    def zenml_settings(self) -> dict[str, Any]:
        """Settings of ZenML's artifact store, without credentials."""
        client = {} if self.endpoint is None else {"client_kwargs": {"endpoint_url": self.endpoint.rstrip("/")}}
        return {"path": f"{self.url.rstrip('/')}/zenml", **client}

    @property
    def mlflow_root(self) -> str:
        """Address of the files of MLflow's experiments; MLflow says `abfss` for what ZenML calls `abfs`."""
        return re.sub("^abfs:", "abfss:", f"{self.url.rstrip('/')}/mlflow")

    @property
    def variables(self) -> dict[str, str]:
        """Environment variables by which MLflow and other clients find the server."""
        return {} if self.endpoint is None else {"MLFLOW_S3_ENDPOINT_URL": self.endpoint}

    @property
    def _shown(self) -> str:
        return re.sub(r"://[^/@]*:[^/]*@", "://***@", self.url)

    def _has_form(self) -> bool:
        _, _, rest = self.url.partition("://")
        if self.scheme == "abfs":
            return ACCOUNT.match(rest) is not None
        return re.match(r"[\w.-]+(/[^@?#]*)?$", rest) is not None

    def require_packages(self) -> None:
        """Check that the packages which read and write the store are installed.

        Raises:
            ConfigError: When one is missing.
        """
        missing = [PACKAGES.get(module, module) for module in SCHEMES[self.scheme][1] if not is_installed(module)]
        if missing:
            raise ConfigError(
                f"stack.artifact_store={self.url} needs {' and '.join(missing)}; pip install {' '.join(missing)}."
            )

    def check_access(self) -> None:
        """Send the store one request.

        Raises:
            StoreError: When it does not answer, or does not let this machine read.
        """
        import fsspec

        _, _, path = self.url.partition("://")
        options = {"client_kwargs": self.zenml_settings["client_kwargs"]} if self.endpoint else {}
        try:
            fsspec.filesystem(self.scheme, skip_instance_cache=True, **options).ls(path.partition("/")[0])
        except Exception as error:  # each cloud's client raises errors of its own
            raise StoreError(
                f"stack.artifact_store={self.url} cannot be read ({first_line(error)}); correct the address, make the "
                "bucket, or set the credentials in the environment, such as AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY."
            ) from error


def is_installed(module: str) -> bool:
    """Check whether a module can be found; a package above it may be missing."""
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False

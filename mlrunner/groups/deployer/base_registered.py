"""Base classes of deployers: a registered model with a history, and the settings of the model server."""

from __future__ import annotations

import dataclasses
import re
import time
from abc import abstractmethod
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from mlrunner.core.build import dataclass
from mlrunner.core.errors import MlrunnerError
from mlrunner.groups.deployer import Candidate, Deployer, Deployment
from mlrunner.groups.deployer.state import DeploymentStore
from mlrunner.groups.gate import Decision


def _check_name(value: str) -> str:
    """Refuse a name that cannot be a folder, a registered model and a part of a container name."""
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}", value) is None:
        raise ValueError("should be a name of letters, digits, '-', '_' and '.', at most 60 of them")
    return value


Name = Annotated[str, AfterValidator(_check_name)]
Positive = Annotated[float, Field(gt=0)]


@dataclass
class RegisteredDeployer(Deployer):
    """Keeps a history and a registered model, whose alias `champion` is the deployed version.

    Args:
        name: Name of the deployment and of the registered model.
        folder: Folder that holds a folder for each deployment: state, history, releases, logs.
        replace: Whether a version with another target, task or other input columns may replace the deployed one.
    """

    event: ClassVar[str] = "deployed"  # name of a deployment in the history

    name: Name
    folder: str
    replace: bool = dataclasses.field(default=False, kw_only=True)

    @property
    def folders(self) -> tuple[str, ...]:
        """See `Deployer.folders`."""
        return (self.folder,)

    @property
    def serving_alias(self) -> str:
        """Alias of the version that answers the requests."""
        return "champion"

    @property
    def registered_name(self) -> str | None:
        """See `Deployer.registered_name`."""
        return self.name

    @property
    def store(self) -> DeploymentStore:
        """Folder of the deployment."""
        return DeploymentStore(Path(self.folder) / self.name)

    def deploy(self, candidate: Candidate, decision: Decision) -> Deployment | None:
        """See `Deployer.deploy`; a lock serializes deployments of one name."""
        from mlrunner.groups.deployer import compatibility, packaging

        store, details = self.store, {"run_id": candidate.run_id, "reason": decision.reason}
        if not decision.deploy:
            store.log_event("refused", **details)
            return None
        start = time.monotonic()
        with store.lock():
            try:
                packaging.refuse_overtaken(self.name, candidate)
                if not self.replace:
                    compatibility.refuse_unlike(self.name, self.serving_alias, candidate)
                deployment = self.deploy_locked(candidate, decision)
            except MlrunnerError as error:
                store.log_event("failed", **{**details, "reason": str(error)})
                raise
            seconds = round(time.monotonic() - start, 2)
            store.log_event(self.event, version=deployment.version, **details, url=deployment.url, seconds=seconds)
        return deployment

    @abstractmethod
    def deploy_locked(self, candidate: Candidate, decision: Decision) -> Deployment:
        """Deploy a model that passed the gate, while the lock of the deployment is held.

        Raises:
            DeployError: When the deployment fails; the previous one is untouched.
        """


@dataclass
class ModelServerDeployer(RegisteredDeployer):
    """Adds the settings of the model server.

    Args:
        workers: Number of server processes.
        start_timeout: Seconds until a new server must answer.
        request_timeout: Seconds that a request may take.
        body_limit: Maximum size of a request body in megabytes, after decompression.
        row_limit: Maximum number of rows of a request.
        batch_rows: Maximum number of rows of waiting requests that one call of the model predicts.
        unknown_categories: Whether categories that were absent in training are refused or accepted.
    """

    workers: Annotated[int, Field(ge=1, le=64)]
    start_timeout: Positive
    request_timeout: Positive
    body_limit: Positive
    batch_rows: Annotated[int, Field(ge=1)]
    unknown_categories: Literal["refuse", "accept"]
    row_limit: Annotated[int, Field(ge=1)] = dataclasses.field(default=1_000_000, kw_only=True)

    @property
    def needs_this_machine(self) -> bool:
        """See `Deployer.needs_this_machine`."""
        return True

    def arguments(self) -> list[str]:
        """Build the arguments of `python -m mlrunner.serving` from these settings."""
        return [
            *("--workers", str(self.workers)),
            *("--timeout", str(self.request_timeout)),
            *("--body-limit", str(self.body_limit)),
            *("--row-limit", str(self.row_limit)),
            *("--batch-rows", str(self.batch_rows)),
            *("--unknown-categories", self.unknown_categories),
        ]

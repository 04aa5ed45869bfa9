"""What deployers have in common: a registered model with its history, and the settings of our model server."""

from __future__ import annotations

import re
import time
from abc import abstractmethod
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from mlrunner.core.build import dataclass
from mlrunner.core.errors import MlrunnerError
from mlrunner.groups.deployer import Candidate, Deployer, Deployment
from mlrunner.groups.deployer.state import Ledger
from mlrunner.groups.gate import Decision


def _named(value: str) -> str:
    """Take what can be a folder, a registered model and a part of a container's name."""
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}", value) is None:
        raise ValueError("should be a name of letters, digits, '-', '_' and '.', at most 60 of them")
    return value


Name = Annotated[str, AfterValidator(_named)]
Positive = Annotated[float, Field(gt=0)]


@dataclass
class RegisteredDeployer(Deployer):
    """Keeps a registered model, whose alias `champion` is what is deployed, and a history.

    Args:
        name: Of the deployment and of the registered model.
        folder: Holds a folder for each deployment: state, history, releases, logs.
    """

    event: ClassVar[str] = "deployed"  # what the history calls it

    name: Name
    folder: str

    @property
    def registered_name(self) -> str | None:
        """See `Deployer.registered_name`."""
        return self.name

    @property
    def ledger(self) -> Ledger:
        """The folder of the deployment."""
        return Ledger(Path(self.folder) / self.name)

    def deploy(self, candidate: Candidate, decision: Decision) -> Deployment | None:
        """See `Deployer.deploy`; one deployment at a time."""
        from mlrunner.groups.deployer import packaging

        ledger, told = self.ledger, {"run_id": candidate.run_id, "reason": decision.reason}
        if not decision.deploy:
            ledger.note("refused", **told)
            return None
        began = time.monotonic()
        with ledger.lock():
            try:
                packaging.refuse_overtaken(self.name, candidate)
                found = self.put(candidate, decision)
            except MlrunnerError as error:
                ledger.note("failed", **{**told, "reason": str(error)})
                raise
            seconds = round(time.monotonic() - began, 2)
            ledger.note(self.event, version=found.version, **told, url=found.url, seconds=seconds)
        return found

    @abstractmethod
    def put(self, candidate: Candidate, decision: Decision) -> Deployment:
        """Deploy a model that passed the gate, while nobody else does.

        Raises:
            DeployError: When it cannot be; what was deployed before still is.
        """


@dataclass
class ServingDeployer(RegisteredDeployer):
    """Runs our model server.

    Args:
        workers: Server processes.
        start_timeout: Seconds until a new server must answer.
        request_timeout: Seconds that a request may take.
        body_limit: Megabytes of a request's body.
        batch_rows: Most rows of waiting requests that go to the model together.
        unknown_categories: What becomes of a category that training did not see.
    """

    workers: Annotated[int, Field(ge=1, le=64)]
    start_timeout: Positive
    request_timeout: Positive
    body_limit: Positive
    batch_rows: Annotated[int, Field(ge=1)]
    unknown_categories: Literal["refuse", "accept"]

    def arguments(self) -> list[str]:
        """Write the settings that concern the server itself as arguments of `python -m mlrunner.serving`."""
        return [
            *("--workers", str(self.workers)),
            *("--timeout", str(self.request_timeout)),
            *("--body-limit", str(self.body_limit)),
            *("--batch-rows", str(self.batch_rows)),
            *("--unknown-categories", self.unknown_categories),
        ]

"""What `local` and `docker` have in common: one stable address, servers that come and go behind it."""

from __future__ import annotations

import time
from abc import abstractmethod
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from mlrunner.deployer import Candidate, Deployer, Deployment, processes
from mlrunner.deployer.ledger import Ledger, State, ledgers
from mlrunner.deployer.release import Release, Server
from mlrunner.errors import MlrunnerError
from mlrunner.gate import Decision
from mlrunner.schema import dataclass

Positive = Annotated[float, Field(gt=0)]


@dataclass
class ServedDeployer(Deployer):
    """Serves one version of a model at a stable address, keeping the one before ready.

    Args:
        name: Of the deployment and of the registered model.
        folder: Holds a folder for each deployment: state, history, releases, logs.
        host: The address to listen on.
        port: The stable port.
        workers: Server processes.
        start_timeout: Seconds until a new server must answer.
        request_timeout: Seconds that a request may take.
        body_limit: Megabytes of a request's body.
        batch_rows: Most rows of waiting requests that go to the model together.
        unknown_categories: What becomes of a category that training did not see.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=60)]
    folder: str
    host: str
    port: Annotated[int, Field(ge=1, le=65535)]
    workers: Annotated[int, Field(ge=1, le=64)]
    start_timeout: Positive
    request_timeout: Positive
    body_limit: Positive
    batch_rows: Annotated[int, Field(ge=1)]
    unknown_categories: Literal["refuse", "accept"]

    @abstractmethod
    def start(self, release: Release, token: str) -> Server:
        """Start a server on a release, and return without waiting until it answers.

        Args:
            release: What it serves.
            token: What its `/version` must tell as `instance`.

        Raises:
            DeployError: When it cannot be started.
        """

    @abstractmethod
    def is_alive(self, server: Server) -> bool:
        """Tell whether the server's process or container is there."""

    @abstractmethod
    def stop(self, server: Server) -> None:
        """Stop a server and free what it held; one that is gone already is fine."""

    @abstractmethod
    def log(self, server: Server) -> str:
        """Read what the server printed last."""

    @property
    def registered_name(self) -> str | None:
        """See `Deployer.registered_name`."""
        return self.name

    @property
    def ledger(self) -> Ledger:
        """The folder of the deployment."""
        return Ledger(Path(self.folder) / self.name)

    def problems(self) -> list[str]:
        """Refuse an address that somebody else has, or that the deployment cannot move to."""
        state = self.ledger.state()
        if state is not None and state.serves is not None:
            if (state.host, state.port) == (self.host, self.port):
                return []
            return [
                f"deployer.port={self.port}, but deployment {self.name} answers on {state.host}:{state.port}; leave "
                f"deployer.host and deployer.port as they were, or mlrunner stop {self.name} first."
            ]
        why = processes.is_taken(self.host, self.port)
        return [] if why is None else [f"deployer.port={self.port} cannot be listened on: {self._holder(why)}"]

    def _holder(self, why: str) -> str:
        for other in ledgers(Path(self.folder)):
            state = other.state()
            if state is not None and state.serves is not None and state.port == self.port:
                return f"deployment {other.name} answers there; choose another port, or mlrunner stop {other.name}."
        return f"{why}; choose another port."

    def deploy(self, candidate: Candidate, decision: Decision) -> Deployment | None:
        """See `Deployer.deploy`: register, start new, check it, switch, keep the old one."""
        from mlrunner.deployer import releases, switch

        ledger = self.ledger
        told = {"run_id": candidate.run_id, "reason": decision.reason}
        if not decision.deploy:
            ledger.note("refused", **told)
            return None
        began = time.monotonic()
        with ledger.lock():
            version = None
            try:
                releases.refuse_overtaken(self.name, candidate)
                release = releases.release(ledger, candidate, decision)
                version = release.version
                state = ledger.state()
                line = [number for number in ([] if state is None else state.line) if number != version]
                found = switch.switch(self, ledger, release, [*line, version])
            except MlrunnerError as error:
                ledger.note("failed", version=version, **{**told, "reason": str(error)})
                raise
            seconds = round(time.monotonic() - began, 2)
            ledger.note("deployed", version=version, **told, url=found.url, seconds=seconds)
        return found

    def stated(self) -> dict[str, Any]:
        """The settings that the state keeps."""
        settings = {"_target_": f"{type(self).__module__}.{type(self).__name__}", **asdict(self)}
        return {
            "host": self.host,
            "port": self.port,
            "timeout": self.request_timeout,
            "body_limit": self.body_limit,
            "settings": settings,
        }

    def first_state(self) -> State:
        """The state of a deployment that has not served yet."""
        return State(name=self.name, **self.stated())

    def arguments(self) -> list[str]:
        """Write the settings that concern the server itself as arguments of `python -m mlrunner.serving`."""
        return [
            *("--workers", str(self.workers)),
            *("--timeout", str(self.request_timeout)),
            *("--body-limit", str(self.body_limit)),
            *("--batch-rows", str(self.batch_rows)),
            *("--unknown-categories", self.unknown_categories),
        ]

"""What a deployment says of itself, asked anew after every click: a switch to another version is seen at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mlrunner.deployer.ledger import Ledger
from mlrunner.playground import words
from mlrunner.playground.fields import Field, examples, fields
from mlrunner.playground.service import RefusedError, Service


@dataclass(frozen=True)
class Served:
    """A deployment, as it was when it was asked.

    Args:
        service: That was asked.
        since: When the version began to serve, in seconds since 1970.
        facts: Version, model, target, metrics, gate.
        form: A field for each column of the model.
        rows: Of the input example.
    """

    service: Service
    since: float
    facts: dict[str, Any]
    form: list[Field]
    rows: list[dict[str, Any]]

    @property
    def version(self) -> str:
        """Of the model."""
        return str(self.facts.get("version"))


def ask(ledger: Ledger) -> Served:
    """Ask a deployment what it is.

    Raises:
        AskError: With one sentence, when it does not serve or does not answer.
    """
    state = ledger.state()
    if state is None or state.serves is None:
        raise RefusedError(words.stopped(ledger.name))
    service = Service(ledger.name, state.url)
    schema = service.schema()
    return Served(service, state.since, service.facts(), fields(schema), examples(schema))

"""Read the status of a deployment without ZenML and MLflow."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from mlrunner.core import loopback
from mlrunner.groups.deployer import gateway_process
from mlrunner.groups.deployer.release import Release
from mlrunner.groups.deployer.state import DeploymentStore, State
from mlrunner.serving import identity

SERVING, DOWN, STOPPED = "serving", "down", "stopped"


@dataclass(frozen=True)
class Status:
    """The status of a deployment.

    Args:
        name: Name of the deployment.
        health: One of `serving`, `down` (needs a restart), `stopped` and `registered` (registry only).
        version: Version that serves, or that served last; None before the first.
        url: Stable address; None without a server.
        since: Time when the version began to serve, ISO 8601 in UTC.
        ready: Version that is kept ready for a rollback.
        facts: Facts of the version: run, model, metrics, gate.
        requests: Number of answers of the gateway so far, by HTTP status.
        problem: Sentence about the fault; None without one.
    """

    name: str
    health: str
    version: int | None
    url: str | None = None
    since: str | None = None
    ready: int | None = None
    facts: dict[str, Any] | None = None
    requests: dict[str, int] | None = None
    problem: str | None = None


def read_status(store: DeploymentStore) -> Status:
    """Read the status of a deployment, within milliseconds."""
    state = store.read_state()
    if state is None:  # registry only, or only refusals so far
        versions = [event["version"] for event in store.read_history() if event.get("event") == "registered"]
        return Status(store.name, "registered" if versions else STOPPED, versions[-1] if versions else None)
    version = state.versions[-1] if state.versions else None
    if state.active is None or version is None:
        return Status(store.name, STOPPED, version)
    problem = _find_problem(store, state)
    return Status(
        store.name,
        SERVING if problem is None else DOWN,
        version,
        state.url,
        datetime.fromtimestamp(state.since, UTC).isoformat(timespec="seconds"),
        None if state.ready is None else state.ready.version,
        _read_facts(store.get_release(version)),
        _count_requests(state),
        problem,
    )


def _read_facts(release: Release) -> dict[str, Any] | None:
    try:
        return release.facts
    except OSError:  # deleted by hand; the running server does not need the files
        return None


def _find_problem(store: DeploymentStore, state: State) -> str | None:
    remedy = f"restart it with mlrunner deploy --restart {state.name}"
    if gateway_process.find_pid(store) is None:
        return f"the gateway does not run; {remedy}"
    if state.active is None or identity.is_own(state.url, state.active.token, timeout=5.0):
        return None
    if not gateway_process.is_responsive(state.url):
        return f"the gateway does not answer; it is being replaced, or {remedy}"
    code, answer = loopback.request_json(f"{state.url}/ping", timeout=5.0)
    if code == HTTPStatus.OK:
        return f"another process answers on {state.url}; {remedy}"
    return f"version {state.versions[-1]} does not answer ({code or answer}); the gateway restarts it, or {remedy}"


def _count_requests(state: State) -> dict[str, int]:
    """Read the counters of the gateway."""
    from prometheus_client.parser import text_string_to_metric_families

    counts: Counter[str] = Counter()
    try:
        text = loopback.request(f"{state.url}/metrics").body.decode()
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if sample.name == "mlrunner_gateway_requests_total":
                    counts[sample.labels["code"]] += int(sample.value)
    except (OSError, ValueError, LookupError):  # no gateway answers, or another process does
        return {}
    return dict(counts)

"""What is done to a deployment after it was made: tell how it is, mend it, roll it back, stop it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from mlrunner.core import loopback
from mlrunner.core.build import build
from mlrunner.core.errors import DeployError
from mlrunner.groups.deployer import Deployment
from mlrunner.groups.deployer.base_serving import ServedDeployer
from mlrunner.groups.deployer.release import Release
from mlrunner.groups.deployer.state import Ledger, State

SERVING, DOWN, STOPPED = "serving", "down", "stopped"


@dataclass(frozen=True)
class Status:
    """How a deployment is.

    Args:
        name: Of the deployment.
        health: `serving`, `down` (somebody is to mend it) or `stopped`.
        version: That serves, or that served last; None before the first.
        url: The stable address; None without a server.
        since: When the version began to serve, ISO in UTC.
        ready: The version that is kept ready for a rollback.
        facts: Of the version: run, model, metrics, gate.
        requests: Answers of the gateway so far, by HTTP status.
        problem: What is wrong; None when nothing is.
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


def status(ledger: Ledger) -> Status:
    """Ask a deployment how it is; takes milliseconds, and needs neither ZenML nor MLflow."""
    state = ledger.state()
    if state is None:  # a registry alone, or only refusals so far
        known = [line["version"] for line in ledger.history() if line.get("event") == "registered"]
        return Status(ledger.name, "registered" if known else STOPPED, known[-1] if known else None)
    version = state.line[-1] if state.line else None
    if state.serves is None or version is None:
        return Status(ledger.name, STOPPED, version)
    problem = _problem(ledger, state)
    return Status(
        ledger.name,
        SERVING if problem is None else DOWN,
        version,
        state.url,
        datetime.fromtimestamp(state.since, UTC).isoformat(timespec="seconds"),
        None if state.ready is None else state.ready.version,
        _facts(ledger.release(version)),
        _requests(state),
        problem,
    )


def _facts(release: Release) -> dict[str, Any] | None:
    try:
        return release.facts
    except OSError:  # removed by hand; what serves goes on
        return None


def _problem(ledger: Ledger, state: State) -> str | None:
    from mlrunner.groups.deployer import gateway_process

    mend = f"mend it with mlrunner deploy --restart {state.name}"
    if gateway_process.pid_of(ledger) is None:
        return f"the gateway does not run; {mend}"
    code, told = loopback.request_json(f"{state.url}/version", timeout=5.0)
    if code != 200 or not isinstance(told, dict):
        return f"version {state.line[-1]} does not answer ({code or told}); the gateway restarts it, or {mend}"
    if state.serves is not None and told.get("instance") != state.serves.token:
        return f"somebody else answers on {state.url}; {mend}"
    return None


def _requests(state: State) -> dict[str, int]:
    """Read the gateway's counters."""
    from prometheus_client.parser import text_string_to_metric_families

    found: Counter[str] = Counter()
    try:
        text = loopback.request(f"{state.url}/metrics").body.decode()
    except OSError:
        return {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == "mlrunner_gateway_requests_total":
                found[sample.labels["code"]] += int(sample.value)
    return dict(found)


def _deployer(state: State) -> ServedDeployer:
    built: ServedDeployer = build(state.settings, "deployer", ServedDeployer)
    return built


def _served(ledger: Ledger) -> State:
    state = ledger.state()
    if state is None or not state.line:
        raise DeployError(
            f"Deployment {ledger.name} has not served anything yet; deploy a run with mlrunner deploy RUN."
        )
    return state


def restart(ledger: Ledger) -> Deployment:
    """Bring a deployment back: its server where that is gone, its gateway where that is gone; also a stopped one.

    Raises:
        DeployError: When there was nothing, or it does not start.
    """
    from mlrunner.groups.deployer import rollout

    with ledger.lock():
        state = _served(ledger)
        release = ledger.release(state.line[-1])
        _refuse_absent(release)
        deployer = _deployer(state)
        if state.serves is None:
            _refuse_taken(deployer)
        found = rollout.switch(deployer, ledger, release, state.line)
        ledger.note("restarted", version=release.version, run_id=_run(release))
    return found


def rollback(ledger: Ledger, steps: int = 1) -> Deployment:
    """Let the version serve that served before, or one further back.

    Args:
        ledger: Of the deployment.
        steps: How far back; at least 1.

    Raises:
        DeployError: When it did not serve so many versions, or the old one does not start.
    """
    from mlrunner.groups.deployer import rollout

    with ledger.lock():
        state = _served(ledger)
        if not 1 <= steps < len(state.line):
            told = ", ".join(map(str, state.line))
            raise DeployError(f"Deployment {ledger.name} cannot go back by {steps}: the versions in line are {told}.")
        line = state.line[:-steps]
        release = ledger.release(line[-1])
        _refuse_absent(release)
        found = rollout.switch(_deployer(state), ledger, release, line)
        ledger.note("rolled back", version=release.version, run_id=_run(release), reason=f"from {state.line[-1]}")
    return found


def _refuse_absent(release: Release) -> None:
    if not release.model.exists():
        raise DeployError(f"The files of version {release.version} are gone ({release.folder}); deploy its run again.")


def _refuse_taken(deployer: ServedDeployer) -> None:
    problems = deployer.problems()
    if problems:
        raise DeployError(problems[0])


def _run(release: Release) -> str:
    return str(release.facts.get("run_id"))


def stop(ledger: Ledger) -> bool:
    """End the gateway and all servers, and free the port; the registry and the history stay.

    Returns:
        Whether there was anything to stop.
    """
    from mlrunner.groups.deployer import gateway_process

    with ledger.lock():
        state = ledger.state()
        gateway_process.end(ledger)
        if state is None or not state.servers:
            return False
        deployer = _deployer(state)
        for server in state.servers:
            deployer.stop(server)
        ledger.write(replace(state, serves=None, ready=None))
        ledger.note("stopped", version=state.line[-1])
    return True

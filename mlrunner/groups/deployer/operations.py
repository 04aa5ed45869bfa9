"""Change an existing deployment: restart, rollback, stop."""

from __future__ import annotations

from dataclasses import replace

from mlrunner.core.build import build
from mlrunner.core.errors import DeployError
from mlrunner.groups.deployer import Deployment
from mlrunner.groups.deployer.base_serving import EndpointDeployer
from mlrunner.groups.deployer.release import Release
from mlrunner.groups.deployer.state import DeploymentStore, State


def _require_state(store: DeploymentStore) -> State:
    state = store.read_state()
    if state is None or not state.versions:
        raise DeployError(f"Deployment {store.name} has not served yet; deploy a run with mlrunner deploy RUN.")
    return state


def restart(store: DeploymentStore) -> Deployment:
    """Start the server and the gateway of a deployment again where they do not run.

    Raises:
        DeployError: When nothing has served yet, or the server does not start.
    """
    from mlrunner.groups.deployer import recovery, rollout

    with store.lock():
        recovery.recover(store)
        state = _require_state(store)
        release = store.get_release(state.versions[-1])
        _require_files(release)
        deployer = build(state.settings, "deployer", EndpointDeployer)
        if state.active is None:
            _require_free_address(deployer)
        deployment = rollout.roll_out(deployer, store, release, state.versions)
        store.log_event("restarted", version=release.version, run_id=_get_run_id(release))
    return deployment


def rollback(store: DeploymentStore, steps: int = 1) -> Deployment:
    """Serve an earlier version again.

    Args:
        store: Folder of the deployment.
        steps: Number of versions to go back, at least 1.

    Raises:
        DeployError: When fewer versions have served, the run of the earlier one is invalid, or it does not start.
    """
    from mlrunner.groups.deployer import recovery, rollout

    with store.lock():
        recovery.recover(store)
        state = _require_state(store)
        if not 1 <= steps < len(state.versions):
            raise DeployError(_explain_rollback(store.name, steps, state.versions))
        versions = state.versions[:-steps]
        release = store.get_release(versions[-1])
        _require_files(release)
        _refuse_invalid(release)
        deployment = rollout.roll_out(build(state.settings, "deployer", EndpointDeployer), store, release, versions)
        reason = f"from {state.versions[-1]}"
        store.log_event("rolled back", version=release.version, run_id=_get_run_id(release), reason=reason)
    return deployment


def _explain_rollback(name: str, steps: int, versions: list[int]) -> str:
    count = "1 version" if steps == 1 else f"{steps} versions"
    available = ", ".join(map(str, versions))
    return f"Deployment {name} cannot roll back {count}; available: {available}."


def _require_files(release: Release) -> None:
    if not release.model.exists():
        raise DeployError(
            f"The files of version {release.version} were deleted ({release.folder}); deploy its run again."
        )


def _refuse_invalid(release: Release) -> None:
    from mlrunner.tracking import invalid_runs

    run_id = _get_run_id(release)
    reason = invalid_runs.read_invalid(run_id)
    if reason is not None:
        raise DeployError(
            f"Version {release.version} of {release.name} is of run {run_id[:8]}, which is invalid ({reason}); roll "
            f"back to another version, deploy another run, or undo that with mlrunner tag {run_id[:8]} invalid=."
        )


def _require_free_address(deployer: EndpointDeployer) -> None:
    problems = deployer.problems()
    if problems:
        raise DeployError(problems[0])


def _get_run_id(release: Release) -> str:
    return str(release.facts.get("run_id"))


def stop(store: DeploymentStore) -> bool:
    """Stop the gateway and all servers, and free the port; the registry and the history stay.

    Returns:
        Whether a server was running.
    """
    from mlrunner.groups.deployer import gateway_process, recovery

    with store.lock():
        recovery.recover(store)
        state = store.read_state()
        gateway_process.stop(store)
        if state is None or not state.servers:
            return False
        deployer = build(state.settings, "deployer", EndpointDeployer)
        for server in state.servers:
            deployer.stop(server)
        store.write_state(replace(state, active=None, ready=None))
        store.log_event("stopped", version=state.versions[-1])
    return True

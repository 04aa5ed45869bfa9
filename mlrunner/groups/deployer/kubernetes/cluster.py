"""Apply manifests to the cluster of a context with `kubectl`, and wait for the rollout."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from mlrunner.core.errors import DeployError, brief, nearest

KUBECTL = "kubectl"
MANAGER = "mlrunner"  # owns the fields that it applies
SECONDS = 60.0  # for a command that does not wait for pods
GRACE = 30.0  # seconds beyond the deadline that the cluster itself watches


def problems(context: str | None) -> list[str]:
    """Refuse a context that cannot be used: without `kubectl`, or not in the kubeconfig."""
    if context is None:
        return []
    if shutil.which(KUBECTL) is None:
        return [_missing(context)]
    known = kubectl("config", "get-contexts", "-o", "name").split()
    if context in known:
        return []
    there = f"the kubeconfig has {brief(known)}" if known else "there is no kubeconfig, or it is empty"
    return [f"deployer.context={context}, but {there}; null only writes the manifests.{nearest(context, known)}"]


def _missing(context: str) -> str:
    return (
        f"deployer.context={context} needs kubectl, which is not installed (Debian's package is kubernetes-client); "
        "install it, or leave deployer.context=null to write the manifests only."
    )


def commands(file: Path, name: str, namespace: str) -> list[str]:
    """Write the command lines that apply a file of manifests and wait for its pods."""
    return [
        f"kubectl apply --server-side -f {file}",
        f"kubectl --namespace {namespace} rollout status deployment/{name}",
    ]


def roll_out(context: str, file: Path, name: str, namespace: str, deadline: float) -> None:
    """Apply manifests and wait; when the pods do not become ready, go back to the pods of before.

    Args:
        context: Name of a context of the kubeconfig.
        file: The manifests.
        name: Name of the Deployment.
        namespace: Namespace of the Deployment.
        deadline: Seconds until the cluster itself gives up.

    Raises:
        DeployError: When the cluster refuses them, or the pods do not become ready.
    """
    owner = ("--server-side", "--force-conflicts", f"--field-manager={MANAGER}")
    # The manifests were validated when they were written; kubectl would download a schema of megabytes.
    kubectl("apply", *owner, "--validate=false", "-f", str(file), context=context)
    within = ("--namespace", namespace, "rollout")
    target, wait = f"deployment/{name}", deadline + GRACE
    try:
        kubectl(*within, "status", target, f"--timeout={wait:.0f}s", context=context, seconds=wait + SECONDS)
    except DeployError as error:
        note = _undo(context, *within, "undo", target)
        raise DeployError(
            f"The pods of {name} are not ready after {deadline:.0f} s; {note} ({error}) "
            f"See kubectl -n {namespace} describe pods -l app.kubernetes.io/instance={name}."
        ) from error


def _undo(context: str, *arguments: str) -> str:
    try:
        kubectl(*arguments, context=context)
    except DeployError:  # a first deployment has nothing to go back to
        return "there is no earlier version to go back to."
    return "the earlier version serves again."


def kubectl(*arguments: str, context: str | None = None, seconds: float = SECONDS) -> str:
    """Run `kubectl`.

    Args:
        *arguments: Its command line.
        context: Name of a context of the kubeconfig; None for commands that talk to no cluster.
        seconds: Time that it may take.

    Returns:
        What it prints.

    Raises:
        DeployError: With its own message when it fails.
    """
    command = [KUBECTL, *([] if context is None else ["--context", context]), *arguments]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=seconds, check=False
        )
    except FileNotFoundError as error:
        raise DeployError(_missing(str(context))) from error
    except subprocess.TimeoutExpired as error:
        raise DeployError(f"kubectl has not ended after {seconds:.0f} s; is the cluster reachable?") from error
    if done.returncode != 0:
        raise DeployError(_refusal(done.stderr, context))
    return done.stdout


def _refusal(text: str, context: str | None) -> str:
    """Say what kubectl or the cluster refused, and what to do about a missing namespace."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith("error")]  # the first one is the cause
    reason = [*errors, *lines[-1:], "it ended without a message"][0].removeprefix("error: ").rstrip(".")
    mend = "; create it with `kubectl create namespace`" if "namespaces" in reason and "not found" in reason else ""
    where = "" if context is None else f" for context {context}"
    return f"kubectl says{where}: {reason[:400]}{mend}."

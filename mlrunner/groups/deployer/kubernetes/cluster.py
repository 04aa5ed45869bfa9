"""Apply manifests to a cluster with `kubectl`, and wait for the rollout."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from mlrunner.core.errors import DeployError, brief, nearest

KUBECTL = "kubectl"
FIELD_MANAGER = "mlrunner"  # field manager of server-side apply
COMMAND_TIMEOUT = 60.0  # limit for a command that does not wait for pods
ROLLOUT_GRACE = 30.0  # seconds beyond the cluster's own deadline


def find_problems(context: str | None) -> list[str]:
    """List why a context cannot be used: `kubectl` is missing, or the kubeconfig does not have it.

    Args:
        context: Name of a context; None writes manifests only, which needs neither.
    """
    if context is None:
        return []
    if shutil.which(KUBECTL) is None:
        return [_explain_missing_kubectl(context)]
    known = run_kubectl("config", "get-contexts", "-o", "name").split()
    if context in known:
        return []
    contexts = f"the kubeconfig has {brief(known)}" if known else "there is no kubeconfig, or it is empty"
    return [f"deployer.context={context}, but {contexts}; null only writes the manifests.{nearest(context, known)}"]


def _explain_missing_kubectl(context: str) -> str:
    return (
        f"deployer.context={context} needs kubectl, which is not installed (Debian's package is kubernetes-client); "
        "install it, or leave deployer.context=null to write the manifests only."
    )


def list_commands(file: Path, name: str, namespace: str) -> list[str]:
    """List the command lines that apply a file of manifests and wait for its pods."""
    return [
        f"kubectl apply --server-side -f {file}",
        f"kubectl --namespace {namespace} rollout status deployment/{name}",
    ]


def roll_out(context: str, file: Path, name: str, namespace: str, deadline: float) -> None:
    """Apply manifests and wait for the pods; when they do not become ready, undo the rollout.

    Args:
        context: Name of a context of the kubeconfig.
        file: File of the manifests.
        name: Name of the Deployment.
        namespace: Namespace of the Deployment.
        deadline: Seconds until the cluster gives up.

    Raises:
        DeployError: When the cluster refuses the manifests, or the pods do not become ready.
    """
    owner = ("--server-side", "--force-conflicts", f"--field-manager={FIELD_MANAGER}")
    # The manifests were validated when they were written; kubectl would download a schema of megabytes.
    run_kubectl("apply", *owner, "--validate=false", "-f", str(file), context=context)
    rollout = ("--namespace", namespace, "rollout")
    target, wait = f"deployment/{name}", deadline + ROLLOUT_GRACE
    try:
        run_kubectl(
            *rollout, "status", target, f"--timeout={wait:.0f}s", context=context, seconds=wait + COMMAND_TIMEOUT
        )
    except DeployError as error:
        note = _undo(context, *rollout, "undo", target)
        raise DeployError(
            f"The pods of {name} are not ready after {deadline:.0f} s; {note} ({error}) "
            f"See kubectl -n {namespace} describe pods -l app.kubernetes.io/instance={name}."
        ) from error


def _undo(context: str, *arguments: str) -> str:
    try:
        run_kubectl(*arguments, context=context)
    except DeployError:  # a first deployment has no earlier revision
        return "there is no earlier version to roll back to."
    return "the earlier version serves again."


def run_kubectl(*arguments: str, context: str | None = None, seconds: float = COMMAND_TIMEOUT) -> str:
    """Run `kubectl`.

    Args:
        *arguments: Arguments of the command.
        context: Name of a context of the kubeconfig; None for commands that talk to no cluster.
        seconds: Limit for the command.

    Returns:
        Standard output.

    Raises:
        DeployError: With the message of `kubectl` when it fails or takes too long.
    """
    command = [KUBECTL, *([] if context is None else ["--context", context]), *arguments]
    try:
        result = subprocess.run(
            command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=seconds, check=False
        )
    except FileNotFoundError as error:
        raise DeployError(_explain_missing_kubectl(str(context))) from error
    except subprocess.TimeoutExpired as error:
        raise DeployError(f"kubectl has not ended after {seconds:.0f} s; is the cluster reachable?") from error
    if result.returncode != 0:
        raise DeployError(_explain_failure(result.stderr, context))
    return result.stdout


def _explain_failure(text: str, context: str | None) -> str:
    """Explain an error of kubectl or the cluster in one sentence."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith("error")]  # the first one is the cause
    reason = [*errors, *lines[-1:], "it ended without a message"][0].removeprefix("error: ").rstrip(".")
    remedy = "; create it with `kubectl create namespace`" if "namespaces" in reason and "not found" in reason else ""
    place = "" if context is None else f" for context {context}"
    return f"kubectl says{place}: {reason[:400]}{remedy}."

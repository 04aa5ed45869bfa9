"""Validate manifests against the schema of Kubernetes."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

from mlrunner.core.errors import DeployError
from mlrunner.groups.deployer.kubernetes.manifests import Manifest


def validate(manifests: Sequence[Manifest]) -> None:
    """Validate manifests strictly against the newest schema of Kubernetes in `kubernetes_validate`.

    Raises:
        DeployError: With the path of the faulty value and the fault.
    """
    kubernetes_validate = import_module("kubernetes_validate")
    version = kubernetes_validate.latest_version()
    for manifest in manifests:
        title = f"{manifest.get('kind', 'Object')} {manifest.get('metadata', {}).get('name', '')}".strip()
        try:
            kubernetes_validate.validate(manifest, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            path = ".".join(str(part) for part in error.absolute_path) or "top level"
            raise DeployError(f"{title} is not valid for Kubernetes {version}: {path}: {error.message}.") from error
        except (kubernetes_validate.SchemaNotFoundError, KeyError) as error:
            raise DeployError(f"{title} is of a kind that Kubernetes {version} does not have.") from error

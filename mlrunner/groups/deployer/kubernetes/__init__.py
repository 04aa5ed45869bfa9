"""Config option `deployer=kubernetes`: manifests for a cluster; with a context, push the image and apply them."""

from __future__ import annotations

import importlib.util
import logging
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from mlrunner.core.build import dataclass
from mlrunner.core.containers import base_image
from mlrunner.core.containers.base_image import Base
from mlrunner.core.containers.engine import open_client, push_image
from mlrunner.core.errors import DeployError
from mlrunner.groups.deployer import Candidate, Deployment
from mlrunner.groups.deployer.base_registered import ModelServerDeployer
from mlrunner.groups.deployer.docker import image
from mlrunner.groups.deployer.kubernetes import cluster, manifests, schema
from mlrunner.groups.deployer.release import Release
from mlrunner.groups.deployer.resource_names import format_label
from mlrunner.groups.gate import Decision

log = logging.getLogger(__name__)

VALIDATOR = "kubernetes_validate"
ANNOTATED_FACTS = ("model_uri", "run_id", "gate")
Quantity = Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)?([KMGT]i|[kMGT])$")]
Label = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=63)]


@dataclass
class KubernetesDeployer(ModelServerDeployer):
    """Writes the manifests of a Deployment and its Service to `kubernetes/`; with a context, applies them.

    Args:
        context: Context of the kubeconfig; null writes the manifests only.
        namespace: Existing namespace of the cluster.
        base: Base image, with the Python version that runs here; null takes `python:X.Y-slim`.
        image: Repository of the built images, whose tags are the versions.
        push: Whether the image is pushed to that repository.
        pull_secret: Secret with the credentials to pull the image; null for a public registry.
        replicas: Number of pods.
        port: Port of the Service.
        memory: Memory limit of a pod such as `1Gi`; null sets no limit.
        cpus: Number of processors that a pod may use; null sets no limit.
    """

    context: str | None
    namespace: Label
    base: str | None
    image: Annotated[str, Field(min_length=1)]
    push: bool
    pull_secret: str | None
    replicas: Annotated[int, Field(ge=1)]
    port: Annotated[int, Field(ge=1, le=65535)]
    memory: Quantity | None
    cpus: Annotated[float, Field(ge=0.001)] | None

    @property
    def serving_alias(self) -> str:
        """See `RegisteredDeployer.serving_alias`; who applies the manifests is not known, so the newest one counts."""
        return "challenger" if self.context is None else "champion"

    @property
    def base_name(self) -> str:
        """Base image to build on."""
        return self.base or base_image.name_slim_image()

    def problems(self) -> list[str]:
        """See `Deployer.problems`."""
        if importlib.util.find_spec(VALIDATOR) is None:
            return [f"deployer=kubernetes needs {VALIDATOR}; install it with pip install 'mlrunner[kubernetes]'."]
        return [*cluster.find_problems(self.context), *self._push_problems(), *self._engine_problems()]

    def _push_problems(self) -> list[str]:
        if not self.push or "/" in self.image:
            return []
        return [
            f"deployer.push=true, but deployer.image={self.image} names no registry, like registry.example.org/team/x."
        ]

    def _engine_problems(self) -> list[str]:
        if not self._must_build:
            return []
        try:
            with open_client() as client:
                return base_image.find_problems(client, Base(self.base_name))
        except DeployError as error:
            return [str(error)]

    @property
    def _must_build(self) -> bool:
        """Whether the image must exist: it is pushed, or the cluster starts pods of it."""
        return self.push or self.context is not None

    def deploy_locked(self, candidate: Candidate, decision: Decision) -> Deployment:
        """See `RegisteredDeployer.deploy_locked`; the alias moves only when the cluster serves."""
        from mlrunner.groups.deployer import packaging
        from mlrunner.tracking import model_registry

        release = packaging.create_release(self.store, candidate, decision)
        file = self.release_to_cluster(release)
        if self.context is None:
            lines = cluster.list_commands(file, format_label(self.name), self.namespace)
            where = "\n  ".join(["as manifests; apply them with", *lines])
            return Deployment(self.name, release.version, None, where)
        model_registry.set_alias(self.name, model_registry.CHAMPION, release.version)
        return Deployment(self.name, release.version, None, f"on {self.context}, namespace {self.namespace}")

    def release_to_cluster(self, release: Release) -> Path:
        """Build the image, write the manifests and, with a context, apply them and wait for the rollout.

        Returns:
            File of the manifests.

        Raises:
            DeployError: When the image, the manifests or the rollout fail; the earlier pods still serve.
        """
        image_name, note = self._prepare_image(release)
        rendered = manifests.render(self._workload(release, image_name))
        schema.validate(rendered)
        file = self._file(release.version)
        file.parent.mkdir(parents=True, exist_ok=True)
        commands = cluster.list_commands(Path(file.name), format_label(self.name), self.namespace)
        head = "".join(f"# {line}\n" for line in [f"{self.name}, version {release.version}:", *commands])
        file.write_text(head + note + manifests.to_yaml(rendered))
        if self.context is not None:
            deadline = rendered[0]["spec"]["progressDeadlineSeconds"]
            cluster.roll_out(self.context, file, format_label(self.name), self.namespace, deadline)
        return file

    def _file(self, version: int | str) -> Path:
        return Path(self.folder) / self.name / "kubernetes" / f"{version}.yaml"

    def _prepare_image(self, release: Release) -> tuple[str, str]:
        """Build and push the image; without a context, a failure becomes a comment in the manifests.

        Returns:
            Name of the image, and the comment.
        """
        try:
            with open_client() as client:
                tag = image.ensure_image(client, release, self.base_name, self.image)
                return (push_image(client, tag) if self.push else tag), ""
        except DeployError as error:
            if self._must_build:
                raise
            tag = image.build_tag(release, self.image)
            image.write_build_folder(release, self.base_name, self.image)
            log.warning("the image %s is not built: %s", tag, error)
            return tag, f"# The image is not built: {error} Build it with docker build --tag {tag} {release.folder}\n"

    def _workload(self, release: Release, image_name: str) -> manifests.Workload:
        facts = {name: str(value) for name, value in release.facts.items() if name in ANNOTATED_FACTS}
        own: dict[str, Any] = {
            "image": image_name,
            "version": release.version,
            "arguments": self.arguments(),
            "facts": facts,
        }
        settings = {name: getattr(self, name) for name in manifests.Workload.__annotations__ if name not in own}
        return manifests.Workload(**settings, **own)

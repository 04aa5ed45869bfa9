"""Config option `deployer=kubernetes`: manifests for a cluster; on request push the image and apply them."""

from __future__ import annotations

import importlib.util
import logging
from pathlib import Path
from typing import Annotated

from pydantic import Field

from mlrunner.core.build import dataclass
from mlrunner.core.errors import DeployError
from mlrunner.groups.deployer import Candidate, Deployment
from mlrunner.groups.deployer.base_registered import ServingDeployer
from mlrunner.groups.deployer.docker import base_image as bases
from mlrunner.groups.deployer.docker import image
from mlrunner.groups.deployer.docker.engine import engine, push
from mlrunner.groups.deployer.docker.requirements import here
from mlrunner.groups.deployer.kubernetes import cluster, manifests
from mlrunner.groups.deployer.release import Release
from mlrunner.groups.deployer.resource_names import label
from mlrunner.groups.gate import Decision

log = logging.getLogger(__name__)

NEEDED = "kubernetes_validate"
SHOWN = ("model_uri", "run_id", "gate")
Quantity = Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)?([KMGT]i|[kMGT])$")]
Label = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=63)]


@dataclass
class KubernetesDeployer(ServingDeployer):
    """Renders, and with a context applies, a Deployment with its Service; the manifests land in `kubernetes/`.

    Args:
        context: Of the kubeconfig; null renders only.
        namespace: Of the cluster; it must be there.
        base: The image to build on, with the Python that runs here; null takes `python:X.Y-slim`.
        image: The repository of the built images; their tags are the versions.
        push: Whether the image is pushed there.
        pull_secret: The secret by which the cluster pulls from it; null where it is open.
        replicas: Pods.
        port: Of the service.
        memory: What a pod may use, like 1Gi; null sets no limit.
        cpus: How many processors it may use; null sets no limit.
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
    def base_image(self) -> str:
        """The image to build on."""
        return self.base or f"python:{here().minor}-slim"

    def problems(self) -> list[str]:
        """See `Deployer.problems`."""
        if importlib.util.find_spec(NEEDED) is None:
            return [f"deployer=kubernetes needs {NEEDED}; install it with pip install 'mlrunner[kubernetes]'."]
        return [*cluster.problems(self.context), *self._push_problems(), *self._engine_problems()]

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
            with engine() as client:
                return bases.problems(client, self.base_image)
        except DeployError as error:
            return [str(error)]

    @property
    def _must_build(self) -> bool:
        """Whether manifests without their image are worth nothing."""
        return self.push or self.context is not None

    def put(self, candidate: Candidate, decision: Decision) -> Deployment:
        """See `RegisteredDeployer.put`; the alias moves when the cluster serves, and not for manifests alone."""
        from mlrunner.groups.deployer import packaging
        from mlrunner.tracking import model_registry

        release = packaging.release(self.ledger, candidate, decision)
        file = self.release_to_cluster(release)
        if self.context is None:
            lines = cluster.commands(file, label(self.name), self.namespace)
            where = "\n  ".join(["as manifests; apply them with", *lines])
            return Deployment(self.name, release.version, None, where)
        model_registry.set_alias(self.name, model_registry.CHAMPION, release.version)
        return Deployment(self.name, release.version, None, f"on {self.context}, namespace {self.namespace}")

    def release_to_cluster(self, release: Release) -> Path:
        """Build the image, write the manifests and, with a context, apply them and wait for the rollout.

        Args:
            release: To be served.

        Returns:
            The file of manifests.

        Raises:
            DeployError: When something is refused; the pods that served before still do.
        """
        named, note = self._image(release)
        rendered = manifests.render(self._workload(release, named))
        manifests.validate(rendered)
        file = self._file(release.version)
        file.parent.mkdir(parents=True, exist_ok=True)
        lines = cluster.commands(Path(file.name), label(self.name), self.namespace)
        head = "".join(f"# {line}\n" for line in [f"{self.name}, version {release.version}:", *lines])
        file.write_text(head + note + manifests.text(rendered))
        if self.context is not None:
            deadline = rendered[0]["spec"]["progressDeadlineSeconds"]
            cluster.roll_out(self.context, file, label(self.name), self.namespace, deadline)
        return file

    def _file(self, version: int | str) -> Path:
        return Path(self.folder) / self.name / "kubernetes" / f"{version}.yaml"

    def _image(self, release: Release) -> tuple[str, str]:
        """Build the image and push it; what is only rendered may do without.

        Returns:
            Its name, and a comment for the manifests.
        """
        try:
            with engine() as client:
                tag = image.ensure(client, release, self.base_image, self.image)
                return (push(client, tag) if self.push else tag), ""
        except DeployError as error:
            if self._must_build:
                raise
            tag = image.tag_of(release, self.image)
            image.write(release, self.base_image, self.image)
            log.warning("the image %s is not built: %s", tag, error)
            return tag, f"# The image is not built: {error} Build it with docker build --tag {tag} {release.folder}\n"

    def _workload(self, release: Release, named: str) -> manifests.Workload:
        facts = {name: str(value) for name, value in release.facts.items() if name in SHOWN}
        return manifests.Workload(
            name=self.name,
            namespace=self.namespace,
            image=named,
            version=release.version,
            arguments=self.arguments(),
            replicas=self.replicas,
            port=self.port,
            memory=self.memory,
            cpus=self.cpus,
            start_timeout=self.start_timeout,
            request_timeout=self.request_timeout,
            pull_secret=self.pull_secret,
            facts=facts,
        )

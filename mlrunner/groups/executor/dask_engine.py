"""The cluster of `executor=dask`: connect to one that runs, or start one."""

from __future__ import annotations

import importlib
import logging
import os
import re
import socket
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field

from mlrunner.core.build import dataclass
from mlrunner.core.errors import ConfigError, first_line
from mlrunner.core.process import signals_ignored
from mlrunner.groups.executor import Engine

if TYPE_CHECKING:
    from distributed import Client

QUEUES = {"slurm": "SLURMCluster", "pbs": "PBSCluster", "lsf": "LSFCluster", "sge": "SGECluster"}
CONNECT_SECONDS = 10
SILENT = logging.CRITICAL + 1  # its scheduler reports each client that leaves as critical
# Without `allowed-failures`, Dask itself would run a trial again; a worker that is silent for `worker-ttl` is lost.
SCHEDULER_SETTINGS = {"distributed.scheduler.allowed-failures": 0, "distributed.scheduler.worker-ttl": "60s"}


def _knock(address: str, patience: float) -> None:
    """Wait for the first byte of a scheduler that accepts connections: a client waits for ever if it is frozen."""
    place = urlsplit(address)
    if place.scheme != "tcp" or place.port is None:  # with TLS a client speaks first
        return
    try:
        connection = socket.create_connection((place.hostname, place.port), patience)
    except OSError:
        return  # which a client tries again
    with connection, suppress(ConnectionError):
        connection.recv(1)


@dataclass
class DaskEngine(Engine):
    """Workers of a Dask cluster.

    Args:
        address: Scheduler of a cluster that runs; None starts one.
        cluster: Kind of the cluster to start.
        workers: Trials at the same time; None is that of the sweep.
        threads: CPU threads of a trial; None are those of its worker.
        memory: Memory of a worker.
        queue: Queue of a job queue.
        walltime: Time limit of a job.
        options: Further arguments of the class of the cluster.
        table_limit: Largest table that is sent to a worker, in megabytes.
    """

    address: str | None = None
    cluster: Literal["local", "slurm", "pbs", "lsf", "sge", "kubernetes"] = "local"
    workers: Annotated[int, Field(gt=0)] | None = None
    threads: Annotated[int, Field(gt=0)] | None = None
    memory: str | None = None
    queue: str | None = None
    walltime: str | None = None
    options: dict[str, Any] = Field(default_factory=dict)
    table_limit: float = Field(default=512, gt=0)

    @property
    def package(self) -> str:
        """Package that the cluster needs."""
        if self.address is None and self.cluster in QUEUES:
            return "dask_jobqueue"
        return "dask_kubernetes" if self.address is None and self.cluster == "kubernetes" else "distributed"

    def problems(self) -> list[str]:
        """Return one sentence for each setting that is not possible."""
        sentences = []
        if find_spec(self.package) is None:
            extra = self.package.replace("_", "-") if self.package == "dask_kubernetes" else "'mlrunner[dask]'"
            sentences.append(f"executor=dask needs the package {self.package}; run pip install {extra}.")
        if self.address is not None and "://" not in self.address:
            sentences.append(f"executor.address={self.address} has no protocol; write tcp://{self.address}.")
        if self.address is None and self.cluster in QUEUES and self.memory is None:
            sentences.append(f"executor.memory is not set, but a job of {self.cluster} needs it; set it, like 4GB.")
        of_queue = [name for name in ("queue", "walltime") if getattr(self, name) is not None]
        if of_queue and (self.address is not None or self.cluster not in QUEUES):
            place = "at an address" if self.address is not None else f"cluster={self.cluster}"
            sentences.append(
                f"executor.{of_queue[0]} is of a job queue, but the cluster is {place}; set executor.cluster to one of "
                f"{', '.join(QUEUES)}, or leave it out."
            )
        return sentences

    def connect(self, size: int, patience: float = CONNECT_SECONDS, logs: Path = Path("logs")) -> tuple[Client, Any]:
        """Connect to the cluster; start it when there is no address.

        Args:
            size: Number of workers to start.
            patience: Seconds until a scheduler must answer.
            logs: Folder for the logs of jobs, unless the settings have one.

        Returns:
            The client, and the cluster that was started; None with an address.

        Raises:
            ConfigError: When there is no scheduler at the address, or the cluster does not start.
        """
        import dask
        from distributed import Client

        for name in ("distributed", "distributed.client"):  # the search says itself what is lost
            logging.getLogger(name).setLevel(SILENT)
        place = f"executor.address={self.address}" if self.address is not None else f"executor.cluster={self.cluster}"
        try:
            with dask.config.set(SCHEDULER_SETTINGS):
                if self.address is not None:
                    _knock(self.address, patience)
                cluster = None if self.address is not None else self._start(size, logs)
                return Client(self.address or cluster, timeout=patience, set_as_default=False), cluster
        except (OSError, RuntimeError, TypeError, ValueError) as error:
            raise ConfigError(f"{place}: {first_line(error)}; is the scheduler there, and of this version?") from error

    def find_log_folder(self, default: Path) -> str | None:
        """Return the folder for the logs of the jobs that are started.

        Args:
            default: Folder unless the options or Dask's configuration have one.

        Returns:
            None when no job is started, or a job script cannot name the folder.
        """
        if self.address is not None or self.cluster not in QUEUES:
            return None
        import dask
        import dask_jobqueue  # noqa: F401 - registers its defaults

        configured = dask.config.get(f"jobqueue.{self.cluster}.log-directory", None)
        folder = str(self.options.get("log_directory") or configured or default.absolute())
        is_nameable = not re.search(r"[\s%]", folder)  # a script has it without quotes, and %j is a job's number
        return folder if is_nameable else None

    def _start(self, size: int, logs: Path) -> Any:
        """Start a cluster that replaces workers which are lost."""
        module, name, arguments = self.describe_cluster(size, logs)
        with signals_ignored():  # Ctrl-C is for the search
            cluster = getattr(importlib.import_module(module), name)(**arguments)
        cluster.adapt(minimum=size, maximum=size)  # `scale` alone does not replace a job that has ended
        return cluster

    def describe_cluster(self, size: int, logs: Path = Path("logs")) -> tuple[str, str, dict[str, Any]]:
        """Return module, name and arguments of the class that starts the cluster.

        Args:
            size: Number of workers.
            logs: Folder for the logs of jobs, unless the settings have one.
        """
        if self.cluster == "local":
            threads = self.threads or max(1, len(os.sched_getaffinity(0)) // size)
            local = {"n_workers": size, "threads_per_worker": threads, "dashboard_address": ":0"}
            return (
                "distributed",
                "LocalCluster",
                {**local, "memory_limit": self.memory or 0, "silence_logs": SILENT, **self.options},
            )
        threads, memory = self.threads or 1, self.memory
        if self.cluster == "kubernetes":
            asked = {"cpu": str(threads)} | ({"memory": memory} if memory is not None else {})
            arguments = {"n_workers": size, "resources": {"requests": asked, "limits": asked}, **self.options}
            return "dask_kubernetes.operator", "KubeCluster", arguments
        job = {"cores": threads, "processes": 1, "memory": memory, "queue": self.queue, "walltime": self.walltime}
        job["log_directory"] = self.find_log_folder(logs)
        given = {name: value for name, value in job.items() if value is not None}
        return "dask_jobqueue", QUEUES[self.cluster], {**given, **self.options}

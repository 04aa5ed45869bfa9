"""The cluster of `executor=ray`: connect to one that runs, or start one on this machine."""

from __future__ import annotations

import logging
import os
import socket
from importlib.util import find_spec
from typing import Annotated, Any

from pydantic import Field

from mlrunner.core import environment
from mlrunner.core.build import dataclass
from mlrunner.core.errors import ConfigError, first_line
from mlrunner.core.process import signals_ignored
from mlrunner.groups.executor import Engine

CONNECT_SECONDS = 10
# No statistics to Ray's makers, and no messages of its daemons between ours: Ray writes them to the standard output.
VARIABLES = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_DEDUP_LOGS_SKIP_REGEX": "."}


@dataclass
class RayEngine(Engine):
    """Workers of a Ray cluster.

    Args:
        address: Head of a cluster that runs, or "auto" for that of this machine; None starts one.
        workers: Trials at the same time; None is that of the sweep.
        threads: CPU threads of a trial, and CPUs that Ray reserves for it; None is one in a cluster that runs, and
            the share of a worker on this machine.
        options: Further arguments of `ray.init`.
        table_limit: Largest table that is sent to a worker, in megabytes.
    """

    address: str | None = None
    workers: Annotated[int, Field(gt=0)] | None = None
    threads: Annotated[int, Field(gt=0)] | None = None
    options: dict[str, Any] = Field(default_factory=dict)
    table_limit: float = Field(default=512, gt=0)

    def problems(self) -> list[str]:
        """Return one sentence for each setting that is not possible."""
        sentences = []
        if find_spec("ray") is None:
            sentences.append("executor=ray needs the package ray; run pip install 'mlrunner[ray]'.")
        host, _, port = (self.address or "auto").rpartition(":")
        if "://" not in host and self.address not in (None, "auto") and not (host and port.isdigit()):
            sentences.append(f"executor.address={self.address} has no port; write HOST:6379, or auto on its machine.")
        if "://" in host:
            sentences.append(
                f"executor.address={self.address} is of Ray's client, which cannot follow trials; start the search on "
                "a machine of the cluster, whose address is auto or HOST:6379."
            )
        return sentences

    def count_threads(self, size: int) -> int:
        """Return the CPU threads of a trial."""
        share = 1 if self.address is not None else max(1, len(os.sched_getaffinity(0)) // size)
        return self.threads or share

    @staticmethod
    def set_variables() -> None:
        """Set the variables that Ray reads when it is imported."""
        environment.set_defaults(VARIABLES)

    def connect(self, size: int) -> None:
        """Connect this process to the cluster; start it when there is no address.

        Raises:
            ConfigError: When there is no cluster at the address, or it does not start.
        """
        self.set_variables()
        import ray

        quiet = {"log_to_driver": False, "logging_level": logging.CRITICAL}
        own = {"num_cpus": size * self.count_threads(size), "include_dashboard": False}
        place = "executor=ray" if self.address is None else f"executor.address={self.address}"
        try:
            with signals_ignored():  # Ctrl-C is for the search
                if self.address is None:
                    ray.init(address="local", **{**quiet, **own, **self.options})
                else:
                    self._knock()
                    ray.init(address=self.address, **{**quiet, **self.options})
        except (OSError, RuntimeError, TypeError, ValueError) as error:
            raise ConfigError(
                f"{place}: {first_line(error)}; is the head there, of this version, and with this RAY_AUTH_TOKEN?"
            ) from error

    def _knock(self) -> None:
        """Open a connection to the head, and close it: Ray itself tries for a quarter of an hour."""
        host, _, port = str(self.address).rpartition(":")
        if host:
            socket.create_connection((host, int(port)), CONNECT_SECONDS).close()

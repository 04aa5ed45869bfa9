"""A Slurm of two nodes on this machine, apart from one that the machine may have."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from mlrunner.core.loopback import free_port
from tests.support.http_client import wait_until
from tests.support.trials import TIMEOUT

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "scancel", "scontrol", "squeue", "sinfo")
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
NODES = ("n1", "n2")
# All runs as root, without cgroups, one job to a node. KillWait: seconds between the signals
# TERM and KILL of a job whose time is over.
SETTINGS = """
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
StateSaveLocation={folder}
SlurmdSpoolDir={folder}/%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/%n.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SelectType=select/cons_tres
SchedulerParameters=sched_interval=1
ReturnToService=2
KillWait=2
PartitionName=short Nodes=n1,n2 Default=YES MaxTime=10 State=UP
"""
NODE = "NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs=1 RealMemory=2000\n"


class SlurmCluster:
    """A controller and two nodes.

    Args:
        folder: Empty folder.

    Attributes:
        settings: File to set the variable SLURM_CONF to.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self.settings = folder, folder / "slurm.conf"
        self._env = {**os.environ, "SLURM_CONF": str(self.settings)}
        host = socket.gethostname().partition(".")[0]
        text = SETTINGS.format(folder=folder, controller=free_port(), host=host)
        self.settings.write_text(text + "".join(NODE.format(name=name, host=host, port=free_port()) for name in NODES))
        (folder / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\n")  # another one looks for the system's

    def start(self, stack: ExitStack) -> None:
        """Start the daemons, and wait until the nodes are free.

        Args:
            stack: Ends them when it is left.
        """
        munge = self._folder / "munge"
        munge.mkdir(mode=0o711)
        key = munge / "key"
        key.touch(0o600)
        key.write_bytes(secrets.token_bytes(64))
        files = [f"--{name}-file={munge / name}" for name in ("key", "pid", "log", "seed")]
        self._daemon(stack, "munged", "--foreground", "--force", f"--socket={munge / 'socket'}", *files)
        wait_until((munge / "socket").exists, TIMEOUT)
        self._daemon(stack, "slurmctld", "-D")
        for name in NODES:
            self._daemon(stack, "slurmd", "-D", "-N", name)
        wait_until(lambda: self.run("sinfo", "-h", "-t", "idle", "-o", "%D") == str(len(NODES)), TIMEOUT)

    def _daemon(self, stack: ExitStack, program: str, *words: str) -> None:
        path = shutil.which(program, path=PATH)
        with (self._folder / f"{program}.log").open("ab") as log:
            process = subprocess.Popen([str(path), *words], env=self._env, cwd=self._folder, stdout=log, stderr=log)
        stack.callback(process.wait, TIMEOUT)
        stack.callback(process.terminate)

    def run(self, program: str, *words: str) -> str:
        """Run a command of Slurm, and return its output."""
        done = subprocess.run([program, *words], env=self._env, capture_output=True, text=True, timeout=TIMEOUT)
        return done.stdout.strip()

    def list_jobs(self) -> dict[str, str]:
        """Return the node of each running job by its number."""
        lines = self.run("squeue", "-h", "-t", "running", "-o", "%i %N").splitlines()
        return dict(line.split() for line in lines)


@contextmanager
def open_slurm() -> Iterator[SlurmCluster]:
    """Start a cluster; skip the test where Slurm is not installed, or does not start."""
    missing = [program for program in PROGRAMS if shutil.which(program, path=PATH) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} missing; Debian has them in slurmctld, slurmd, slurm-client and munge")
    if os.geteuid() != 0:
        pytest.skip("slurmd needs root")
    with tempfile.TemporaryDirectory(prefix="slurm-", ignore_cleanup_errors=True) as folder, ExitStack() as stack:
        Path(folder).chmod(0o755)  # munge refuses a socket that others cannot reach
        cluster = SlurmCluster(Path(folder))
        try:
            cluster.start(stack)
        except TimeoutError:
            logs = [log.read_text()[-500:] for log in Path(folder).glob("*.log")]
            pytest.skip(f"Slurm does not start here: {' | '.join(logs)}")
        yield cluster
        cluster.run("scancel", "--state=running", "--user=root")

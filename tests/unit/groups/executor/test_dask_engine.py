"""The settings of a Dask cluster: what is refused, and what the class of each kind of cluster receives."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mlrunner.core.build import build
from mlrunner.core.errors import ConfigError, ProblemsError
from mlrunner.groups.executor import Engine
from mlrunner.groups.executor.dask_engine import DaskEngine
from tests.support.front_door import PROJECT


@pytest.mark.parametrize(
    ("settings", "sentences"),
    [
        ({}, []),
        ({"address": "tcp://10.0.0.5:8786"}, []),
        ({"cluster": "slurm", "memory": "4GB", "queue": "short", "walltime": "01:00:00"}, []),
        ({"address": "host:8786"}, ["executor.address=host:8786 has no protocol; write tcp://host:8786."]),
        ({"cluster": "pbs"}, ["executor.memory is not set, but a job of pbs needs it; set it, like 4GB."]),
        (
            {"queue": "short"},
            [
                "executor.queue is of a job queue, but the cluster is cluster=local; set executor.cluster to one of "
                "slurm, pbs, lsf, sge, or leave it out."
            ],
        ),
        (
            {"cluster": "kubernetes"},
            ["executor=dask needs the package dask_kubernetes; run pip install dask-kubernetes."],
        ),
    ],
)
def test_settings_that_are_not_possible_are_one_sentence_each(settings: dict[str, Any], sentences: list[str]) -> None:
    assert DaskEngine(**settings).problems() == sentences


def test_an_unknown_cluster_names_the_possible_ones() -> None:
    target = {"_target_": "mlrunner.groups.executor.dask_engine.DaskEngine"}
    with pytest.raises(ProblemsError, match=r"executor\.cluster"):
        build({**target, "cluster": "yarn"}, "executor", Engine)


def test_a_job_queue_receives_its_settings_and_the_options() -> None:
    engine = DaskEngine(cluster="slurm", threads=4, memory="8GB", walltime="02:00:00", options={"account": "physics"})
    assert engine.describe_cluster(9) == (
        "dask_jobqueue",
        "SLURMCluster",
        {
            **{"cores": 4, "processes": 1, "memory": "8GB", "walltime": "02:00:00", "account": "physics"},
            "log_directory": str(Path("logs").absolute()),
        },
    )


def test_logs_of_jobs_are_in_the_folder_of_the_sweep_unless_a_setting_says_otherwise(tmp_path: Path) -> None:
    import dask

    job: dict[str, Any] = {"cluster": "slurm", "memory": "1GB"}
    assert DaskEngine(**job).find_log_folder(tmp_path / "logs") == str(tmp_path / "logs")
    own = DaskEngine(**job, options={"log_directory": "/mine"})
    assert own.find_log_folder(tmp_path) == own.describe_cluster(1, tmp_path)[2]["log_directory"] == "/mine"
    with dask.config.set({"jobqueue.slurm.log-directory": "/scratch"}):
        assert DaskEngine(**job).find_log_folder(tmp_path) == "/scratch"
    for engine in (DaskEngine(), DaskEngine(address="tcp://10.0.0.5:8786")):
        assert engine.find_log_folder(tmp_path) is None
    assert DaskEngine(**job).find_log_folder(tmp_path / "a b") is None
    assert "log_directory" not in DaskEngine(**job).describe_cluster(1, tmp_path / "100%")[2]


@pytest.mark.parametrize(
    ("cluster", "line"),
    [("slurm", "#SBATCH -t 02:00:00"), ("pbs", "#PBS -l walltime=02:00:00"), ("sge", "#$ -l h_rt=02:00:00"),
     ("lsf", "#BSUB -W 02:00:00")],
)  # fmt: skip
def test_the_class_of_each_queue_takes_the_settings(cluster: Any, line: str) -> None:
    """The job script is rendered, not submitted."""
    import dask_jobqueue
    from dask_jobqueue.core import Job

    _, name, arguments = DaskEngine(cluster=cluster, memory="4GB", queue="short", walltime="02:00:00").describe_cluster(
        2
    )
    job: type[Job] = getattr(dask_jobqueue, name).job_cls
    script = job("tcp://127.0.0.1:8786", name="worker", **arguments).job_script()
    assert line in script
    assert str(Path("logs").absolute()) in script
    assert "short" in script


def test_this_machine_shares_its_processors_out() -> None:
    _, name, arguments = DaskEngine().describe_cluster(1)
    assert (name, arguments["threads_per_worker"]) == ("LocalCluster", len(os.sched_getaffinity(0)))
    assert DaskEngine().describe_cluster(10_000)[2]["threads_per_worker"] == 1
    assert DaskEngine(threads=3).describe_cluster(2)[2]["threads_per_worker"] == 3


def test_a_pod_has_the_processors_and_the_memory() -> None:
    module_name, name, arguments = DaskEngine(cluster="kubernetes", memory="4Gi").describe_cluster(2)
    assert (module_name, name) == ("dask_kubernetes.operator", "KubeCluster")
    assert arguments["resources"]["limits"] == {"cpu": "1", "memory": "4Gi"}


def test_an_address_without_a_scheduler_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"^executor\.address=tcp://127\.0\.0\.1:9: "):
        DaskEngine(address="tcp://127.0.0.1:9").connect(1, patience=0.2)


def test_a_scheduler_that_says_nothing_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(ConfigError, match="timed out; is the scheduler there"):
            DaskEngine(address=address).connect(1, patience=0.5)


def test_the_settings_import_no_engine() -> None:
    code = "import sys, mlrunner.groups.executor.dask_engine; print(sorted({'dask', 'distributed'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=PROJECT, timeout=60)
    assert done.stdout == "[]\n", done.stderr

"""The settings of a Ray cluster: what is refused, and the threads of a trial."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from typing import Any

import pytest

from mlrunner.core.errors import ConfigError
from mlrunner.groups.executor.ray_engine import RayEngine
from tests.support.front_door import PROJECT
from tests.support.ray_cluster import NEEDS_RAY

MISSING = [] if find_spec("ray") else ["executor=ray needs the package ray; run pip install 'mlrunner[ray]'."]


@pytest.mark.parametrize(
    ("settings", "sentences"),
    [
        ({}, []),
        ({"address": "10.0.0.5:6379"}, []),
        ({"address": "auto"}, []),
        ({"address": "host"}, ["executor.address=host has no port; write HOST:6379, or auto on its machine."]),
        (
            {"address": "ray://head:10001"},
            [
                "executor.address=ray://head:10001 is of Ray's client, which cannot follow trials; start the search on "
                "a machine of the cluster, whose address is auto or HOST:6379."
            ],
        ),
    ],
)
def test_settings_that_are_not_possible_are_one_sentence_each(settings: dict[str, Any], sentences: list[str]) -> None:
    assert RayEngine(**settings).problems() == [*MISSING, *sentences]


def test_this_machine_shares_its_processors_out_and_a_cluster_gives_one() -> None:
    counts = [RayEngine(address=address, threads=threads).count_threads(1) for address, threads in CASES]
    assert counts == [len(os.sched_getaffinity(0)), 3, 1, 3]
    assert RayEngine().count_threads(10_000) == 1


CASES: list[tuple[str | None, int | None]] = [(None, None), (None, 3), ("auto", None), ("auto", 3)]


@NEEDS_RAY
@pytest.mark.slow
def test_an_address_without_a_head_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"^executor\.address=127\.0\.0\.1:9: .*is the head there"):
        RayEngine(address="127.0.0.1:9").connect(1)


def test_the_settings_import_no_engine() -> None:
    code = "import sys, mlrunner.groups.executor.ray_engine; print('ray' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=PROJECT, timeout=60)
    assert done.stdout == "False\n", done.stderr

"""A reader that leaves does not stop the experiment."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys, time
from mlrunner.core.process import be_patient
be_patient()
be_patient()
for number in range(2000):
    print(number, "x" * 100, flush=number % 2 == 0)
print("went on to the end", file=sys.stderr)
"""


def test_output_nobody_reads_is_dropped() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith("0 ")
        process.stdout.close()
        assert process.stderr.read() == "went on to the end\n"
        assert process.wait() == 0


def test_output_that_is_read_arrives_whole() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert len(done.stdout.splitlines()) == 2000

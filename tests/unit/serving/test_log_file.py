"""The log of a server stays small, however many requests fail."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.front_door import PROJECT

SCRIPT = """
import logging
from mlrunner.serving import log_file
log_file.MAX_BYTES = 2000
log_file.configure_log()
for number in range(1000):
    logging.getLogger("a").error("failed %s", number)
logging.getLogger("b").warning("another")
for number in range(100):
    exec(compile("\\n" * number + "logging.getLogger('c').error('x' * 100)", f"file{number}", "exec"))
"""


def test_one_record_of_each_place_a_minute_and_a_limited_size(tmp_path: Path) -> None:
    file = tmp_path / "log"
    with file.open("ab") as log:
        subprocess.run([sys.executable, "-c", SCRIPT], cwd=PROJECT, stderr=log, check=True, timeout=60)
    assert 100 < file.stat().st_size < 2500
    assert b"\0" not in file.read_bytes()
    program = SCRIPT.replace("MAX_BYTES = 2000", "MAX_BYTES = 10**6")
    errors = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True)
    lines = [line.partition(",")[2][4:] for line in errors.stderr.splitlines()]
    assert lines[:2] == ["ERROR failed 0", "WARNING another"]
    assert len(lines) == 102

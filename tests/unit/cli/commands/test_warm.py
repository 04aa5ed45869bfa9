"""`mlrunner warm` without a warm process; the rest is in `tests/unit/cli/warm`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from mlrunner.cli.commands import warm
from mlrunner.core.errors import ConfigError, MlrunnerError


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Set the folder of the socket."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return tmp_path


def test_without_a_process(capsys: pytest.CaptureFixture[str]) -> None:
    assert (warm.main(["status"]), warm.main(["stop"])) == (1, 0)
    assert capsys.readouterr().out == "no warm process; mlrunner warm start starts one.\nthere was no warm process.\n"


def test_a_process_is_described() -> None:
    since = datetime(2026, 11, 30, 21, 5).timestamp()
    text = warm.describe("status", {"server": 7, "since": since, "commands": 3})
    assert text == "warm since 21:05, process 7, commands so far: 3."


@pytest.mark.parametrize("text", ["0", "-1", "soon", "inf", "nan"])
def test_the_idle_time_is_a_positive_number(text: str) -> None:
    with pytest.raises(ConfigError, match=rf"'{text}' is not a number of minutes above 0"):
        warm.main(["start", f"--idle={text}"])


def test_a_process_that_cannot_start_is_reported(tmp_path: Path, runtime: Path) -> None:
    (runtime / f"mlrunner-{tmp_path.stat().st_uid}").mkdir(mode=0o755)
    with pytest.raises(MlrunnerError, match="must be a folder that belongs to you alone"):
        warm.main(["start"])

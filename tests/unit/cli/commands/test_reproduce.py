"""`mlrunner reproduce`: what it refuses, and its table."""

from __future__ import annotations

import pytest

from mlrunner.cli.commands import reproduce
from mlrunner.core.errors import ConfigError
from mlrunner.execution.reproduction import Reproduction
from mlrunner.execution.reproduction.scores import MetricComparison


def test_a_run_is_required() -> None:
    with pytest.raises(ConfigError, match=r"^mlrunner reproduce needs a run: "):
        reproduce.main(["--strict"])


@pytest.mark.parametrize("text", ["x", "-1", "nan", "inf"])
def test_a_tolerance_is_a_number_of_at_least_zero(text: str) -> None:
    with pytest.raises(ConfigError, match=rf"^--tolerance {text} is not a relative difference; write a number"):
        reproduce.main(["latest", f"--tolerance={text}"])


@pytest.mark.usefixtures("empty_home")
def test_an_unknown_run_is_refused() -> None:
    with pytest.raises(ConfigError, match="No run matches '4f'"):
        reproduce.main(["4f"])


def test_the_result_counts_equal_metrics(capsys: pytest.CaptureFixture[str]) -> None:
    metrics = (MetricComparison("test/r2", 0.5, 0.5, True), MetricComparison("test/mae", 1.0, None, False))
    reproduce._show(Reproduction("a" * 32, "n", (), "b" * 32, metrics, note="a seed is not set"))
    out = capsys.readouterr().out
    assert "✓ test/r2" in out
    assert "not reproduced: 1 of 2 metrics are the same to the last digit" in out
    assert "note      a seed is not set" in out
    assert "new run   bbbbbbbb" in out

"""`mlrunner diff`: its sides, formats and exit codes on recorded runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlrunner.cli.commands import diff
from mlrunner.core.errors import ConfigError


@pytest.mark.parametrize("arguments", [[], ["latest"], ["--", "model=rf"], ["latest", "stack=local"]])
def test_two_sides_are_required(arguments: list[str]) -> None:
    with pytest.raises(ConfigError, match=r"^mlrunner diff needs two sides: "):
        diff.main(arguments)


def test_the_formats_exclude_each_other() -> None:
    with pytest.raises(ConfigError, match=r"^argument --md: not allowed with argument --json"):
        diff.main(["latest", "best", "--json", "--md"])


@pytest.mark.usefixtures("empty_home")
def test_the_exit_code_says_whether_files_differ(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.yaml").write_text("seed: 0\nmodel: {name: rf}\n")
    Path("b.yaml").write_text("seed: 7\nmodel: {name: rf}\n")
    assert diff.main(["a.yaml", "b.yaml", "--exit-code", "--json"]) == diff.DIFFERENT
    assert "seed" in json.dumps(json.loads(capsys.readouterr().out))
    assert diff.main(["a.yaml", "b.yaml"]) == 0
    assert diff.main(["a.yaml", "a.yaml", "--exit-code"]) == 0

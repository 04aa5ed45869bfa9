"""Every verb: its module, its help, and its answer to an unknown flag."""

from __future__ import annotations

import pytest

from mlrunner.cli import commands
from mlrunner.core.errors import ConfigError


@pytest.mark.parametrize("verb", commands.VERBS)
def test_a_verb_has_a_help(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        commands.load(verb)(["--help"])
    assert caught.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: mlrunner {verb} [-h]")


@pytest.mark.parametrize("verb", commands.VERBS)
def test_a_verb_refuses_an_unknown_flag(verb: str) -> None:
    with pytest.raises(ConfigError, match=rf"^mlrunner {verb} takes no '--unknown'|^the following arguments"):
        commands.load(verb)(["--unknown"])

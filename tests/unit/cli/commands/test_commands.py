"""Every verb: its module, its help, and its answer to an unknown flag."""

from __future__ import annotations

import re

import pytest
import yaml

from mlrunner.cli import commands
from mlrunner.core.errors import ConfigError
from tests.support.front_door import PROJECT


def test_the_help_of_the_program_lists_every_verb() -> None:
    template = yaml.safe_load((PROJECT / "conf" / "mlrunner.yaml").read_text())["hydra"]["help"]["template"]
    listed = re.search(r"explain a verb: ([a-z,\s]+)", template)
    assert listed is not None
    assert re.findall(r"[a-z]+", listed[1]) == [*commands.VERBS]


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

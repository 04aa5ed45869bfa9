"""What a message of a command says to type is typed at the command line, and gets further."""

from __future__ import annotations

import pytest

from tests.support import advice_templates as source
from tests.support.advice_commands import COMMANDS
from tests.support.advice_home import AdviceHome, make_advice_home
from tests.support.recorded import Recorded

TEMPLATES = source.list_templates()


@pytest.fixture(scope="module")
def home(recorded: Recorded, tmp_path_factory: pytest.TempPathFactory) -> AdviceHome:
    return make_advice_home(recorded, tmp_path_factory.mktemp("advice"))


@pytest.mark.parametrize("words", COMMANDS)
def test_what_a_command_says_to_type_gets_further(words: str, home: AdviceHome) -> None:
    template, (line, *advice) = source.find_template(TEMPLATES, words), COMMANDS[words]
    refused = home.type(line)
    assert source.matches(template, refused.out + refused.err), refused
    for typed in advice:
        done = home.type(typed)
        assert not source.matches(template, done.out + done.err), (typed, done)
        assert "Traceback" not in done.err, (typed, done)


def test_a_trusted_package_that_is_not_installed_is_named(home: AdviceHome) -> None:
    refused = home.type("MLRUNNER_TRUSTED=elsewhere explain {wine}").err
    assert "holds elsewhere.Type, which cannot be imported here; install the version of elsewhere that" in refused

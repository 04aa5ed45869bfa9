# ruff: noqa: E501  (a message is one line, as it is printed)
"""Flags of Hydra that are unknown or contradict each other are refused in a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlrunner.cli.flags import check_flags
from mlrunner.core.errors import MlrunnerError


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--mutirun", "mlrunner takes no '--mutirun'. Did you mean '--multirun'? mlrunner --help lists the flags."),
        ("--conf job", "mlrunner takes no '--conf'. mlrunner --help lists the flags."),
        ("--run --cfg job", "--run and --cfg do different things; leave one of them out."),
        ("-m -c job -i", "--multirun and --cfg and --info do different things; leave all but one out."),
        ("--resolve", "--resolve shows a composition with its values; add --cfg job, or leave --resolve out."),
        ("-sc nosuch", "--shell-completion does not say what to do; add install=bash or uninstall=bash."),
        ("-cd nosuch", "--config-dir=nosuch is not a folder; name a folder of configuration files."),
        ("--experimental-rerun nosuch",
         "--experimental-rerun=nosuch does not exist; name the config.pickle of a run, or use mlrunner reproduce RUN."),
        (f"--experimental-rerun {__file__}",
         f"--experimental-rerun={__file__} is no config.pickle; name the config.pickle of a run, or use mlrunner reproduce RUN."),
        ("-sc install=nosuch", "install=nosuch names no shell that can be completed; write bash or fish or zsh."),
        ("-cp own",
         f"--config-path=own is relative, which for Hydra starts at the program; write --config-path={Path.cwd() / 'own'}, "
         "or add a folder to conf/ with --config-dir."),
    ],
)  # fmt: skip
def test_flags_that_lead_nowhere_are_refused(arguments: str, message: str) -> None:
    with pytest.raises(MlrunnerError) as caught:
        check_flags(arguments.split())
    assert str(caught.value).startswith(message.partition(".")[0])
    assert str(caught.value).endswith(message.rpartition(". ")[2])


@pytest.mark.parametrize(
    ("arguments", "modes"),
    [
        ("model=rf", []),
        ("model=rf -m", ["--multirun"]),
        ("--cfg job --resolve -p model", ["--cfg"]),
        ("-i", ["--info"]),
        ("install=bash -sc", ["--shell-completion"]),
        ("--help", []),
    ],
)
def test_flags_say_what_is_done(arguments: str, modes: list[str]) -> None:
    assert check_flags(arguments.split()) == modes

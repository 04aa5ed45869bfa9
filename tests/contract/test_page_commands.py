"""The commands of the documentation: each one composes, and the parser of each verb takes its arguments."""

from __future__ import annotations

import re
import shlex
from argparse import ArgumentParser
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import pytest
from hydra.errors import HydraException
from hydra.types import RunMode

from mlrunner.cli import commands
from mlrunner.cli.commands.parser import Parser
from mlrunner.cli.hydra_app import hydra_arguments, register_sweeper
from mlrunner.composition.compose import open_hydra
from mlrunner.composition.diagnosis import diagnose
from mlrunner.core.overrides import split_flags
from mlrunner.core.project import PRIMARY
from tests.support.front_door import PROJECT

HAND_WRITTEN = sorted(path for path in (PROJECT / "docs").rglob("*.md") if "generated" not in path.parts)
TEMPLATE = PROJECT / "mlrunner/execution/scaffold/template/README.md.jinja"
PAGES = [PROJECT / "README.md", TEMPLATE, *HAND_WRITTEN]
OF_THE_READER = {  # options that are no files of ours, and what stands in for them
    "cleaning=price_per_kilo": "cleaning=full",  # guides/cleaning.md writes it
    "cleaning=churn": "cleaning=full",  # `init` writes it
    "experiment=baseline": "model=ridge",  # `init` writes it
    "sweep=shared": "sweep=optuna",  # team.md writes it
}
COMPOSING = ("check", "deploy", "diff", "resume")  # verbs that take overrides
MULTIRUN_FLAGS = {"-m", "--multirun"}
NOT_COMPOSED = {"-cd": "a folder of the reader", "--info": "it prints the places", "--version": "it prints versions"}


class AcceptedError(Exception):
    """A parser has taken the arguments, and the verb goes no further."""


def list_commands(page: Path) -> list[str]:
    """List the mlrunner commands of a page: those of its blocks, and those in its text that have arguments."""
    text = re.sub(r"\\\n\s*", "", page.read_text()).replace("[[ slug ]]", "churn")
    lines = re.findall(r"^(?:\$ | *- run: )?(?:python -m )?(mlrunner(?: \S.*)?)$", text, re.MULTILINE)
    lines += re.findall(r"`(mlrunner [^`\n]+ [^`\n]+)`", text)
    return [re.split(r"\s{3,}| >>? \S+$", line)[0] for line in lines if "](" not in line]  # a sentence has links


@cache
def compose(words: tuple[str, ...], many: bool) -> None:
    """Compose overrides as a run or a sweep does; Hydra looks at several values of a sweep later, so `diagnose` does.

    Raises:
        HydraException: When a choice or a key does not exist.
    """
    assert (diagnose(list(words), remedy=None) if many else []) == []
    with open_hydra() as hydra:
        loader: Any = hydra.config_loader()
        loader.load_configuration(PRIMARY, list(words), RunMode.MULTIRUN if many else RunMode.RUN)


@pytest.fixture
def only_parsers(monkeypatch: pytest.MonkeyPatch) -> None:
    """End each verb when its parser has taken the arguments."""
    for name in ("parse_args", "parse_intermixed_args"):
        parse = getattr(ArgumentParser, name)

        def parse_and_stop(self: Parser, arguments: list[str], parse: Any = parse) -> NoReturn:
            raise AcceptedError(parse(self, arguments))

        monkeypatch.setattr(Parser, name, parse_and_stop)
    register_sweeper()


def list_overrides(words: list[str]) -> list[str]:
    """List the overrides of a command, of which a verb has others as well."""
    if words and words[0] in commands.VERBS:
        search = ["sweep=optuna"] if words[0] == "resume" else []
        overrides = [word for word in words[1:] if "=" in word and not word.startswith("-")]
        return [*search, *overrides] if words[0] in COMPOSING else []
    return [] if {*NOT_COMPOSED} & {*words} else words


@pytest.mark.usefixtures("only_parsers")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_command_of_a_page_is_taken(page: Path) -> None:
    for command in list_commands(page):
        words = [OF_THE_READER.get(word, word) for word in shlex.split(command.replace("$D", ""))[1:]]
        if words and words[0] in commands.VERBS:
            with pytest.raises(AcceptedError):
                commands.load(words[0])(words[1:])
        flags, overrides = split_flags(hydra_arguments(list_overrides(words)))
        compose(tuple(overrides), bool(MULTIRUN_FLAGS & {*flags}))


def test_a_wrong_command_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "```console\n$ mlrunner model=rff \\\n    seeed=1   # why\nmlrunner  plan\n```\n`mlrunner runs --x`\n"
    )
    assert list_commands(page) == ["mlrunner model=rff seeed=1", "mlrunner runs --x"]
    with pytest.raises(HydraException, match="rff"):
        compose(("model=rff",), many=False)
    with pytest.raises(HydraException, match="seeed"):
        compose(("seeed=1",), many=False)
    with pytest.raises(AssertionError, match="seeed is not a key"):
        compose(("model=rf,ridge", "seeed=1,2"), many=True)

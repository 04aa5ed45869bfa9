"""Errors of the verbs' parser."""

from __future__ import annotations

import argparse

import pytest

from mlrunner.cli.commands.parser import Parser, count, list_flags
from mlrunner.core.errors import ConfigError


@pytest.fixture
def parser() -> Parser:
    parser = Parser("verb", "Do it.")
    parser.add_argument("--limit", type=count("lines"))
    parser.add_argument("-o", "--out")
    return parser


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--limt", "3"], "mlrunner verb takes no '--limt'. Did you mean '--limit'? mlrunner verb --help lists"),
        (["--lim", "3"], "mlrunner verb takes no '--lim'."),  # abbreviations are unknown
        (["x"], "mlrunner verb takes no 'x'. mlrunner verb --help lists the arguments."),
        (["--limit"], "argument --limit: expected one argument; mlrunner verb --help lists the arguments."),
        (["--limit", "a"], "argument --limit: 'a' is not a number of lines; write 0 or more; mlrunner verb --help"),
    ],
)
def test_an_error_is_one_sentence(parser: Parser, arguments: list[str], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parser.parse_args(arguments)
    assert str(caught.value).startswith(message)


def test_flags_are_listed_from_the_help(parser: Parser) -> None:
    assert list_flags(parser.format_help()) == ["-h", "--help", "--limit", "-o", "--out"]


@pytest.mark.parametrize(("text", "least"), [("0", 0), ("1", 1), ("20", 0)])
def test_a_count_is_a_whole_number(text: str, least: int) -> None:
    assert count("runs", least)(text) == int(text)


@pytest.mark.parametrize(("text", "least"), [("0", 1), ("-1", 0), ("1.5", 0), ("", 0)])
def test_another_count_is_refused(text: str, least: int) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=rf"is not a number of runs; write {least} or more"):
        count("runs", least)(text)

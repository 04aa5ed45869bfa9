"""Words of a command line, quoted for a shell."""

from __future__ import annotations

import shlex
import subprocess

import pytest

from mlrunner.core.overrides import (
    explain_misread,
    get_key,
    join_words,
    quote_choices,
    quote_option,
    split_flags,
)


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("seed=1", "seed=1"),
        ("dataset.path='my table.csv'", "\"dataset.path='my table.csv'\""),
        ("a='$x'", None),
        ("a='!x'", None),
        ("a='\\'", None),
        ("a='\"'", None),
        ("a=[1]", None),
    ],
)
def test_shell_reads_the_words(word: str, text: str | None) -> None:
    assert join_words([word]) == (shlex.quote(word) if text is None else text)
    shell = subprocess.run(["bash", "-c", f"printf %s {join_words([word])}"], capture_output=True, text=True)
    assert shell.stdout == word


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("split=80_20", "split='80_20'"),
        ("split='80_20'", "split='80_20'"),
        ("split=kfold,80_20,70_15_15", "split=kfold,'80_20','70_15_15'"),
        ("seed=80_20", "seed=80_20"),
        ("split", "split"),
    ],
)
def test_an_option_of_digits_is_quoted(text: str, quoted: str) -> None:
    assert quote_option(text) == quoted


def test_options_of_a_zipped_dimension_are_quoted() -> None:
    assert quote_choices("split=choice(80_20,kfold);seed=choice(1_0)") == "split=choice('80_20',kfold);seed=choice(1_0)"


@pytest.mark.parametrize(
    ("words", "flags", "overrides"),
    [
        (["a=1", "-m", "b=2"], ["-m"], ["a=1", "b=2"]),
        (["--cfg", "job", "a=1"], ["--cfg", "job"], ["a=1"]),
        (["a=1", "-cd", "folder", "b=2", "--info", "all"], ["-cd", "folder", "--info", "all"], ["a=1", "b=2"]),
        (["--info", "model=rf"], ["--info"], ["model=rf"]),
    ],
)
def test_flags_are_separated_from_overrides(words: list[str], flags: list[str], overrides: list[str]) -> None:
    assert split_flags(words) == (flags, overrides)


def test_an_option_that_is_read_as_a_number_is_explained() -> None:
    message = explain_misread(["split=8020", "seed=3"], ValueError("no"))
    assert message == "split=8020 names no option but a number; put it in quotes, as in split='80_20'."
    assert explain_misread(["seed=3"], ValueError("two\nlines")) == "two lines"


@pytest.mark.parametrize(
    ("text", "key"), [("a.b=1", "a.b"), ("+a=1", "a"), ("++a=b=c", "a"), ("~a", "a"), ("f@m.f=x", "f@m.f")]
)
def test_the_key_of_an_override(text: str, key: str) -> None:
    assert get_key(text) == key

"""Words of a command line, quoted for a shell."""

from __future__ import annotations

import shlex
import subprocess

import pytest

from mlrunner.core.overrides import join_words


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

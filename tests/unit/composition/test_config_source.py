"""The source of a command line: its primary file, and the folders that options are looked for in."""

from __future__ import annotations

import pytest

from mlrunner.composition.config_source import ConfigSource, read_config_source


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("model=rf --multirun", ConfigSource()),
        ("-cd own model=rf -cn alt -cp /conf", ConfigSource("alt", "/conf", ("own",))),
        ("--config-dir=own hydra.searchpath=[pkg://mine,/two]", ConfigSource(folders=("own", "pkg://mine", "/two"))),
        ("hydra.searchpath=/one", ConfigSource()),
        ("hydra.searchpath=[/one", ConfigSource()),
    ],
)
def test_flags_and_search_path_are_read(words: str, expected: ConfigSource) -> None:
    assert read_config_source(words.split()) == expected

"""The source of a command line: its primary file, and the folders that options are looked for in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from mlrunner.composition.config_source import ConfigSource, read_config_flags, read_config_source
from mlrunner.core.project import CONF


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


def source(path: object, provider: str = "main", schema: str = "file") -> dict[str, str]:
    return {"path": str(path), "provider": provider, "schema": schema}


@pytest.mark.parametrize(
    ("sources", "name", "flags"),
    [
        ([source(CONF)], "mlrunner", ()),
        ([source("/gone/conf")], "mlrunner", ()),  # the project was moved
        ([source("/gone/own")], "mlrunner", ("-cp", "/gone/own")),
        ([source("{here}/conf")], "mlrunner", ("-cp", "{here}/conf")),
        ([source("{here}/conf", "project"), source(CONF)], "mlrunner", ()),
        ([source("mine.conf", schema="pkg")], "mlrunner", ("-cp", "pkg://mine.conf")),
        ([source(CONF), source("{here}/own", "command-line")], "alt", ("-cd", "own", "-cn", "alt")),
        ([source("hydra.conf", "hydra", "pkg"), source(CONF)], None, ()),
    ],
    ids=["ours", "moved", "gone", "copy", "project", "package", "folder and name", "no name"],
)
def test_the_flags_of_a_composition_are_read(
    sources: list[dict[str, str]],
    name: str | None,
    flags: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "conf").mkdir()
    placed = [{**each, "path": each["path"].format(here=tmp_path)} for each in sources]
    hydra: dict[str, Any] = {"runtime": {"config_sources": placed}, "job": {"config_name": name}}
    expected = tuple(flag.format(here=tmp_path) for flag in flags)
    assert read_config_flags(hydra) == read_config_flags(OmegaConf.create(hydra)) == expected

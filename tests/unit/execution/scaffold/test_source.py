"""Where the data of a new project come from."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlrunner.core.errors import ConfigError
from mlrunner.execution.scaffold.source import SAMPLE, read_source


def test_a_file_is_named_by_its_absolute_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    source = read_source("a b.csv", None, ["dataset.options.sep=';'", "dataset.ignore=[x]"])
    assert source.option == "csv"
    assert source.settings == {"path": str(tmp_path / "a b.csv"), "options": {"sep": ";"}}
    assert source.group["ignore"] == ["x"]  # a role, which the draft writes
    assert source.is_outside


def test_a_url_and_a_suffix_choose_the_option() -> None:
    source = read_source("https://host/t.parquet", None)
    assert (source.option, source.settings["path"], source.is_outside) == ("parquet", "https://host/t.parquet", False)


def test_a_format_replaces_the_suffix() -> None:
    source = read_source("t.dat", None, ["dataset.format=csv"])
    assert (source.option, set(source.settings)) == ("csv", {"path"})


def test_a_database_needs_its_query(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    source = read_source("sqlite:///shop.db", "SELECT * FROM a ORDER BY b")
    assert source.option == "sql"
    assert source.settings == {"url": f"sqlite:///{tmp_path}/shop.db", "query": "SELECT * FROM a ORDER BY b"}
    with pytest.raises(ConfigError, match="--data names a database; give --query"):
        read_source("sqlite:///shop.db", None)
    with pytest.raises(ConfigError, match="--query needs the database; give its URL as --data"):
        read_source(None, "SELECT 1")


def test_a_variable_stays_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP", "postgresql://u:secret@host/db")
    source = read_source("${oc.env:SHOP}", "SELECT 1 AS a")
    assert source.settings["url"] == "${oc.env:SHOP}"
    assert source.group["url"] == "postgresql://u:secret@host/db"


def test_a_password_is_not_written() -> None:
    with pytest.raises(ConfigError, match=r"; export it as a variable, like DATABASE_URL, and give --data .*oc.env"):
        read_source("postgresql://u:secret@host/db", "SELECT 1")


def test_without_data_it_is_the_embedded_table() -> None:
    source = read_source(None, None)
    assert (source.option, source.settings, source.group["target"]) == (SAMPLE, {}, "review_score")


@pytest.mark.parametrize("text", ["model=rf", "dataset.path=x.csv", "dataset.target=y"])
def test_only_keys_of_the_data_set_that_no_flag_says(text: str) -> None:
    with pytest.raises(ConfigError, match=f"'{text}' is not possible here"):
        read_source("x.csv", None, [text])

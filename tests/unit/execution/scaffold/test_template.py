"""The files of a new project."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import yaml

from mlrunner.core.errors import ConfigError
from mlrunner.execution.scaffold.draft import make_draft
from mlrunner.execution.scaffold.source import Source
from mlrunner.execution.scaffold.template import (
    MOST_COLUMNS,
    describe_columns,
    make_slug,
    refuse_used_folder,
    write_project,
    write_yaml,
)

NAME = 'Größe: "a" ${x} #1'  # a column that YAML, Hydra and comments could misread


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("churn", "churn"),
        ("Öl Preise", "oel_preise"),
        ("São-Paulo 2024", "sao_paulo_2024"),
        ("2024", "project_2024"),
        ("wine", "wine_project"),  # an option of conf/dataset/
        ("json", "json_project"),  # a module of Python
    ],
)
def test_a_name_becomes_one_of_files_and_packages(name: str, slug: str) -> None:
    assert make_slug(name) == slug


def test_a_name_without_letters_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"'!' has no letter or digit"):
        make_slug("!")


def test_a_used_folder_is_refused(tmp_path: Path) -> None:
    refuse_used_folder(tmp_path)
    refuse_used_folder(tmp_path / "new")
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="is not empty, and init replaces no files"):
        refuse_used_folder(tmp_path)
    with pytest.raises(ConfigError, match="is a file"):
        refuse_used_folder(tmp_path / "file")


def test_the_files_say_what_was_found(tmp_path: Path) -> None:
    table = pd.DataFrame({"y": [1.5, 2.5] * 20, NAME: "a", "line\nbreak": range(40)})
    source = Source("csv", {"path": "/d/t.csv", "rows": 40}, {})
    files = write_project(tmp_path / "new", "demo", source, make_draft(table, "y", {}))
    names = {file.relative_to(tmp_path / "new").as_posix() for file in files}
    assert {"conf/dataset/demo.yaml", "demo/cleaning.py", ".gitignore", ".github/workflows/check.yml"} <= names
    text = (tmp_path / "new/conf/dataset/demo.yaml").read_text()
    read = yaml.safe_load(text)
    assert read["ignore"] == [NAME.replace("$", "\\$"), "line\nbreak"]
    assert (read["path"], read["rows"], read["task"], read["group"]) == ("/d/t.csv", 40, "regression", None)
    assert all("#" in line for line in text.splitlines() if ":" in line and not line.startswith(("defaults", "#")))
    workflow = yaml.safe_load((tmp_path / "new/.github/workflows/check.yml").read_text())
    assert workflow["jobs"]["check"]["steps"][-1]["if"] == "vars.DATA != ''"  # the data are not in the repository


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    draft = make_draft(pd.DataFrame({"y": [1, 2]}), "y", {})
    with pytest.raises(ConfigError, match=r"file/new cannot be written \(Not a directory\); name a folder where"):
        write_project(tmp_path / "file/new", "demo", Source("csv", {}, {}), draft)


def test_a_wide_table_has_a_short_overview() -> None:
    table = pd.DataFrame({f"c{number}": [[1], [2]] if number == 0 else [1, None] for number in range(MOST_COLUMNS + 5)})
    lines = list(describe_columns(make_draft(table, "c1", {})))
    assert lines[0] == "c0   unsupported, values that cannot be compared"
    assert lines[1] == "c1   number, one value, 50.0% missing"
    assert lines[-1] == "and 5 more columns"


@pytest.mark.parametrize(
    ("value", "text"),
    [("plain_name", "plain_name"), ("yes", '"yes"'), ("1", '"1"'), ("a b", '"a b"'), ({"sep": ";"}, '{"sep": ";"}')],
)
def test_values_are_written_in_one_line(value: object, text: str) -> None:
    assert write_yaml(value) == text

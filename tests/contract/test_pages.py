"""The documentation: what is made of the code is complete, and what is written by hand names what exists."""

from __future__ import annotations

import importlib
import re
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

from mlrunner.cli import commands
from mlrunner.core import environment
from tests.support.console import Example, mask, matches, read_examples
from tests.support.front_door import PROJECT

DOCS = PROJECT / "docs"
OPTION = """\
# @package _global_
# A table.
_target_: a.Table
path: null # file | URL; "a # b" is a name
dtypes: {a: "x # y"} # types
deep: # settings
  low: 1 # lowest
  target: # without a comment of its own
    _target_: b.B
    high: 2 # highest
# above the key
long: [a,
  b]
defaults:
  - split: kfold # five folds
  - _self_
"""


@cache
def reference() -> ModuleType:
    """Import the generator, which is no package's module."""
    sys.path.insert(0, str(DOCS))
    return importlib.import_module("reference")


def test_keys_have_their_full_name_the_default_as_written_and_their_comment() -> None:
    assert [tuple(key) for key in reference().read_keys(OPTION)] == [
        ("path", "null", 'file | URL; "a # b" is a name'),
        ("dtypes", '{a: "x # y"}', "types"),
        ("deep", "", "settings"),
        ("deep.low", "1", "lowest"),
        ("deep.target", "", "without a comment of its own"),
        ("deep.target.high", "2", "highest"),
        ("long", "[a, b]", "above the key"),
    ]
    assert [tuple(key) for key in reference().read_choices(OPTION)] == [("split", "kfold", "five folds")]
    assert reference().read_title(OPTION) == "A table."


def test_a_cell_shows_what_is_written() -> None:
    key = reference().Key("a.b", "choice(1|2)", "a_b, *.csv, a|b and `c_d`")
    assert reference().table([key]).splitlines()[-1] == r"| `a.b` | `choice(1\|2)` | a\_b, \*.csv, a\|b and `c_d` |"


def test_every_option_and_key_is_in_the_reference(tmp_path: Path) -> None:
    gone = tmp_path / "groups" / "gone.md"
    gone.parent.mkdir()
    gone.touch()
    reference().write_pages(tmp_path)
    assert not gone.exists()
    for file in (path for path in (PROJECT / "conf").glob("*/*.yaml") if path.parent.name != "hydra"):
        page = (tmp_path / "groups" / f"{file.parent.name}.md").read_text()
        _, _, section = page.partition(f"\n## {file.parent.name}={file.stem}\n")
        names = {key for key in re.findall(r"^([a-z]\w*):", file.read_text(), re.MULTILINE) if key != "defaults"}
        shown = set(re.findall(r"^\| `(\w+)(?:\.[^`]*)?` ", section.partition("\n## ")[0], re.MULTILINE))
        assert names <= shown, file
    assert set(re.findall(r"^## (\w+)$", (tmp_path / "verbs.md").read_text(), re.MULTILINE)) == {*commands.VERBS}


def test_each_key_of_a_search_has_its_meaning() -> None:
    keys = reference().render_sweeper().partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| `[^|]*` \| (.*) \|$", keys, re.MULTILINE)
    assert dict(rows)["n_jobs"] == "trials at the same time"
    assert [name for name, meaning in rows if not meaning] == []


def test_the_page_of_variables_has_all_of_ours() -> None:
    page = (DOCS / "reference" / "environment.md").read_text()
    ours = {value for name, value in vars(environment).items() if name.endswith("_VARIABLE")}
    assert {name for name in ours if f"`{name}`" not in page} == set()


def test_the_site_is_built_with_the_locked_versions_of_what_it_shares() -> None:
    locked = set((PROJECT / "requirements.lock").read_text().splitlines())
    names = {line.partition("==")[0] for line in locked}
    shared = {
        line for line in (DOCS / "requirements.lock").read_text().splitlines() if line.partition("==")[0] in names
    }
    assert shared
    assert shared - locked == set()


def test_the_readme_is_short_and_its_links_lead_somewhere() -> None:
    text = (PROJECT / "README.md").read_text()
    assert text.count("\n") <= 150
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", text)
    assert targets
    assert [target for target in targets if not (PROJECT / target).exists()] == []


def test_what_a_page_shows_is_compared_but_for_ids_times_and_gaps() -> None:
    page = "```console\n$ a b \\\n  c\nrun  0a1b2c3d took 0.10 s\n…\nlast 1.5\n$ d\n```\n"
    first, second = read_examples(page)
    assert (first.command, second) == ("a b   c", Example("d", ""))
    printed = "run 99999999   took 12.3 min\nany\nlines\nlast 1.5"
    assert matches(first.output, printed)
    assert not matches(first.output, printed.replace("1.5", "1.6"))
    assert not matches(first.output, printed + "\nmore")
    assert mask("at 2026-11-30 21:26, multirun/2026-11-30/21-25-40-504787/a") == "at TIME, multirun/TIME/a"

"""From `_target_` to an object, the sentences about what is wrong, and the digest of the code behind it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pydantic
import pytest
from pydantic import Field

from mlrunner.composition.code_digest import code_digest
from mlrunner.core.build import build, dataclass, locate, sentences
from mlrunner.core.errors import ConfigError, ProblemsError
from mlrunner.groups.cleaning import DataPreprocess, KeepAll
from mlrunner.groups.gate import Gate, NoGate
from mlrunner.groups.strategy import CleaningStrategy

ME = "tests.unit.core.test_build"


@dataclass
class Sample:
    share: float
    count: int = Field(default=1, gt=0)
    kind: Literal["mean", "median"] = "mean"
    names: list[str] = Field(default_factory=list)
    bounds: dict[str, tuple[float, float]] = Field(default_factory=dict)
    limit: int | str | None = None
    flag: bool = False


class Plain:
    """A class that checks nothing itself."""

    def __init__(self, size: int) -> None:
        self.size = size


def sample(**arguments: Any) -> dict[str, Any]:
    return {"_target_": f"{ME}.Sample", **arguments}


# --- locate -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["mlrunner.groups.gate.NoGate", "collections.OrderedDict", "os.path.join"])
def test_what_a_path_names_is_imported(target: str) -> None:
    module, _, name = target.rpartition(".")
    assert locate(target, "gate._target_") is getattr(importlib.import_module(module), name)


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (
            "mlrunner.groups.gate.NoGat",
            "gate._target_: mlrunner.groups.gate has no 'NoGat'; name a class by its full path. Did you mean 'NoGate'?",
        ),
        (
            "mlruner.gate.NoGate",
            "gate._target_: cannot import 'mlruner.gate.NoGate' (No module named 'mlruner'); name a class by its full "
            "path.",
        ),
        (
            "NoGate",
            "gate._target_: cannot import 'NoGate' (Empty module name); name a class by its full path.",
        ),
    ],
    ids=["name", "module", "no-module"],
)  # fmt: skip
def test_what_a_path_does_not_name_is_said(target: str, said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        locate(target, "gate._target_")
    assert str(raised.value) == said


# --- build --------------------------------------------------------------------------------------------------


def test_an_object_is_built_from_its_group_which_stays_as_it_was() -> None:
    group = sample(share=0.5, names=["a"])
    built = build(group, "split")
    assert (built.share, built.names, built.count) == (0.5, ["a"], 1)
    assert group == sample(share=0.5, names=["a"])


def test_a_class_of_the_kind_is_taken() -> None:
    assert build({"_target_": "mlrunner.groups.gate.NoGate"}, "gate", Gate) == NoGate()


@pytest.mark.parametrize(
    ("group", "kind", "said"),
    [
        ({}, object, "gate._target_ is not set; choose an option of conf/gate/ or name a class."),
        ({"_target_": None}, object, "gate._target_ is not set; choose an option of conf/gate/ or name a class."),
        (
            sample(share=1),
            Gate,
            f"gate._target_={ME}.Sample is no mlrunner.groups.gate.Gate; choose an option of conf/gate/, or name a "
            "class of that kind.",
        ),
        (
            {"_target_": "os.path.join"},
            Gate,
            "gate._target_=os.path.join is no class; choose an option of conf/gate/, or name a class of that kind.",
        ),
        (
            {"_target_": f"{ME}.Plain", "siz": 1},
            object,
            "gate: Plain.__init__() got an unexpected keyword argument 'siz'.",
        ),
    ],
    ids=["empty", "null", "other-kind", "function", "constructor"],
)
def test_a_group_that_cannot_be_built_is_said(group: dict[str, Any], kind: type, said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        build(group, "gate", kind)
    assert str(raised.value) == said


SENTENCES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "unknown": (
        {"share": 1, "cont": 2},
        ["split.cont is not a key; split has share, count, kind, names, bounds, limit, flag. Did you mean 'count'?"],
    ),
    "missing": ({}, ["split.share is not set; give it a value."]),
    "null": ({"share": None}, ["split.share=null should be a number."]),
    "text for a number": ({"share": "much"}, ["split.share=much should be a number."]),
    "fraction for a count": ({"share": 1, "count": 1.5}, ["split.count=1.5 should be a whole number."]),
    "bound": ({"share": 1, "count": 0}, ["split.count=0 should be greater than 0."]),
    "one of": (
        {"share": 1, "kind": "medain"},
        ["split.kind=medain should be 'mean' or 'median'. Did you mean 'median'?"],
    ),
    "no list": ({"share": 1, "names": "a"}, ["split.names=a should be a list, like [a,b]."]),
    "item": ({"share": 1, "names": ["a", 2]}, ["split.names.1=2 should be text."]),
    "no mapping": ({"share": 1, "bounds": [1]}, ["split.bounds=[1] should be keys with values, like {a: 1}."]),
    "deep": ({"share": 1, "bounds": {"a": [0, "x"]}}, ["split.bounds.a.1=x should be a number."]),
    "several types": ({"share": 1, "limit": 1.5}, ["split.limit=1.5 should be a whole number or text."]),
    "no yes or no": ({"share": 1, "flag": "maybe"}, ["split.flag=maybe should be true or false."]),
    "empty text": ({"share": ""}, ['split.share="" should be a number.']),
    "several": (
        {"share": "much", "count": 0, "typo": 1},
        [
            "split.share=much should be a number.",
            "split.count=0 should be greater than 0.",
            "split.typo is not a key; split has share, count, kind, names, bounds, limit, flag.",
        ],
    ),
}


@pytest.mark.parametrize("name", SENTENCES)
def test_each_mistake_is_one_sentence_with_its_key(name: str) -> None:
    arguments, said = SENTENCES[name]
    with pytest.raises(ProblemsError) as raised:
        build(sample(**arguments), "split")
    assert sorted(raised.value.problems) == sorted(said)


def test_sentences_at_the_top_of_the_composition_name_no_holder() -> None:
    class Settings(pydantic.BaseModel, extra="forbid"):
        seed: int

    with pytest.raises(pydantic.ValidationError) as raised:
        Settings.model_validate({"seed": "x", "sed": 1})
    assert sentences(raised.value, "", {"": ["seed"]}) == [
        "seed=x should be a whole number.",
        "sed is not a key; the composition has seed. Did you mean 'seed'?",
    ]


# --- code_digest --------------------------------------------------------------------------------------------

STRATEGY = """
from mlrunner.core.build import dataclass
from mlrunner.groups.strategy import CleaningStrategy
{imports}

@dataclass
class Mine(CleaningStrategy):
    def transform_rows(self, table):
        {inside}
        return table
"""
SOURCES = {
    "mine_helper.py": "LIMIT = 1\n\ndef work():\n    return LIMIT\n",
    "mine_unrelated.py": "LIMIT = 1\n",
    "mine_package/__init__.py": "",
    "mine_package/deep.py": "from mine_deeper import VALUE\n",
    "mine_package/beside.py": "from . import deep\n",
    "mine_deeper.py": "VALUE = 1\n",
}


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A user's own folder of modules, outside of the checkout."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith("mine"):
            del sys.modules[name]


def write(folder: Path, imports: str, inside: str = "pass") -> CleaningStrategy:
    """Write the user's modules and build the strategy in them."""
    sources = {**SOURCES, "mine.py": STRATEGY.format(imports=imports, inside=inside)}
    for name, source in sources.items():
        file = folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(source)
    importlib.invalidate_caches()
    built: CleaningStrategy = build({"_target_": "mine.Mine"}, "cleaning", CleaningStrategy)
    return built


IMPORTS: dict[str, tuple[str, str, str]] = {
    "itself": ("", "pass", "mine.py"),
    "a module": ("import mine_helper", "pass", "mine_helper.py"),
    "a module by another name": ("import mine_helper as other", "pass", "mine_helper.py"),
    "a function": ("from mine_helper import work", "pass", "mine_helper.py"),
    "a constant": ("from mine_helper import LIMIT", "pass", "mine_helper.py"),
    "inside a function": ("", "from mine_helper import LIMIT", "mine_helper.py"),
    "a module of a package": ("from mine_package import deep", "pass", "mine_package/deep.py"),
    "a dotted module": ("import mine_package.deep", "pass", "mine_package/deep.py"),
    "behind a module": ("from mine_package import deep", "pass", "mine_deeper.py"),
    "beside a module": ("from mine_package.beside import deep", "pass", "mine_package/deep.py"),
}


@pytest.mark.parametrize("name", IMPORTS)
def test_an_edited_module_that_a_strategy_runs_on_changes_its_digest(name: str, outside: Path) -> None:
    imports, inside, edited = IMPORTS[name]
    built = write(outside, imports, inside)
    before = code_digest(built)
    assert code_digest(built) == before
    file = outside / edited
    file.write_text(file.read_text() + "# edited\n")
    assert code_digest(built) != before


@pytest.mark.parametrize("edited", ["mine_unrelated.py", "mine_package/beside.py", "new.py"])
def test_an_edited_module_that_it_does_not_run_on_changes_nothing(edited: str, outside: Path) -> None:
    built = write(outside, "from mine_package import deep")
    before = code_digest(built)
    (outside / edited).write_text("LIMIT = 2\n")
    assert code_digest(built) == before


def test_modules_that_import_each_other_are_digested(outside: Path) -> None:
    (outside / "mine_circle.py").write_text("import mine\n")
    built = write(outside, "import mine_circle")
    before = code_digest(built)
    (outside / "mine_circle.py").write_text("import mine  # edited\n")
    assert code_digest(built) != before


def test_settings_play_no_part_and_classes_of_other_modules_do() -> None:
    assert code_digest(KeepAll(drop=["a"])) == code_digest(KeepAll()) == code_digest(DataPreprocess())
    assert code_digest(KeepAll()) != code_digest(NoGate())


def test_the_python_that_runs_it_plays_a_part(monkeypatch: pytest.MonkeyPatch) -> None:
    before = code_digest(KeepAll())
    monkeypatch.setattr(sys, "version", "3.99")
    assert code_digest(KeepAll()) != before


def test_an_object_of_a_library_has_the_digest_of_the_versions_alone() -> None:
    assert code_digest(1) == code_digest(pydantic.Field()) == code_digest(Path())

"""The digest of a class changes with each module that it runs on, and with no other."""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pydantic
import pytest

from mlrunner.composition import code_digest as module
from mlrunner.composition.code_digest import code_digest, source_digests
from mlrunner.core.build import build
from mlrunner.groups.cleaning import KeepAll, RobustPreprocess
from mlrunner.groups.gate import NoGate
from mlrunner.groups.strategy import CleaningStrategy
from tests.support.front_door import PROJECT

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
    before = code_digest(type(built))
    assert code_digest(type(built)) == before
    file = outside / edited
    file.write_text(file.read_text() + "# edited\n")
    assert code_digest(type(built)) != before


@pytest.mark.parametrize("edited", ["mine_unrelated.py", "mine_package/beside.py", "new.py"])
def test_an_edited_module_that_it_does_not_run_on_changes_nothing(edited: str, outside: Path) -> None:
    built = write(outside, "from mine_package import deep")
    before = code_digest(type(built))
    (outside / edited).write_text("LIMIT = 2\n")
    assert code_digest(type(built)) == before


def test_modules_that_import_each_other_are_digested(outside: Path) -> None:
    (outside / "mine_circle.py").write_text("import mine\n")
    built = write(outside, "import mine_circle")
    before = code_digest(type(built))
    (outside / "mine_circle.py").write_text("import mine  # edited\n")
    assert code_digest(type(built)) != before


def test_classes_of_one_module_share_a_digest() -> None:
    assert code_digest(KeepAll) == code_digest(RobustPreprocess) != code_digest(NoGate)


def test_the_version_of_python_changes_the_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    before = code_digest(KeepAll)
    monkeypatch.setattr(sys, "version", "3.99")
    assert code_digest(KeepAll) != before


def test_a_class_of_a_library_is_digested_by_versions_alone() -> None:
    assert code_digest(int) == code_digest(pydantic.BaseModel) == code_digest(Path)


def test_the_sources_of_a_run_are_digested_by_module(outside: Path) -> None:
    built = write(outside, "from mine_package import deep")
    before = source_digests([built], ["mine_helper", "pandas", ""])
    assert {name for name in before if name.startswith("mine")} == {
        *("mine", "mine_package", "mine_package.deep", "mine_deeper", "mine_helper")
    }
    assert "mlrunner.groups.strategy" in before
    assert not [name for name in before if name.startswith(("pandas", "pydantic"))]
    (outside / "mine_deeper.py").write_text("VALUE = 2\n")
    after = source_digests([built], ["mine_helper"])
    assert {name for name in before if before[name] != after[name]} == {"mine_deeper"}


def test_an_installed_mlrunner_is_digested_and_its_neighbours_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("mlrunner", "other"):
        file = tmp_path / "site-packages" / name / "part.py"
        file.parent.mkdir(parents=True)
        file.write_text("x = 1\n")
        module = ModuleType(f"{name}.part")
        module.__file__ = str(file)
        monkeypatch.setitem(sys.modules, module.__name__, module)
    assert list(source_digests([], ["mlrunner.part", "other.part"])) == ["mlrunner.part"]


@pytest.mark.parametrize(
    ("source", "names"),
    [
        (b"import a.b, c as d  # e\n", ["a.b", "c"]),
        (b"def f():\n    from a import (\n        b,  # (c)\n        d,\n    )\n", ["a", "a.b", "a.d"]),
        (b"from.a import b\nfrom .import c\n", ["top.a", "top.a.b", "top", "top.c"]),
        (b"if True: import a\n", ["a"]),
        (b"x = 1; from a import b\n", ["a", "a.b"]),
        (b"from a import b, \\\n    c\n", ["a", "a.b", "a.c"]),
        (b"from a \\\n    import b\n", ["a", "a.b"]),
        (b"from a import (b)\r\nimport c\r\n", ["a", "a.b", "c"]),
        (b"import_a()\nfrom_b = 1\n", []),
        (b'"""\nimport nothing of this kind\n"""\nimport a\n', ["a"]),
    ],
)
def test_every_way_to_write_an_import_is_found(source: bytes, names: list[str]) -> None:
    assert module._imports(source, "top") == names


def test_the_imports_of_our_own_code_are_those_that_python_sees() -> None:
    for file in sorted((PROJECT / "mlrunner").rglob("*.py")):
        source = file.read_bytes()
        assert list_imports(module._parse_imports(source)) == list_imports(ast.parse(source)), file


def list_imports(tree: ast.Module) -> list[str]:
    return sorted(ast.dump(node) for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom))


def test_finding_sources_imports_no_module(outside: Path) -> None:
    write(outside, "from mine_package import deep")
    (outside / "mine_package" / "costly.py").write_text("def work(): ...\n")
    (outside / "mine_package" / "deep.py").write_text("def later():\n    from mine_package.costly import work\n")
    importlib.invalidate_caches()
    before = set(sys.modules)
    assert "mine_package.costly" in source_digests([], ["mine_package.deep"])
    assert set(sys.modules) == before

"""The tree holds what docs/architecture.md and pyproject.toml say of it: levels, cycles, names, sizes, tests."""

from __future__ import annotations

import ast
import re
import tomllib
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import grimp

from tests.support.front_door import PROJECT

PACKAGE = PROJECT / "mlrunner"
MOST_NAMES, MOST_LEVELS, MOST_LINES, LONGEST_FUNCTION = 14, 8, 200, 40
MODULES = sorted(path.relative_to(PROJECT) for path in PACKAGE.rglob("*.py"))
FOLDERS = sorted({path.parent for path in MODULES if path.parent != Path("mlrunner")})


@cache
def contracts() -> list[dict[str, Any]]:
    """Return import-linter's contracts that order layers."""
    linter = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["importlinter"]
    return [contract for contract in linter["contracts"] if contract["type"] == "layers"]


def layers(contract: dict[str, Any]) -> list[list[str]]:
    """Return the dotted names of a contract, one list a level, the highest first."""
    containers = contract.get("containers", [""])
    return [
        [f"{container}.{name.strip(' ()')}".strip(".") for name in re.split("[|:]", level) for container in containers]
        for level in contract["layers"]
    ]


@cache
def imports() -> dict[str, set[str]]:
    """Return what each module imports at run time, within the project."""
    graph = grimp.build_graph("mlrunner", "pipelines", exclude_type_checking_imports=True)
    return {module: graph.find_modules_directly_imported_by(module) - {module} for module in graph.modules}


def test_no_module_imports_itself_through_others() -> None:
    assert len(list(TopologicalSorter(imports()).static_order())) == len(imports())


def test_the_top_of_the_package_is_short() -> None:
    names = {path.relative_to("mlrunner").parts[0] for path in MODULES}
    assert len(names) <= MOST_NAMES, sorted(names)


def test_the_levels_are_few() -> None:
    assert len(layers(contracts()[0])) <= MOST_LEVELS


def test_every_folder_stands_in_the_import_contract() -> None:
    named = {name for contract in contracts() for level in layers(contract) for name in level}
    assert {".".join(folder.parts) for folder in FOLDERS} - named == set()


def test_every_module_has_its_test_file() -> None:
    tested = [module for module in MODULES if has_code(PROJECT / module)]
    assert [str(module) for module in tested if not (PROJECT / test_file(module)).is_file()] == []


def has_code(path: Path) -> bool:
    """Check whether a module defines anything; docstrings, imports and `__all__` are no code."""
    body = ast.parse(path.read_text()).body
    return any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) for node in body)


def test_file(module: Path) -> Path:
    """Return where a module's tests are: `a/b.py` in `unit/a/test_b.py`, the package `a` in `unit/a/test_a.py`."""
    inner = module.relative_to("mlrunner")
    name = inner.parent.name if inner.stem == "__init__" else inner.stem.strip("_")
    return Path("tests/unit") / inner.parent / f"test_{name}.py" if name else Path("tests/unit/test_mlrunner.py")


test_file.__test__ = False  # type: ignore[attr-defined]  # a helper, whatever its name


def test_modules_and_functions_are_small() -> None:
    texts = {module: (PROJECT / module).read_text() for module in MODULES}
    assert [str(module) for module, text in texts.items() if text.count("\n") > MOST_LINES] == []
    nodes = [(module, node) for module, text in texts.items() for node in ast.walk(ast.parse(text))]
    functions = [(str(module), node) for module, node in nodes if isinstance(node, ast.FunctionDef)]
    assert [(module, node.name) for module, node in functions if lines(node) > LONGEST_FUNCTION] == []


def lines(function: ast.FunctionDef) -> int:
    """Count the lines of a function without its docstring."""
    docstring = ast.get_docstring(function, clean=False)
    return (function.end_lineno or 0) - function.lineno + 1 - (docstring.count("\n") + 1 if docstring else 0)


def test_the_diagram_shows_the_folders_of_the_tree() -> None:
    page = (PROJECT / "docs" / "architecture.md").read_text()
    drawn = set(re.findall(r"`mlrunner/([\w/]+)/`", page))
    assert drawn == {"/".join(folder.parts[1:]) for folder in FOLDERS}


def test_no_test_imports_from_a_test() -> None:
    pattern = re.compile(r"^\s*(from|import) tests\.(unit|apps|contract)", re.MULTILINE)
    assert [str(path) for path in (PROJECT / "tests").rglob("*.py") if pattern.search(path.read_text())] == []

"""The messages of mlrunner that say what to type, collected from its source."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from tests.support.front_door import PROJECT

VERBS = (
    "accept add call choose deploy give install leave list name overwrite predict restart restore resume run see set "
    "start take treat try undo use write"
)
# What is typed: an override, a verb, a flag, a package, a variable or a key.
TYPED = (
    r"(?:[\w{}'\"+~]+(?:[./@][\w{}\[\]'.]+)*=[^ ;,=]|mlrunner (?!did|nor)[a-z\-]|--[a-z]|pip install|[A-Z]{3,}_[A-Z_]+|"
    r"(?:cleaning|dataset|deployer|gate|hydra|metric|model|objective|split|stack|tracking)\.[a-z_]+)"
)
ADVICE = re.compile(rf"\b(?i:{VERBS.replace(' ', '|')})s?\b(?:[^.;]|\.(?=\w)|(?<=e\.g)\.)*?{TYPED}")
# Texts of --help, documents, statements and addresses.
HELP = re.compile(
    r"examples?:|examples?\n|use as: |^<|^(FROM|ENV|SELECT) |^mlrunner (report|tag) \[|against the default|^RUN\||"
    r"/api/",
    re.MULTILINE,
)
BEGINNING = 12  # characters of an advice that a test must have
COMMAND = re.compile(r"mlrunner (?P<verb>(?!nor|did|made)[a-z]+)(?P<rest>[^.;,)]*)")


def list_templates() -> dict[str, str]:
    """List the messages that say what to type, with `{}` for what is filled in, and their places."""
    templates = {}
    for file in sorted((PROJECT / "mlrunner").rglob("*.py")):
        tree = ast.parse(file.read_text())
        statements = [node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)]
        docstrings = {id(value) for value in statements if isinstance(value, ast.Constant)}
        for node, text in _list_texts(tree, docstrings):
            if ADVICE.search(text) and not HELP.search(text):
                templates[text] = f"{file.relative_to(PROJECT)}:{node.lineno}"
    return templates


def find_template(templates: Iterable[str], words: str) -> str:
    """Find the message that has these words; where one is a part of others, the one that equals them."""
    found = [template for template in templates if words in template]
    exact = [template for template in found if template == words] if len(found) > 1 else found
    assert len(exact) == 1, (words, found)
    return exact[0]


def _list_texts(node: ast.AST, skipped: set[int]) -> Iterator[tuple[ast.expr, str]]:
    if id(node) in skipped:
        return
    text = _read_text(node)
    if text is not None and isinstance(node, ast.expr):
        yield node, text
        return
    for child in ast.iter_child_nodes(node):
        yield from _list_texts(child, skipped)


def _read_text(node: ast.AST) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return None


def matches(template: str, sentence: str) -> bool:
    """Check whether a sentence, or a part of it, is made from a template."""
    return re.search(".*".join(map(re.escape, template.split("{}"))), sentence) is not None


def list_commands(template: str) -> list[tuple[str, list[str]]]:
    """List the verbs that a template says to run, with their flags."""
    found = [(match["verb"], match["rest"].split()) for match in COMMAND.finditer(template)]
    return [(verb, [word for word in rest if word.startswith("--")]) for verb, rest in found]


def find_unit_test(place: str) -> Path:
    """Return the file that holds the unit tests of a module.

    Args:
        place: File and line of a message, from `list_templates`.
    """
    module = PROJECT / place.partition(":")[0].replace("mlrunner/", "tests/unit/", 1)
    name = module.parent.name if module.stem == "__init__" else module.stem.strip("_")
    return module.with_name(f"test_{name}.py")


def asserts_advice(file: Path, template: str) -> bool:
    """Check whether a text of a test file has the beginning of what a message says to type."""
    match = ADVICE.search(template)
    assert match is not None, template
    beginning = template[match.start() :][:BEGINNING].rstrip("{")
    pattern = re.compile(".+".join(map(re.escape, beginning.split("{}"))))
    return any(pattern.search(text) for text in _read_constants(file))


@cache
def _read_constants(file: Path) -> list[str]:
    """Read the texts of a test file, without the backslashes of regular expressions."""
    nodes = (node.value for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Constant))
    return [re.sub(r"\\(.)", r"\1", value) for value in nodes if isinstance(value, str)]

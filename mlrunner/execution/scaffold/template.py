"""Write the files of a new project from the templates of this package."""

from __future__ import annotations

import importlib.util
import json
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from mlrunner import __version__
from mlrunner.core.column_kinds import infer_kinds
from mlrunner.core.conf_files import list_options
from mlrunner.core.errors import ConfigError
from mlrunner.core.project import conf_folders
from mlrunner.execution.scaffold.draft import Draft
from mlrunner.execution.scaffold.source import Source

FOLDER, SUFFIX = Path(__file__).parent / "template", ".jinja"
MOST_COLUMNS = 60  # lines of the overview; a wider table has its first ones
PLAIN = re.compile(r"[A-Za-z_][\w./-]*", re.ASCII)  # a text that YAML reads as text without quotes, but for WORDS
WORDS = re.compile(r"true|false|null|yes|no|on|off|y|n", re.IGNORECASE)
LETTERS = {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"}
COMMENTS = {
    "path": "file, glob or URL; ${project}/data/table.csv is a file of this project",
    "url": "SQLAlchemy URL of the database",
    "query": "SELECT statement; ORDER BY makes the order of the rows, and so the split, reproducible",
    "options": "further arguments of the reader",
    "dtypes": "pandas dtype by column",
}


def make_slug(name: str) -> str:
    """Make a name for files and the Python package from that of a project; another one than those that exist.

    Raises:
        ConfigError: When the name has no letter or digit that can stand in one.
    """
    lowered = "".join(LETTERS.get(sign, sign) for sign in unicodedata.normalize("NFC", name.lower()))
    ascii_only = unicodedata.normalize("NFKD", lowered).encode("ascii", "ignore").decode()
    slug = re.sub(r"\W+", "_", ascii_only).strip("_")
    if not slug:
        raise ConfigError(f"'{name}' has no letter or digit of the Latin alphabet; give the project another name.")
    slug = slug if slug[0].isalpha() else f"project_{slug}"
    options = {option for group in ("dataset", "cleaning") for option in list_options(group)}
    module = importlib.util.find_spec(slug)  # without an origin, it is a mere folder beside the project
    is_taken = slug in (*options, "tests", "conf") or (module is not None and module.origin is not None)
    return f"{slug}_project" if is_taken else slug


def refuse_used_folder(folder: Path) -> None:
    """Refuse a folder that holds anything.

    Raises:
        ConfigError: When it is not empty, or no folder.
    """
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"{folder} is a file; give the project another name.")
    if folder.exists() and any(folder.iterdir()):
        raise ConfigError(f"{folder} is not empty, and init replaces no files; name a new or an empty folder.")


def write_project(folder: Path, slug: str, source: Source, draft: Draft) -> list[Path]:
    """Write the files of a project, and return them.

    Args:
        folder: New or empty folder.
        slug: Name of its options and of its Python package.
        source: Where its data come from.
        draft: What a look at the data suggests.

    Raises:
        ConfigError: When the folder cannot be written.
    """
    values = {"slug": slug, "package": slug, "title": folder.name, "version": __version__, "comments": COMMENTS}
    texts = render(values | {"source": source, "draft": draft, "column_lines": list(describe_columns(draft))})
    try:
        for name, text in texts.items():
            (file := folder / name).parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"{folder} cannot be written ({error.strerror}); name a folder where you may write."
        ) from error
    conf_folders.cache_clear()  # the folder has become a project
    return [folder / name for name in texts]


def render(values: dict[str, Any]) -> dict[str, str]:
    """Render the templates: text by path in the project."""
    environment = Environment(  # `{{ }}` belongs to GitHub's workflows
        block_start_string="[%",
        block_end_string="%]",
        variable_start_string="[[",
        variable_end_string="]]",
        comment_start_string="[#",
        comment_end_string="#]",
        loader=FileSystemLoader(FOLDER),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # these are no pages for a browser
    )
    environment.filters |= {
        "yaml": write_yaml,
        "column": lambda name: write_yaml(name.replace("${", "\\${")),  # no interpolation of OmegaConf
        "line": lambda text: " ".join(str(text).split()),
        "thousands": "{:,}".format,
    }
    files = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob(f"*{SUFFIX}"))
    names = {file: file.removesuffix(SUFFIX).replace("SLUG", values["slug"]) for file in files}
    return {
        re.sub(r"^package/", f"{values['package']}/", names[file]): environment.get_template(file).render(values)
        for file in files
    }


def write_yaml(value: Any) -> str:
    """Write a value in one line of YAML."""
    if isinstance(value, str) and PLAIN.fullmatch(value) and not WORDS.fullmatch(value):
        return value
    return json.dumps(value, ensure_ascii=False)


def describe_columns(draft: Draft) -> Iterator[str]:
    """Describe the kind and the values of each column in a line."""
    table = draft.table
    kinds = list(infer_kinds(table).items())
    width = max(len(name) for name, _ in kinds[:MOST_COLUMNS])
    for name, kind in kinds[:MOST_COLUMNS]:
        missing = table[name].isna().mean()
        gaps = f", {missing:.1%} missing" if missing else ""
        yield " ".join(f"{name}".split()).ljust(width) + f"  {kind}, {_count(table[name])}{gaps}"
    if len(kinds) > MOST_COLUMNS:
        yield f"and {len(kinds) - MOST_COLUMNS:,} more columns"


def _count(column: Any) -> str:
    try:
        count = column.nunique()
    except TypeError:  # lists
        return "values that cannot be compared"
    return f"{count:,} different values" if count != 1 else "one value"

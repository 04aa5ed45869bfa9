"""`mlrunner init`: start a project of one's own."""

from __future__ import annotations

import sys
from pathlib import Path

from rich.prompt import Prompt

from mlrunner.cli.commands.parser import Parser
from mlrunner.core import environment
from mlrunner.core.errors import ConfigError, brief
from mlrunner.core.overrides import join_words
from mlrunner.core.terminal import console, relative_path, show_line, show_warnings

EXAMPLES = """\
Further overrides such as "dataset.options.sep=';'" say how the data are read.

examples:
  mlrunner init reviews
  mlrunner init churn --data customers.csv --target churned
  mlrunner init sales --data sqlite:///shop.db --query "SELECT * FROM orders ORDER BY id" --target total
"""


def main(arguments: list[str]) -> int:
    """Write the files of a project, after a look at its data.

    Raises:
        ConfigError: When the folder is not empty, or a name is missing without a terminal to ask for it.
    """
    usage = "mlrunner init [-h] [NAME] [--data FILE|URL] [--query SELECT] [--target COLUMN] [dataset.KEY=VALUE ...]"
    what = "Start a project: a folder with the configuration of your data, which runs at once."
    parser = Parser("init", what, EXAMPLES, usage)
    parser.add_argument("words", nargs="*", metavar="NAME", help="folder of the project, new or empty")
    parser.add_argument("--data", metavar="FILE|URL", help="table, glob or database; the embedded table by default")
    parser.add_argument("--query", metavar="SELECT", help="statement that reads a database")
    parser.add_argument("--target", metavar="COLUMN", help="column to predict")
    given = parser.parse_intermixed_args(arguments)
    names = [word for word in given.words if "=" not in word]
    if len(names) > 1:
        raise ConfigError(f"mlrunner init takes one name, not {brief(names)}; quote a name with blanks.")
    overrides = [word for word in given.words if "=" in word]
    name = names[0] if names else _ask("name of the project", "a name, like mlrunner init churn")
    data = given.data if given.data or names else _ask_for_data()
    return create(Path(name).absolute(), data or None, given.query, given.target, overrides)


def create(folder: Path, data: str | None, query: str | None, target: str | None, overrides: list[str]) -> int:
    """Look at the data, and write the project."""
    from mlrunner.execution.scaffold import draft, source, template

    template.refuse_used_folder(folder)
    with environment.temporary_variables(MLRUNNER_PROJECT=str(folder)):  # and not the project around it
        slug = template.make_slug(folder.name)
        read = source.read_source(data, query, overrides)
        table, lost = draft.read_table(read.group)
        target = target or read.group.get("target") or _ask_for_target(list(map(str, table.columns)))
        found = draft.make_draft(table, target, read.group, lost)
    template.write_project(folder, slug, read, found)
    rows, columns = table.shape
    console().print(f"{relative_path(str(folder))}: a project with {rows:,} rows and {columns} columns", style="bold")
    show_line("target", f"{target}, {found.task}: {found.task_reason}")
    for name, reason in found.ignore.items():
        show_line("ignored", f"{name} {reason}")
    for role, column in (("group", found.group), ("time", found.time)):
        if column is not None:
            show_line(role, f"{column[0]}, {column[1]}")
    show_warnings([notice._asdict() for notice in found.notices])
    show_line("next", f"{join_words(['cd', relative_path(str(folder))])} && mlrunner check", soft_wrap=True)
    return 0


def _is_asked() -> bool:
    return sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()


def _ask(question: str, missing: str) -> str:
    if not _is_asked():
        raise ConfigError(f"mlrunner init needs {missing}.")
    return Prompt.ask(question, console=console())


def _ask_for_data() -> str | None:
    if not _is_asked():
        return None
    return Prompt.ask("file or URL of the data, empty for the embedded table", default="", show_default=False)


def _ask_for_target(columns: list[str]) -> str:
    if not _is_asked():
        raise ConfigError(f"--target is missing; name the column to predict, one of {brief(columns, 20)}.")
    console().print(f"columns: {brief(columns, 60)}")
    return Prompt.ask("column to predict", default=columns[-1], console=console())

"""`mlrunner check`: the check at the start of a run, alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text

from mlrunner.cli.commands.parser import Parser
from mlrunner.core.errors import MlrunnerError, ProblemsError
from mlrunner.core.overrides import join_words
from mlrunner.core.table import text_table
from mlrunner.core.terminal import console, show_line, show_warnings

if TYPE_CHECKING:
    from mlrunner.execution.composition_check import Preview
    from mlrunner.search.plan import SearchPlan

    Search = tuple[SearchPlan, list[tuple[str, ...]]]

EXAMPLES = """\
examples:
  mlrunner check
  mlrunner check experiment=baseline dataset.path=new.csv
  mlrunner check sweep=optuna model=xgboost,rf     # the ranges of a search, too
  mlrunner check --all     # in a pre-commit hook or in CI
"""
MOST_COLUMNS = 50  # lines of the profile
NAME_LENGTH, VALUE_LENGTH = 32, 20  # characters
FREQUENT = 0.01  # smallest share that is worth a number


def main(arguments: list[str]) -> int:
    """Check one composition, or every option of the project.

    Raises:
        MlrunnerError: When a composition cannot run.
    """
    what = "Check a composition without running it: what would run, on which rows, with which warnings."
    parser = Parser("check", what, EXAMPLES)
    parser.add_argument("overrides", nargs="*", metavar="GROUP=OPTION|KEY=VALUE", help="overrides, as of a run")
    parser.add_flags(all="check the composition, and each option of the project's own conf/ in it")
    given = parser.parse_intermixed_args(arguments)
    return check_all(given.overrides) if given.all else check_one(given.overrides)


def check_one(overrides: list[str]) -> int:
    """Check a composition, and print it with its rows and columns."""
    from mlrunner.execution.output import show_composition

    seen, search = preview(overrides)
    show_composition(seen.checked)
    show_line("rows", _describe_rows(seen))
    console().print()
    show_profile(seen.profile["columns"], seen.profile["looked_at"])
    console().print()
    if search is not None:
        from mlrunner.search.plan import show_plan

        show_plan(*search)
    show_line("run", join_words(["mlrunner", *overrides]), soft_wrap=True)
    return 0


def preview(overrides: list[str]) -> tuple[Preview, Search | None]:
    """Check a composition, or each choice of a search and the ends of its ranges.

    Returns:
        The composition, which is the first one of a search; the plan of the search and its first trials.

    Raises:
        MlrunnerError: When anything of it cannot run.
    """
    from mlrunner.cli.hydra_app import MULTIRUN, hydra_arguments, raise_translated, register_sweeper
    from mlrunner.execution import composition_check

    words = hydra_arguments(overrides)
    if MULTIRUN not in words:
        return composition_check.preview(overrides), None
    from mlrunner.search import entry

    register_sweeper()
    try:
        plan, trials = entry.preview([word for word in words if word != MULTIRUN])
    except Exception as error:
        raise_translated(error, words)
    return composition_check.preview(trials[0]), (plan, trials)


def check_all(overrides: list[str]) -> int:
    """Check the composition and each option of the project in it, one line each.

    Raises:
        ProblemsError: With the problems of all of them.
    """
    from mlrunner.execution.composition_check import list_own_options

    problems: list[str] = []
    for option in ("", *list_own_options()):
        words = [*filter(None, [option]), *overrides]
        name = join_words(words) or "the default composition"
        try:
            seen, _ = preview(words)
        except MlrunnerError as error:
            problems += [f"{name}: {sentence}" for sentence in getattr(error, "problems", [str(error)])]
            console().print(Text.assemble(("✗ ", "red"), name))
            continue
        console().print(Text.assemble(("✓ ", "green"), name, (f"  {_describe_rows(seen)}", "dim")))
        show_warnings([notice._asdict() for notice in seen.checked.notices])
    if problems:
        raise ProblemsError(problems)
    return 0


def _describe_rows(seen: Preview) -> str:
    return ", ".join(f"{count:,} {part}" for part, count in seen.rows.items())


def show_profile(columns: dict[str, dict[str, Any]], rows: int) -> None:
    """Print a line for each column: its dtype, gaps, and the range or the most frequent of its values."""
    names = ["  column", "dtype", "missing", "different", "values"]
    lines = [
        ([f"  {name[:NAME_LENGTH]}", column["dtype"], f"{column['missing']:.1%}", f"{column['distinct']:,}", text], "")
        for name, column in list(columns.items())[:MOST_COLUMNS]
        for text in [_describe_values(column)]
    ]
    console().print(text_table(names, lines, ["  column", "dtype", "values"]))
    more = f", and {len(columns) - MOST_COLUMNS:,} more columns" if len(columns) > MOST_COLUMNS else ""
    console().print(f"  of {rows:,} evenly spaced rows{more}", style="dim")


def _describe_values(column: dict[str, Any]) -> str:
    """Describe the values of a column: its range, or its most frequent values with their shares."""
    from mlrunner.groups.dataset import profile

    if quantiles := column.get("quantiles"):
        return " to ".join(profile.format_value(end, column["dtype"]) for end in (quantiles[0], quantiles[-1]))
    top = {value[:VALUE_LENGTH]: share for value, share in list(column.get("top", {}).items())[:3]}
    frequent = [f"{value} {share:.0%}" for value, share in top.items() if share >= FREQUENT]
    return ", ".join(frequent) or ", ".join(list(top)[:1])

"""`mlrunner explain`: what each column adds to the predictions of a tree model (SHAP values)."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from rich.text import Text

from mlrunner.cli.commands.parser import CSV_HELP, MARKDOWN_HELP, TRUST_HELP, Parser, count
from mlrunner.core import environment
from mlrunner.core.errors import ConfigError
from mlrunner.core.formatting import nan_to_none
from mlrunner.core.terminal import console, print_text
from mlrunner.tracking.records import separate_stack_overrides

if TYPE_CHECKING:
    from mlrunner.core.table import Table
    from mlrunner.history.explanation import Explanation

TOP, TOP_OF_ROW = 20, 5
EPILOG = """\
Without ROWS, the table shows for a sample of the test rows how much each column matters, and in which direction; of
several classes, for the class that it contributes to most. With ROWS, it shows the greatest contributions to each
prediction; with the base they add up to the raw prediction: the target, its transform, log-odds or a probability, as
the last line says. Features that are made of one column, such as its categories or the parts of a date, count as this
column.

examples:
  mlrunner explain latest
  mlrunner explain best orders.csv --top 3
  mlrunner explain best rows.json --top 0 --csv
"""


def main(arguments: list[str]) -> int:
    """Explain a run.

    Raises:
        MlrunnerError: When there is no such run, it saved no model of trees, or the rows cannot be read.
    """
    parsed = _make_parser().parse_intermixed_args(arguments)
    words, overrides = separate_stack_overrides(parsed.words)
    if not 0 < len(words) < 3:
        raise ConfigError(
            "mlrunner explain needs a run and takes a file of rows, like mlrunner explain best orders.csv."
        )
    from mlrunner.execution.explanation import explain
    from mlrunner.history import explanation_tables

    rows = words[1] if len(words) == 2 else None
    explanation = explain(words[0], rows, environment.home(), overrides, parsed.trust)
    if rows is None:
        table = explanation_tables.make_summary(explanation, TOP if parsed.top is None else parsed.top)
    else:
        table = explanation_tables.make_row_table(explanation, TOP_OF_ROW if parsed.top is None else parsed.top)
    _write(table, explanation, parsed)
    return 0


def _make_parser() -> Parser:
    usage = "mlrunner explain [-h] [--top N] [--trust] [--json | --csv | --md] RUN|SWEEP [ROWS] [stack=…]"
    parser = Parser("explain", "Show what each column adds to the predictions of a tree model.", EPILOG, usage)
    parser.add_argument("words", nargs="*", metavar="RUN|SWEEP [ROWS]", help="run, and a CSV, Parquet or JSON file")
    most = f"number of columns ({TOP}; {TOP_OF_ROW} for each row); 0 for all"
    parser.add_argument("--top", metavar="N", type=count("columns"), help=most)
    parser.add_flags(trust=TRUST_HELP)
    parser.add_formats(json="print one JSON document", csv=CSV_HELP, md=MARKDOWN_HELP)
    return parser


def _write(table: Table, explanation: Explanation, parsed: argparse.Namespace) -> None:
    contributions = explanation.contributions
    if parsed.json:
        about = {
            "run_id": explanation.run_id,
            "rows": len(explanation.rows),
            "unit": contributions.unit,
            "base": contributions.base.tolist(),
            "classes": contributions.classes,
            "note": explanation.note or None,
        }
        print(json.dumps(nan_to_none({**about, "contributions": json.loads(table.to_json())}), default=str))
    elif parsed.csv:
        print_text(table.to_csv(), end="")
    elif parsed.md:
        print_text(table.to_markdown())
    else:
        console().print(table.to_rich())
    if not (parsed.json or parsed.csv or parsed.md):
        rows = f"{len(explanation.rows):,} row{'' if len(explanation.rows) == 1 else 's'} of {explanation.name}"
        note = f"; {explanation.note}" if explanation.note else ""
        console().print(Text(f"{rows}; contributions: {contributions.unit}{note}", "dim"))

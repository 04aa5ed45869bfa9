"""`mlrunner predict FILE`: predict a table of any size with a deployed model."""

from __future__ import annotations

import argparse
import json
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlrunner.cli.commands.parser import Parser
from mlrunner.core.errors import ConfigError, brief

if TYPE_CHECKING:
    from mlrunner.core.build import Group
    from mlrunner.steps.prediction import PredictionJob

OVERRIDE = re.compile(r"[+~]{0,2}(?P<group>\w+)([./@][\w./@]*)?=.*", re.DOTALL)
GROUPS = ("dataset", "stack")
EXAMPLES = """examples:
  mlrunner predict orders.csv
  mlrunner predict 'orders/*.parquet' -o scores.csv --keep order_id --offline
  mlrunner predict dataset=sql dataset.url=sqlite:///shop.db "dataset.query='select * from orders order by id'"

The output has the columns row (number in the input, from 0), those of --keep, prediction (or probability_CLASS for each
class), model and version. Rows that the model rejects go to OUT.rejected.csv, each with its reasons. The exit code is 1
when every row was rejected."""


def main(arguments: list[str]) -> int:
    """Predict a table.

    Returns:
        0 when rows were predicted or the table is empty, 1 when every row was rejected.

    Raises:
        MlrunnerError: When the input, the deployment or the output cannot be used.
    """
    parsed = _parser().parse_intermixed_args(arguments)
    file, overrides = split_words(parsed.words)
    from mlrunner.execution import prediction

    dataset, cfg = prediction.compose_dataset(file, overrides)
    job = _job(parsed, dataset, file)
    summary = prediction.run_prediction(dataset, job, cfg)
    print(json.dumps(summary)) if parsed.json else _show(summary)
    return int(summary["rows"] > 0 and summary["predicted"] == 0)


def _parser() -> Parser:
    what = "Predict a table of any size with a deployed model, a chunk of rows at a time."
    parser, chunk = Parser("predict", what, EXAMPLES), "rows in memory at a time (%(default)s)"
    words = "CSV or Parquet file, a glob in quotes or a URL; also overrides of dataset and stack"
    parser.add_argument("words", nargs="*", metavar="FILE", help=words)
    parser.add_argument("-o", "--out", metavar="OUT", type=Path, help="Parquet or CSV file (FILE.predictions.parquet)")
    parser.add_argument("--name", metavar="DEPLOYMENT", help="deployment; optional when there is only one")
    parser.add_argument("--version", type=int, metavar="N", help="another version of the model; needs --offline")
    parser.add_argument("--keep", metavar="COL,COL", default="", help="columns to copy into the output")
    parser.add_argument("--rows-per-chunk", type=int, default=10_000, metavar="N", help=chunk)
    parser.add_flags(
        offline="predict in this process, without the service",
        probabilities="write a column of probabilities for each class",
        force="overwrite the output",
        json="print one JSON document",
    )
    return parser


def split_words(words: list[str]) -> tuple[str | None, list[str]]:
    """Separate the file from the overrides.

    Returns:
        The file, None when the overrides name a data set; and the overrides.

    Raises:
        ConfigError: When there are several files or none, or an override of another group.
    """
    overrides: list[str] = []
    files: list[str] = []
    for word in words:
        match = OVERRIDE.fullmatch(word)
        has_folder = "/" in word.partition("=")[0]  # as in a glob of folders that are named year=2020
        is_override = match is not None and not has_folder and not Path(word).exists()
        if match is not None and is_override and match["group"] not in GROUPS:
            raise ConfigError(f"'{word}' cannot be overridden for a prediction; {' and '.join(GROUPS)} can.")
        (overrides if is_override else files).append(word)
    if len(files) > 1:
        raise ConfigError(
            f"mlrunner predict takes one file, got {len(files)}: {brief(files, 2)}; name one, or a glob in quotes."
        )
    if not files and not any(text.startswith("dataset=") for text in overrides):
        raise ConfigError("Name a FILE to predict, or a data set such as dataset=sql dataset.url=… dataset.query=….")
    return (files[0] if files else None), overrides


def _job(parsed: argparse.Namespace, dataset: Group, file: str | None) -> PredictionJob:
    from mlrunner.cli.commands.deploy import deployments_folder
    from mlrunner.steps.prediction import PredictionJob
    from mlrunner.steps.prediction.predictors import choose_source

    source = choose_source(deployments_folder(), parsed.name, parsed.version, parsed.offline)
    return PredictionJob(
        **{**dict(source), "probabilities": parsed.probabilities},
        out=str(parsed.out or default_out(file, str(dataset["name"]))),
        keep=tuple(name for name in parsed.keep.split(",") if name),
        rows_per_chunk=parsed.rows_per_chunk,
        force=parsed.force,
    )


def default_out(file: str | None, dataset: str) -> Path:
    """Return the default path of the output, in the working folder.

    Args:
        file: Path, glob or URL of the input; None for another data set.
        dataset: Name of the data set.
    """
    name = (file or "").partition("?")[0] if "://" in (file or "") else file or ""
    stem = re.sub(r"[^\w.-]+", "", Path(name).name).partition(".")[0].strip("-_")
    return Path(f"{stem or dataset}.predictions.parquet")


def _show(summary: dict[str, Any]) -> None:
    """Print a summary for people."""
    from mlrunner.core.terminal import relative_path, show_line

    rejected = summary["rejected_output"]
    lines = {
        "rows": f"{summary['rows']:,}: {summary['predicted']:,} predicted, {summary['rejected']:,} rejected",
        "model": f"{summary['model']} version {summary['version']}, through {summary['through']}",
        "output": shlex.quote(relative_path(summary["output"])),
        **({} if rejected is None else {"rejected": shlex.quote(relative_path(rejected))}),
        **{f"reason {number}": reason for number, reason in enumerate(summary["reasons"], 1)},
        "took": f"{summary['seconds']:.2f} s, {summary['rows_per_second']:,} rows/s",
        "zenml": summary["pipeline_run"],
    }
    for label, text in lines.items():
        show_line(label, text)

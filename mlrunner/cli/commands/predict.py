"""`mlrunner predict FILE`: predict a table of any size through what is deployed."""

from __future__ import annotations

import argparse
import json
import re
import shlex
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlrunner.cli.commands.parser import Parser
from mlrunner.core.errors import ConfigError, StoreError

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from mlrunner.core.build import Group
    from mlrunner.steps.prediction import PredictionJob

OVERRIDE = re.compile(r"[+~]{0,2}(?P<group>\w+)([./@][\w./@]*)?=.*", re.DOTALL)
GROUPS = ("dataset", "stack")
EXAMPLES = """examples:
  mlrunner predict orders.csv
  mlrunner predict 'orders/*.parquet' -o scores.csv --keep order_id --offline
  mlrunner predict dataset=sql dataset.url=sqlite:///shop.db "dataset.query='select * from orders order by id'"

The output has the columns row (in the input, from 0), those of --keep, prediction, model and version. Rows that the
model would refuse go to OUT.rejected.csv, each with its reasons. Exit code 1 tells that this happened to every row."""


def main(arguments: list[str]) -> int:
    """Predict a table.

    Returns:
        0 when there are predictions, or no rows at all; 1 when every row was put aside.
    """
    parsed = _parser().parse_intermixed_args(arguments)
    file, overrides = split_words(parsed.words)
    dataset, cfg = compose_dataset(file, overrides)
    job = _job(parsed, dataset, file)
    found = run(dataset, job, cfg)
    print(json.dumps(found)) if parsed.json else _show(found)
    return int(found["rows"] > 0 and found["predicted"] == 0)


def _parser() -> Parser:
    parser = Parser(
        prog="mlrunner predict",
        description="Predict a table of any size through what is deployed, piece by piece.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "words",
        nargs="*",
        metavar="FILE",
        help="CSV or Parquet: a file, a glob in quotes or a URL; or overrides of dataset and stack",
    )
    parser.add_argument("-o", "--out", metavar="OUT", type=Path, help="Parquet or CSV; FILE.predictions.parquet here")
    parser.add_argument("--name", metavar="DEPLOYMENT", help="when there are several")
    parser.add_argument("--offline", action="store_true", help="in this process, not through the service; needs none")
    parser.add_argument("--version", type=int, metavar="N", help="of the model, not the one that serves; offline")
    parser.add_argument("--keep", metavar="COL,COL", default="", help="columns to copy into the output")
    parser.add_argument(
        "--rows-per-chunk", type=int, default=10_000, metavar="N", help="rows held at once: %(default)s"
    )
    parser.add_argument("--force", action="store_true", help="overwrite the output")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser


def split_words(words: list[str]) -> tuple[str | None, list[str]]:
    """Tell the file from the overrides.

    Raises:
        ConfigError: When there are several files, or overrides of what has no part in this.
    """
    overrides: list[str] = []
    files: list[str] = []
    for word in words:
        match = OVERRIDE.fullmatch(word)
        is_override = match is not None and not Path(word).exists()
        if match is not None and is_override and match["group"] not in GROUPS:
            raise ConfigError(f"'{word}' has no part in a prediction; overrides of {' and '.join(GROUPS)} have.")
        (overrides if is_override else files).append(word)
    if len(files) > 1:
        raise ConfigError(
            f"{len(files)} files are named, {files[0]} and {files[1]} first; name one, or a glob in quotes."
        )
    if not files and not any(text.startswith("dataset=") for text in overrides):
        raise ConfigError("Name a FILE to predict, or a data set such as dataset=sql dataset.url=… dataset.query=….")
    return (files[0] if files else None), overrides


def compose_dataset(file: str | None, overrides: list[str]) -> tuple[Group, DictConfig]:
    """Compose the data set and the stack.

    Returns:
        The group of the data set, and the whole composition.
    """
    from mlrunner.composition.compose import compose_config
    from mlrunner.composition.resolve import resolve_group

    is_parquet = file is not None and re.search(r"\.(parquet|pq)\b", file.lower()) is not None
    named = any(text.startswith("dataset=") for text in overrides)
    option = [] if named else [f"dataset={'parquet' if is_parquet else 'csv'}"]
    cfg = compose_config([*option, *overrides])
    group = resolve_group(cfg, "dataset")
    return (group if file is None else {**group, "path": file}), cfg


def _job(parsed: argparse.Namespace, dataset: Group, file: str | None) -> PredictionJob:
    from mlrunner.cli.commands.deploy import deployments_folder
    from mlrunner.steps.prediction import PredictionJob
    from mlrunner.steps.prediction.predictors import choose_source

    chosen = choose_source(deployments_folder(), parsed.name, parsed.version, parsed.offline)
    return PredictionJob(
        **chosen._asdict(),
        out=str(parsed.out or default_out(file, str(dataset["name"]))),
        keep=[name for name in parsed.keep.split(",") if name],
        rows_per_chunk=parsed.rows_per_chunk,
        force=parsed.force,
    )


def default_out(file: str | None, dataset: str) -> Path:
    """Name the output after the input, in the working folder."""
    name = (file or "").partition("?")[0] if "://" in (file or "") else file or ""
    stem = re.sub(r"[^\w.-]+", "", Path(name).name).partition(".")[0].strip("-_")
    return Path(f"{stem or dataset}.predictions.parquet")


def run(dataset: Group, job: PredictionJob, cfg: DictConfig) -> dict[str, Any]:
    """Check the input, then run the pipeline.

    Args:
        dataset: The group of the composition.
        job: What is to be done with it.
        cfg: It names the stack.

    Returns:
        What came of it, as `mlrunner.steps.prediction.predict` has it, and the pipeline run's name.

    Raises:
        MlrunnerError: When it cannot be done; no file is written then.
    """
    from mlrunner.composition.resolve import resolve_group
    from mlrunner.core.build import build
    from mlrunner.steps import prediction

    prediction.check(dataset, job)
    build(resolve_group(cfg, "stack"), "stack").activate(Path(cfg.home))
    from mlrunner.core.process import freeze_gc
    from pipelines.inference import inference as pipeline

    freeze_gc()
    configured = pipeline.with_options(run_name=f"predict-{job.name}-{job.version}-{uuid.uuid4().hex[:12]}")
    finished = configured(dataset=dataset, job=job)
    if finished is None:
        raise StoreError("ZenML did not run the pipeline; see its log with -v.")
    return {**finished.steps["predict"].outputs["summary"][0].load(), "pipeline_run": str(finished.name)}


def _show(found: dict[str, Any]) -> None:
    """Print a summary for people."""
    from rich.text import Text

    from mlrunner.core.terminal import console, relative

    aside = found["rejected_output"]
    lines = {
        "rows": f"{found['rows']:,}: {found['predicted']:,} predicted, {found['rejected']:,} put aside",
        "model": f"{found['model']} version {found['version']}, through {found['through']}",
        "output": shlex.quote(relative(found["output"])),
        **({} if aside is None else {"put aside": shlex.quote(relative(aside))}),
        **{f"reason {at}": reason for at, reason in enumerate(found["reasons"], 1)},
        "took": f"{found['seconds']:.2f} s, {found['rows_per_second']:,} rows/s",
        "zenml": found["pipeline_run"],
    }
    for label, text in lines.items():
        console().print(Text.assemble((f"  {label:<10}", "dim"), text))

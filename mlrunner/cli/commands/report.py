"""`mlrunner report`: write one HTML file about a sweep or a run, which needs no network."""

from __future__ import annotations

import json
import re
import webbrowser
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.text import Text

from mlrunner.cli.commands.parser import TRUST_HELP, Parser
from mlrunner.composition.stores import export_tracking_uri, open_store
from mlrunner.core import environment
from mlrunner.core.errors import ConfigError, MlrunnerError, StoreError
from mlrunner.core.terminal import console
from mlrunner.history.report import Content
from mlrunner.tracking import study_lookup
from mlrunner.tracking.records import Record, Store, lookup, separate_stack_overrides
from mlrunner.tracking.records.record import MODEL_TAG

TREES = re.compile("xgboost|lightgbm|catboost|Tree|Forest|HistGradient")  # classes whose predictions are explained


def main(arguments: list[str]) -> int:
    """Write a report, and log it to the run in MLflow.

    Raises:
        ConfigError: When not exactly one run or sweep is named.
        StoreError: When the files of the run cannot be read, or the report cannot be written.
    """
    parsed = _parser().parse_intermixed_args(arguments)
    names, overrides = separate_stack_overrides(parsed.words)
    if len(names) != 1:
        raise ConfigError(f"mlrunner report takes one sweep or run, got {len(names)}; mlrunner runs lists them.")
    home = environment.home()
    store = open_store(home, overrides)
    record = lookup.find(store, names[0], home)
    file = _write(record, store, home, parsed.output, parsed.trust)
    print(json.dumps({"report": str(file), "run_id": record.run_id}) if parsed.json else file)
    if parsed.open:
        webbrowser.open(file.as_uri())
    return 0


def _parser() -> Parser:
    parser = Parser(
        "report",
        "Write one HTML file about a sweep or a run, and log it to the run in MLflow.",
        "example: mlrunner report 2026-11-25/17-43-06-708940 --open",
        usage="mlrunner report [-h] [-o FILE] [--open] [--trust] [--json] RUN|SWEEP [stack=…]",
    )
    subject = "sweep (DAY/TIME), run (id, name or folder), latest or best"
    parser.add_argument("words", nargs="+", metavar="RUN|SWEEP", help=f"{subject}; also overrides of the stack")
    default = "file to write, instead of report.html in the folder of the run"
    parser.add_argument("-o", "--output", metavar="FILE", type=Path, help=default)
    parser.add_flags(open="open the report in the browser", trust=TRUST_HELP, json="print one JSON document")
    return parser


def _write(record: Record, store: Store, home: Path, output: Path | None, trust: bool = False) -> Path:
    """Write the report, and log it to the run if MLflow accepts it."""
    from mlrunner.history import report
    from mlrunner.history.report import publishing

    path = output or report.report_path(record, home)
    export_tracking_uri(home)
    try:
        page = report.render_report(explain_lead(gather_material(record, store, home), trust))
    except OSError as error:
        source = error.filename or f"the files of {record.place}"
        raise StoreError(f"Cannot read {source} for the report ({error.strerror or error}).") from error
    try:
        file = report.write_report(page, path)
    except OSError as error:
        raise StoreError(f"Cannot write {path} ({error.strerror or error}); name another file with -o.") from error
    publishing.keep_report(record, file)
    return file


def explain_lead(content: Content, trust: bool = False) -> Content:
    """Add the contributions to the predictions of the best run, if its saved model is made of trees."""
    lead = content.lead
    if lead is None or MODEL_TAG not in lead.tags or not TREES.search(lead.params.get("model.estimator._target_", "")):
        return content
    from mlrunner.history.explanation import explain_test_rows

    try:
        return replace(content, explanation=explain_test_rows(lead, trust))
    except (MlrunnerError, OSError) as error:
        console(stderr=True).print(Text(f"The report shows no contributions: {error}", "yellow"))
        return content


def gather_material(record: Record, store: Store, home: Path) -> Content:
    """Read the content of a report, of a search from its study as well if that still exists."""
    from mlrunner.history import report

    study = study_lookup.load_study(record, home)
    if study is None:  # the report takes the figures that the search logged
        return report.gather_content(record, store)
    from mlrunner.evaluation.plots import search as pictures
    from mlrunner.search import results, study_setup
    from mlrunner.search.lead import describe_lead
    from mlrunner.search.objective import Objectives

    if study_setup.SEARCH_ATTRIBUTE not in study.user_attrs:  # no trial was started
        return report.gather_content(record, store)
    metrics: dict[str, Any] = study.user_attrs[study_setup.SEARCH_ATTRIBUTE]["metric"]
    objectives = Objectives(tuple(metrics), tuple(metrics.values()))
    return report.gather_content(
        record,
        store,
        outcomes=results.read_outcomes(study, objectives) or None,
        figures=pictures.draw_search_figures(study, list(metrics)),
        verdict=describe_lead(study, objectives),
    )

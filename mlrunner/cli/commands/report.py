"""`mlrunner report`: one HTML file about a sweep or a run, which opens without a network."""

from __future__ import annotations

import json
import os
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlrunner.cli.commands.parser import Parser
from mlrunner.composition.stores import open_store
from mlrunner.core.errors import ConfigError, StoreError
from mlrunner.tracking import study_lookup
from mlrunner.tracking.records import lookup, separate_stack_overrides

if TYPE_CHECKING:
    from mlrunner.history.report import Content
    from mlrunner.tracking.records import Record, Store


def main(arguments: list[str]) -> int:
    """Write a report, and keep it with its run in MLflow."""
    parser = Parser(
        prog="mlrunner report",
        usage="mlrunner report [-h] [-o FILE] [--open] [--json] RUN|SWEEP [stack=…]",
        description="Write one HTML file about a sweep or a run, and keep it with its run in MLflow.",
        epilog="example: mlrunner report 2026-11-25/17-43-06-708940 --open",
    )
    told = "a sweep (DAY/TIME), a run (id, name, folder), latest or best (the best test score on the newest run's data)"
    parser.add_argument("words", nargs="+", metavar="RUN|SWEEP", help=f"{told}; or overrides of the stack")
    parser.add_argument("-o", "--output", metavar="FILE", type=Path, help="instead of report.html in its folder")
    parser.add_argument("--open", action="store_true", help="show it in the browser")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parsed = parser.parse_intermixed_args(arguments)
    names, overrides = separate_stack_overrides(parsed.words)
    if len(names) != 1:
        raise ConfigError(f"mlrunner report takes one sweep or run, and not {len(names)}; mlrunner runs tells them.")
    home = Path(os.environ["MLRUNNER_HOME"])
    store = open_store(home, overrides)
    subject = lookup.find(store, names[0], home)
    file = _written(subject, store, home, parsed.output)
    print(json.dumps({"report": str(file), "run_id": subject.run_id}) if parsed.json else file)
    if parsed.open:
        webbrowser.open(file.as_uri())
    return 0


def _written(subject: Record, store: Store, home: Path, output: Path | None) -> Path:
    """Write the file, and keep it in MLflow, as far as that takes it.

    Raises:
        StoreError: When what the run left cannot be read, or the file cannot be written.
    """
    from mlrunner.history import report
    from mlrunner.history.report import publishing

    wanted = output or report.report_path(subject)
    _announce(home)
    try:
        page = report.render_report(gather_material(subject, store, home))
    except OSError as error:
        left = error.filename or f"what {subject.place} left"
        raise StoreError(f"Cannot read {left} ({error.strerror or error}), which the report tells of.") from error
    try:
        file = report.write_report(page, wanted)
    except OSError as error:
        raise StoreError(f"Cannot write {wanted} ({error.strerror or error}); name another file with -o.") from error
    publishing.keep_report(subject, file)
    return file


def gather_material(subject: Record, store: Store, home: Path) -> Content:
    """Read what a report is made of; of a search from its study as well, where that is still there."""
    from mlrunner.history import report

    study = study_lookup.load_study(subject, home)
    if study is None:  # the pictures that the search logged serve instead
        return report.gather_content(subject, store)
    from mlrunner.evaluation.plots import search as pictures
    from mlrunner.search import results, study_setup
    from mlrunner.search.objective import Objectives

    if study_setup.SEARCH_ATTRIBUTE not in study.user_attrs:  # it was begun, and no more
        return report.gather_content(subject, store)
    goal: dict[str, Any] = study.user_attrs[study_setup.SEARCH_ATTRIBUTE]["metric"]
    told = Objectives(tuple(goal), tuple(goal.values()))
    is_one = len(goal) == 1 and results.find_best(results.list_valid_trials(study), told) is not None
    return report.gather_content(
        subject,
        store,
        outcomes=results.read_outcomes(study, told) or None,
        figures=pictures.draw_search_figures(study, list(goal)),
        verdict=results.compute_study_lead(study, told).sentence if is_one else "",
    )


def _announce(home: Path) -> None:
    """Name the store to MLflow; a stack that is composed for reading has done so."""
    from mlrunner.composition.stores import tracking_uri

    os.environ.setdefault("MLFLOW_TRACKING_URI", tracking_uri(home))
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "ERROR")
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")

"""`mlrunner report`: one HTML file about a sweep or a run, which opens without a network."""

from __future__ import annotations

import json
import os
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlrunner.commands.parsing import Parser
from mlrunner.errors import MlrunnerError, StoreError
from mlrunner.records import FOLDER, naming, open_store, read_yaml

if TYPE_CHECKING:
    from optuna import Study

    from mlrunner.records import Record, Store
    from mlrunner.report import Material

MULTIRUN = "multirun.yaml"


def main(arguments: list[str]) -> int:
    """Write a report, and keep it with its run in MLflow."""
    parser = Parser(
        prog="mlrunner report",
        description="Write one HTML file about a sweep or a run, and keep it with its run in MLflow.",
        epilog="example: mlrunner report 2026-11-25/17-43-06-708940 --open",
    )
    parser.add_argument("run", help="a sweep (DAY/TIME), a run (id, name, folder), latest or best")
    parser.add_argument("-o", "--output", metavar="FILE", type=Path, help="instead of report.html in its folder")
    parser.add_argument("--open", action="store_true", help="show it in the browser")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parsed = parser.parse_args(arguments)
    home = Path(os.environ["MLRUNNER_HOME"])
    store = open_store(home)
    subject = naming.find(store, parsed.run, home)
    file = _written(subject, store, home, parsed.output)
    told = {"report": str(file), "run_id": subject.run_id}
    print(json.dumps(told) if parsed.json else file)
    if parsed.open:
        webbrowser.open(file.as_uri())
    return 0


def _written(subject: Record, store: Store, home: Path, output: Path | None) -> Path:
    """Write the file, and log it.

    Raises:
        StoreError: When it cannot be written.
    """
    from mlrunner import report

    wanted = output or report.place(subject)
    try:
        file = report.write(material(subject, store, home), wanted)
    except OSError as error:
        raise StoreError(f"Cannot write {wanted} ({error.strerror}); name another file with -o.") from error
    _announce(home)
    report.log(subject, file)
    return file


def material(subject: Record, store: Store, home: Path) -> Material:
    """Read what a report is made of; of a search from its study as well, where that is still there."""
    from mlrunner import report

    study = _study(subject, home)
    if study is None:
        return report.gather(subject, store)
    from mlrunner.plots import search as pictures
    from mlrunner.sweep import results, studies
    from mlrunner.sweep.goals import Goal

    goal: dict[str, Any] = study.user_attrs[studies.META]["metric"]
    told = Goal(tuple(goal), tuple(goal.values()))
    is_one = len(goal) == 1 and results.best_of(results.valid(study), told) is not None
    return report.gather(
        subject,
        store,
        outcomes=results.outcomes_of(study, told) or None,
        figures=pictures.figures(study, list(goal)),
        verdict=results.lead_of(study, told).told if is_one else "",
    )


def _study(subject: Record, home: Path) -> Study | None:
    """Load the study of a search; None where it has none, or it is not there any more."""
    name = subject.tags.get("mlrunner.study")
    if name is None or not subject.is_sweep:
        return None
    import optuna

    from mlrunner.sweep import studies

    told = _storage(subject)
    if told is None and not studies.journal_of(home, name).exists():
        return None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        study = optuna.load_study(study_name=name, storage=studies.open_storage(told, home, name))
    except (KeyError, MlrunnerError):  # the pictures that the search logged serve instead
        return None
    return study if studies.META in study.user_attrs else None


def _storage(subject: Record) -> str | None:
    """Read `hydra.sweeper.storage` of a search, from its folder; what MLflow has of it is without its password."""
    file = Path(subject.tags.get(FOLDER, "/nonexistent")) / MULTIRUN
    if not file.is_file():
        return None
    told = read_yaml(file.read_text()).get("hydra", {}).get("sweeper", {}).get("storage")
    return told if isinstance(told, str) else None


def _announce(home: Path) -> None:
    """Name the store to MLflow; a stack that is composed for reading has done so."""
    from mlrunner.records import tracking_uri

    os.environ.setdefault("MLFLOW_TRACKING_URI", tracking_uri(home))
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "ERROR")
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")

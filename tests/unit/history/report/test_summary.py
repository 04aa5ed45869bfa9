"""Numbers and facts at the top of a report."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from mlrunner.history.report import summary
from tests.support.reports import make_grid, make_outcome, make_run, run_content


def test_blueprint_is_a_fact(tmp_path: Path) -> None:
    record = make_run(tmp_path)
    assert "blueprint" not in summary.list_facts(run_content(record))
    facts = summary.list_facts(run_content(replace(record, params={**record.params, "blueprint": "true"})))
    assert facts["blueprint"] == "a few dozen rows and a dummy model"


def test_a_threshold_is_a_fact(tmp_path: Path) -> None:
    record = make_run(tmp_path)
    assert "threshold" not in summary.list_facts(run_content(record))
    facts = summary.list_facts(run_content(replace(record, metrics={**record.metrics, "threshold": 0.28643})))
    assert facts["threshold"] == "0.2864"


def test_headline_has_exact_values(tmp_path: Path) -> None:
    numbers = summary.make_headline(make_grid(tmp_path, [make_outcome(0, 1 / 3), make_outcome(1, 0.1)]))
    assert [(number.label, number.text, number.value) for number in numbers] == [
        ("best r2", "0.3333", 1 / 3),
        ("test r2", "0.4000", 0.4),
        ("compositions", "2", 2),
        ("time", "12.3 s", 12.345),
    ]


def test_warnings_are_facts(tmp_path: Path) -> None:
    tags = {"mlrunner.warning.id_columns": "name differs in nearly every row"}
    facts = summary.list_facts(run_content(replace(make_run(tmp_path), tags=tags)))
    assert facts["warning: id_columns"] == "name differs in nearly every row"

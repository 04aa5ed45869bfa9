"""The environment of a run in a report."""

from __future__ import annotations

from pathlib import Path

from mlrunner.history.report.environment import read_environment
from tests.support.reports import make_run, run_content


def test_code_libraries_and_records(tmp_path: Path) -> None:
    tags = {"mlrunner.version": "1.2", "mlflow.source.git.commit": "c" * 40, "mlrunner.git.dirty": "true"}
    record = make_run(tmp_path, tags=tags)
    (tmp_path / "aaaa" / "environment").mkdir()
    packages = "# Python 3.11.7\nscikit-learn==1.5\nother==2\nNumPy==2.0\n"
    (tmp_path / "aaaa" / "environment" / "requirements.txt").write_text(packages)
    environment = read_environment(run_content(record))
    assert environment.facts.items() >= {"python": "3.11.7", "mlrunner": "1.2", "commit": "c" * 40}.items()
    assert environment.facts["uncommitted"] == "yes"
    assert "best run" not in environment.facts  # the subject itself
    assert environment.libraries == {"scikit-learn": "1.5", "numpy": "2.0"}
    assert environment.packages == {"scikit-learn": "1.5", "other": "2", "NumPy": "2.0"}


def test_uncommitted_changes_are_counted(tmp_path: Path) -> None:
    record = make_run(tmp_path)
    (tmp_path / "aaaa" / "environment").mkdir()
    (tmp_path / "aaaa" / "environment" / "dirty.diff").write_text("diff --git a/m.py b/m.py\n+x\n")
    facts = read_environment(run_content(record)).facts
    assert facts["uncommitted"] == "1 changed file; environment/dirty.diff of the run"

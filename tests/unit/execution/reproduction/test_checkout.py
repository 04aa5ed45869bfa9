"""The code of a recorded commit."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlrunner.execution.reproduction.checkout import VERB, check_out, copy_installed, import_variables
from mlrunner.tracking.records.snapshot import Provenance
from tests.support.git_project import make_project


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_project(tmp_path / "project")


def commit_of(project: Path) -> str:
    child = subprocess.run(["git", "rev-parse", "HEAD"], cwd=project, capture_output=True, text=True, check=True)
    return child.stdout.strip()


def test_the_recorded_commit_is_checked_out_beside_the_project(project: Path, tmp_path: Path) -> None:
    then = Provenance(commit=commit_of(project))
    (project / VERB).write_text("# today\n")
    place = check_out(then, tmp_path, project)
    assert place != project
    assert (place / VERB).read_text() == "# then\n"
    assert check_out(then, tmp_path, project) == place


@pytest.mark.parametrize("change", ["dirty", "unknown", "hostile", "none"])
def test_without_a_clean_known_commit_todays_code_is_used(project: Path, tmp_path: Path, change: str) -> None:
    provenances = {
        "dirty": Provenance(commit=commit_of(project), dirty="diff --git a/x b/x\n"),
        "unknown": Provenance(commit="0" * 40),
        "hostile": Provenance(commit="--upload-pack=x"),
        "none": Provenance(),
    }
    assert check_out(provenances[change], tmp_path, project) == project


def test_the_recorded_code_precedes_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("then", "today"):
        (tmp_path / name / "which").mkdir(parents=True)
        (tmp_path / name / "which" / "__main__.py").write_text(f"import mine\nprint('{name}')\n")
    (tmp_path / "today" / "mine.py").touch()  # of the user's own
    monkeypatch.chdir(tmp_path / "today")
    variables = {**os.environ, **import_variables(tmp_path / "then")}
    child = subprocess.run([sys.executable, "-m", "which"], env=variables, capture_output=True, text=True)
    assert (child.stdout, child.stderr) == ("then\n", "")


def test_an_installed_mlrunner_is_copied_without_its_neighbours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"mlrunner/__init__.py": "", "other/__init__.py": "", "mlrunner-9.dist-info/METADATA": "Version: 9\n"}
    recorded = [
        *(name for name in files if name.startswith("mlrunner")),
        "mlrunner-9.dist-info/RECORD",
        "../bin/mlrunner",
    ]
    record = "".join(f"{name},,\n" for name in recorded)
    for name, text in {**files, "mlrunner-9.dist-info/RECORD": record, "../bin/mlrunner": ""}.items():
        file = tmp_path / "site" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    monkeypatch.syspath_prepend(tmp_path / "site")
    place = copy_installed(tmp_path / "environments")
    assert place == tmp_path / "environments" / "mlrunner-9"
    assert sorted(path.name for path in place.iterdir()) == ["mlrunner", "mlrunner-9.dist-info"]
    assert list((tmp_path / "environments").iterdir()) == [place]

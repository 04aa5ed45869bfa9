"""Step artifacts in a real ZenML store; pipeline runs are removed in `tests/apps/test_prune.py`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.support.front_door import PROJECT, environment, export_variables

PROGRAM = """
import json, sys
from pathlib import Path
from uuid import uuid4
from zenml import save_artifact
from zenml.client import Client
from mlrunner.history.pruning.zenml_runs import ZenmlRuns

versions = [save_artifact([number], f"artifact-{number}") for number in range(2)]
runs = ZenmlRuns(Path(sys.argv[1]))
runs._add_pending([str(versions[0].id)])
runs._add_pending([str(uuid4())])  # the artifact was deleted before the interruption
young = runs.delete_unused()
runs.delete_pending()
there = [version.name for version in Client().list_artifact_versions(only_unused=True).items]
print(json.dumps([young, runs.pending.exists(), there, [Path(version.uri).exists() for version in versions]]))
"""


def test_listed_artifacts_are_deleted_and_other_young_ones_stay(session_home: Path, tmp_path: Path) -> None:
    variables = environment(session_home, **export_variables(session_home), PYTHONPATH=str(PROJECT))
    (tmp_path / "program.py").write_text(PROGRAM)  # ZenML needs a main module with a file
    command = [sys.executable, "program.py", str(tmp_path / "prune.json")]
    done = subprocess.run(command, capture_output=True, text=True, env=variables, cwd=tmp_path, timeout=240)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == [[], False, ["artifact-1"], [False, True]]

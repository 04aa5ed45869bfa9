"""The command line answers quickly without heavy imports, and refuses mistakes in one sentence."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mlrunner.cli.commands import VERBS
from tests.support.front_door import PROJECT, UNSAVED, environment, front_door

HEAVY = ("zenml", "mlflow", "pydantic", "pandas", "sklearn", "xgboost", "matplotlib", "optuna", "pyarrow")
PROBE = """
import sys

from mlrunner.__main__ import main
sys.argv = ["mlrunner", *sys.argv[1:]]
try:
    code = main()
except SystemExit as stop:
    code = stop.code
heavy = [name for name in {heavy} if name in sys.modules]
print("HEAVY", heavy, "CODE", code)
"""


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["--version"], "mlrunner 0."),
        (["--help"], "model: catboost, custom, dummy"),
        (["model=rf", "--cfg", "job", "-p", "model.estimator"], "n_estimators"),
        (["-sc", "query=bash"], "model="),
        (["--info", "defaults"], "cleaning/full"),
    ],
    ids=["version", "help", "cfg-job", "completion", "info"],
)
def test_answers_without_heavy_imports(arguments: list[str], shown: str, tmp_path: Path) -> None:
    env = environment(tmp_path, COMP_LINE="mlrunner mod", COMP_POINT="12")
    command = [sys.executable, "-c", PROBE.format(heavy=HEAVY), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=PROJECT, env=env, timeout=60)
    assert shown in done.stdout
    assert "HEAVY [] CODE" in done.stdout, done.stdout[-300:] + done.stderr[-2000:]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["model=xgbost"], "model=xgbost is not an option; model has catboost, custom, dummy,"),
        (["rnus"], f"'rnus' is not a verb; the verbs are {', '.join(VERBS)}."),
        (["--mutirun"], "mlrunner takes no '--mutirun'. Did you mean '--multirun'? mlrunner --help lists"),
        (["status", "a", ""], "mlrunner status takes no ''."),
        (["--cfg", "jop"], "invalid choice: 'jop' (choose from"),
        (["reproduce", "--stritc"], "mlrunner reproduce takes no '--stritc'. Did you mean '--strict'?"),
        (["report"], "the following arguments are required: RUN|SWEEP; mlrunner report --help lists the arguments."),
    ],
)  # fmt: skip
def test_a_misspelt_command_line_is_refused_in_one_sentence(
    arguments: list[str], sentence: str, tmp_path: Path
) -> None:
    done = front_door(tmp_path, *arguments)
    assert sentence in done.err
    assert len(done.err.splitlines()) == 1
    assert done.out == ""
    assert done.code == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_flags_may_stand_between_the_overrides_of_a_grid_which_starts_nothing(tmp_path: Path) -> None:
    words = ("seed=a", "-m", "-v", f"--config-dir={tmp_path}", "model=nope,rf", "tracking.name='\x1b[2J'", *UNSAVED)
    done = front_door(tmp_path, *words)
    assert "\x1b" not in done.err
    assert "Traceback" in done.err  # which -v asks for, with the same exit code
    assert "mlrunner: model=nope is not an option; model has" in done.err
    assert done.code == 2
    assert not (tmp_path / "multirun").exists() or not list(tmp_path.glob("multirun/*/*/*/.hydra"))


@pytest.mark.slow
def test_all_mistakes_of_a_command_line_are_reported_together(tmp_path: Path) -> None:
    done = front_door(tmp_path, "model=xgbost", "cleaning=ful", "split.tset=1", "sed=3")
    assert done.code == 2
    lines = done.err.strip().splitlines()
    assert [line.split()[1] for line in lines] == ["model=xgbost", "cleaning=ful", "split.tset", "sed"]


def test_a_python_without_mlrunners_packages_is_one_sentence(tmp_path: Path) -> None:
    command = [sys.executable, "-S", "-m", "mlrunner", "model=rf"]  # -S: no site-packages
    done = subprocess.run(command, capture_output=True, text=True, env=environment(tmp_path), cwd=PROJECT)
    assert done.returncode == 1
    assert "is not installed for" in done.stderr
    assert "use the environment of `make run`" in done.stderr
    assert len(done.stderr.splitlines()) == 1

"""The commands of a report."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from mlrunner.history.report import commands, summary
from mlrunner.tracking.records.record import STUDY_TAG
from tests.support.front_door import PROJECT
from tests.support.reports import SWEEP, make_grid, make_outcome, make_run, run_content


def test_commands_of_a_run(tmp_path: Path) -> None:
    record = make_run(tmp_path)
    (tmp_path / "aaaa" / ".hydra").mkdir()
    (tmp_path / "aaaa" / ".hydra" / "overrides.yaml").write_text("- model=ridge\n- dataset.path='my table.csv'\n")
    texts = {command.label: command.text for command in commands.list_commands(run_content(record))}
    assert texts["run this composition by itself"] == "mlrunner model=ridge 'dataset.path='\"'\"'my table.csv'\"'\"''"
    assert texts["open it in MLflow"] == "mlrunner ui aaaaaaaa"
    assert texts["deploy it if the gate opens"] == "mlrunner deploy aaaaaaaa"
    assert "models:/m-1" in texts["load the model in Python"]
    unsaved = {command.label for command in commands.list_commands(run_content(replace(record, tags={})))}
    assert not {label for label in unsaved if "serve" in label or "load" in label}


def test_run_of_another_program(tmp_path: Path) -> None:
    record = make_run(tmp_path, params={}, metrics={"loss": 1.0}, tags={})
    assert not [command for command in commands.list_commands(run_content(record)) if "reproduce" in command.text]
    assert "objective" not in summary.list_facts(run_content(record))
    (tmp_path / "aaaa" / "config.yaml").write_text("seed: 0\n")
    assert (
        next(command.text for command in commands.list_commands(run_content(record))) == "mlrunner reproduce aaaaaaaa"
    )


def test_values_of_a_store_are_quoted(tmp_path: Path) -> None:
    folder = tmp_path / "$(reboot)"
    folder.mkdir()
    (folder / "multirun.yaml").touch()
    tags = {"mlrunner.sweep_id": "x; rm -rf ~", STUDY_TAG: "mine", "mlrunner.folder": str(folder)}
    parent = make_run(tmp_path, "e" * 32, tags=tags, status="KILLED")
    texts = {command.label: command.text for command in commands.list_commands(run_content(parent))}
    assert texts["write this report again"] == "mlrunner report 'x; rm -rf ~'"
    assert texts["resume it"] == f"mlrunner resume '{folder}'"


@pytest.mark.parametrize(
    ("status", "sampler", "commands_by_label"),
    [
        (
            "FINISHED",
            "optuna.samplers.TPESampler",
            {"continue the search with as many trials again": "hydra.sweeper.n_trials=4"},
        ),
        ("FINISHED", "optuna.samplers.GridSampler", {}),
        ("KILLED", "optuna.samplers.GridSampler", {"resume it": ""}),
        (
            "FAILED",
            "optuna.samplers.TPESampler",
            {"continue the search with as many trials again": "hydra.sweeper.n_trials=4"},
        ),
    ],
)
@pytest.mark.parametrize("is_there", [True, False], ids=["there", "gone"])
def test_resume_needs_the_folder(
    is_there: bool,
    status: str,
    sampler: str,
    commands_by_label: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MLRUNNER_HOME", str(tmp_path))
    folder = tmp_path / "multirun" / SWEEP
    folder.mkdir(parents=True)
    (folder / ("multirun.yaml" if is_there else "other")).touch()
    content = make_grid(
        tmp_path, [make_outcome(0), make_outcome(1)], **{STUDY_TAG: "my own name", "mlrunner.folder": str(folder)}
    )
    subject = replace(content.subject, status=status, params={"sampler._target_": sampler})
    lines = commands.list_commands(replace(content, subject=subject))
    resumed = {command.label: command.text for command in lines if " resume " in command.text}
    expected = {label: f"mlrunner resume {SWEEP} {more}".strip() for label, more in commands_by_label.items()}
    assert resumed == (expected if is_there else {})


def test_home_and_store_are_exported_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLRUNNER_PROJECT", str(tmp_path))
    monkeypatch.setenv("MLRUNNER_HOME", str(tmp_path))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/.mlrunner/mlflow.db")
    default = commands.list_commands(run_content(make_run(tmp_path)))
    assert default[0].text.startswith("mlrunner ")
    (load,) = (command.text for command in default if command.label.startswith("load"))
    assert f"mlflow.set_tracking_uri('sqlite:///{tmp_path}/.mlrunner/mlflow.db'); model = " in load
    monkeypatch.setenv("MLRUNNER_HOME", "/my home")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://me:hunter2@host:5000")
    first, *_ = commands.list_commands(run_content(make_run(tmp_path)))
    assert first.text == "export 'MLRUNNER_HOME=/my home' MLFLOW_TRACKING_URI=http://host:5000"


def test_composition_by_itself(tmp_path: Path) -> None:
    record = make_run(tmp_path)
    folder = tmp_path / "aaaa" / ".hydra"
    folder.mkdir()
    (tmp_path / "aaaa" / "config.yaml").write_text("seed: 0\n")
    (folder / "overrides.yaml").write_text("- model=mine\n- +hydra.job.env_set.A=1\n- sweep=optuna\n")
    sources = [
        {"path": path, "schema": "file", "provider": "command-line"} for path in ("/my conf", str(PROJECT / "conf"))
    ]
    (folder / "hydra.yaml").write_text(json.dumps({"hydra": {"runtime": {"config_sources": sources}}}))
    texts = {command.label: command.text for command in commands.list_commands(run_content(record))}
    assert texts["run this composition by itself"] == "mlrunner -cd '/my conf' model=mine"

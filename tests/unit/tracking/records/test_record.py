"""A run as plain values: its labels, its metric and its files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mlrunner.core.errors import ConfigError
from mlrunner.core.warning_names import Notice
from mlrunner.tracking.records import SWEEP_TAG, TRIAL_TAG, WINNER_OF_TAG, Record, journal_path
from mlrunner.tracking.records.record import read_warnings, warning_tags

RUN_ID = "0123456789abcdef" * 2


def record(artifact_uri: str = "/nowhere", end: int | None = 3_500, **values: Any) -> Record:
    return Record(
        run_id=RUN_ID,
        name="model=rf",
        status="FINISHED",
        start=1_000,
        end=end,
        experiment="mlrunner",
        artifact_uri=artifact_uri,
        params=values.get("params", {}),
        metrics={},
        tags=values.get("tags", {}),
    )


@pytest.mark.parametrize(
    ("tags", "place", "is_sweep"),
    [
        ({}, "01234567", False),
        ({SWEEP_TAG: "day/time"}, "day/time", True),
        ({SWEEP_TAG: "day/time", TRIAL_TAG: "3"}, "day/time/3", False),
        ({SWEEP_TAG: "day/time", TRIAL_TAG: "3", WINNER_OF_TAG: "x"}, "01234567", False),
    ],
    ids=["run", "sweep", "trial", "refit"],
)
def test_place(tags: dict[str, str], place: str, is_sweep: bool) -> None:
    run = record(tags=tags)
    assert (run.place, run.is_sweep) == (place, is_sweep)


@pytest.mark.parametrize(
    ("params", "metric"),
    [
        ({"objective.metric": "r2"}, "r2"),
        ({"objective.metric": '["mae", "fit_seconds"]'}, "mae"),
        ({"goal.f1": "maximize", "goal.mae": "minimize"}, "f1"),
        ({}, ""),
    ],
)
def test_metric_is_the_first_of_the_objective(params: dict[str, str], metric: str) -> None:
    assert record(params=params).metric == metric


def test_seconds() -> None:
    assert record().seconds == 2.5
    assert record(end=None).seconds is None


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_files_are_read_from_folders_with_any_name(scheme: str, tmp_path: Path) -> None:
    folder = tmp_path / "my run é"
    folder.mkdir()
    (folder / "config.yaml").write_text("seed: 1\n")
    run = record(folder.as_uri() if scheme else str(folder))
    assert run.read_text("config.yaml") == "seed: 1\n"
    assert run.read_text("absent.yaml") is None
    assert run.read_config() == {"seed": 1}


@pytest.mark.parametrize("content", [None, "", "- a list\n"], ids=["missing", "empty", "list"])
def test_run_without_a_composition(content: str | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "config.yaml").write_text(content)
    with pytest.raises(ConfigError, match=rf"^Run 01234567 has no config\.yaml at {tmp_path}: mlrunner did not make"):
        record(str(tmp_path)).read_config()


def test_journal_of_a_study_is_one_file_whatever_its_name() -> None:
    assert journal_path(Path("/home"), "day/time") == Path("/home/.mlrunner/studies/day_time.journal")


def test_warnings_are_read_from_the_tags_that_they_were_written_to() -> None:
    notices = [Notice("constant_columns", "a has one value"), Notice("no_better_than_trivial", "r2 is low")]
    tags = warning_tags(notices)
    assert tags["mlrunner.warning.constant_columns"] == "a has one value"
    assert read_warnings({"mlrunner.folder": "/x", **dict(reversed(tags.items()))}) == notices

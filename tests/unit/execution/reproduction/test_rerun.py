"""Number of seeds, fold scores and refusals of a rerun."""

from __future__ import annotations

from pathlib import Path

import hydra
import pytest

from mlrunner.composition.compose import open_hydra
from mlrunner.composition.composition import Launch
from mlrunner.core.errors import ConfigError, ProblemsError
from mlrunner.core.outcome import Outcome
from mlrunner.core.project import PRIMARY
from mlrunner.execution.reproduction import rerun
from mlrunner.tracking.records import Record
from mlrunner.tracking.records.sqlite_store import SqliteStore

TRIAL = "hydra: {mode: MULTIRUN, sweeper: {repeats: 3}}\n"


@pytest.mark.parametrize(
    ("text", "repeats"),
    [
        (TRIAL, 3),
        (TRIAL.replace("MULTIRUN", "RUN"), 1),  # the settings of a sweeper do not matter to a single run
        (TRIAL.replace("3", "'3'"), 1),
        ("hydra: {mode: MULTIRUN}\n", 1),
        (None, 1),
    ],
    ids=["trial", "single", "text", "grid", "missing"],
)
def test_a_trial_has_a_run_for_each_seed(text: str | None, repeats: int) -> None:
    assert rerun._repeats(text) == repeats


def test_a_run_without_a_configuration_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".hydra").mkdir()
    (tmp_path / ".hydra" / "config.yaml").write_text("seed: 1\n")
    (tmp_path / "config.yaml").write_text("seed: 1\n")
    record = Record("a" * 32, "n", "FINISHED", 0, 1, "e", str(tmp_path), {}, {}, {})
    with pytest.raises(ConfigError, match=r"^Run aaaaaaaa has no composition in \.hydra/config\.yaml"):
        rerun.prepare(record, SqliteStore(tmp_path / "absent"), [])


def test_data_that_have_moved_are_named_with_what_to_set(tmp_path: Path) -> None:
    record = Record("a" * 32, "n", "FINISHED", 0, 1, "e", str(tmp_path), {}, {}, {})
    with open_hydra():
        cfg = hydra.compose(PRIMARY, ["dataset=csv", "dataset.path=gone.csv", "dataset.target=y"])
    with pytest.raises(ProblemsError) as caught:
        rerun._check(record, SqliteStore(tmp_path / "absent"), cfg, Launch({}, [], tmp_path))
    path, conclusion = caught.value.problems[:2]
    assert path.startswith("dataset.path")
    assert conclusion == (
        "So run aaaaaaaa cannot be reproduced here; set dataset.path=... or dataset.url=... if its data have moved."
    )


def test_a_single_run_has_no_fold_scores() -> None:
    outcome = Outcome("n", "FINISHED", "r2", "maximize", 0.5, 1.0, 1.0, 1.0, {}, "r", None, "/nowhere")
    assert rerun.read_fold_scores([outcome]) == []

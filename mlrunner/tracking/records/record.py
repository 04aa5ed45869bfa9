"""A run as plain values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlrunner.core.errors import ConfigError
from mlrunner.core.metric_names import greater_is_better
from mlrunner.core.safe_yaml import read_yaml
from mlrunner.core.warning_names import WARNINGS, Notice
from mlrunner.tracking.records.artifact_location import local_path, refuse_foreign_host

SWEEP_TAG, TRIAL_TAG = "mlrunner.sweep_id", "mlrunner.trial_number"
FOLDER_TAG = "mlrunner.folder"  # where the run wrote its files
OVERRIDES_TAG = "mlrunner.overrides"  # what was typed, as a JSON list
CONFIG_HASH_TAG, DATA_TAG = "mlrunner.config_hash", "mlrunner.data_hash"
TEST_ROWS_TAG = "mlrunner.rows.test"  # digest of target, task and the test rows; scores of other rows do not compete
VALIDATION_ROWS_TAG = "mlrunner.rows.validation"  # the same of the validation rows or the folds
HELD_OUT_TAG = "mlrunner.held_out_ratio"  # of a trial: the ratio of held-out to training rows of its fits
WORKER_TAG = "mlrunner.worker"  # of a trial: host and process that ran it, after a cluster's name for the worker
DIRECTION_TAG = "mlrunner.objective.direction"  # maximize or minimize
MODEL_TAG = "mlrunner.model"  # MLflow's URI of the saved model
WINNER_TAG, BEST_TAG = "mlrunner.winner_run_id", "mlrunner.best_run_id"  # of a sweep
BEST_NAME_TAG = "mlrunner.best"  # the overrides or the name of a sweep's best run
WINNER_OF_TAG = "mlrunner.winner_of"  # the trial whose settings a run was refitted with
STUDY_TAG = "mlrunner.study"  # Optuna's name of the study of a search
REOPENED_TAG = "mlrunner.reopened"  # when a sweep was last resumed, in milliseconds since 1970
REPRODUCES_TAG, REPRODUCED_TAG = "mlrunner.reproduces", "mlrunner.reproduced"  # the other run's id; true or false
PROCESS_TAG = "mlrunner.process"  # MACHINE PID START of each process that works on the run, separated by semicolons
INTERRUPTED_TAG = "mlrunner.interrupted"  # marks a run that was closed because its process had ended
INVALID_TAG = "mlrunner.invalid"  # the reason why a run must not be used
REFIT_TAG = "mlrunner.refit"  # marks the reproduction of a winner
PRUNING_TAG = "mlrunner.pruning"  # marks a run whose removal has begun
ZENML_RUN_TAG, ZENML_RUN_ID_TAG = "mlrunner.zenml.run", "mlrunner.zenml.run_id"
GATE_TAG, GATE_REASON_TAG = "mlrunner.gate.decision", "mlrunner.gate.reason"  # open, closed or none
DEPLOYMENT_TAG, DEPLOYED_VERSION_TAG = "mlrunner.deployment.name", "mlrunner.deployment.version"
DEPLOYED_URL_TAG, DEPLOYED_WHERE_TAG = "mlrunner.deployment.url", "mlrunner.deployment.where"
DEPLOY_ERROR_TAG = "mlrunner.deployment.error"
WARNING_TAG = "mlrunner.warning."  # prefix; the name of a warning follows, the value is its text
USED_TAG, LEFT_OUT_TAG = "mlrunner.columns.used", "mlrunner.columns.left_out"  # names; with the reason where left out
RUN_ID_TAG = "mlrunner.run_id"  # of a model version: the run that it comes from
TARGET_TAG, TASK_TAG = "mlrunner.target", "mlrunner.task"  # of a model version: what it predicts
VERSION_TAG, DIRTY_TAG = "mlrunner.version", "mlrunner.git.dirty"
PARENT_TAG, RUN_NAME_TAG, USER_TAG = "mlflow.parentRunId", "mlflow.runName", "mlflow.user"  # MLflow's own
COMMIT_TAG, BRANCH_TAG = "mlflow.source.git.commit", "mlflow.source.git.branch"

CONFIG_FILE = "config.yaml"
IMPORTANCE_FILE = "feature_importance.json"  # what the model says of its features
REPLICATES_FILE = "noise.json"  # jackknife replicates of the scores
STATUSES = ("FINISHED", "FAILED", "KILLED", "RUNNING", "SCHEDULED")  # MLflow's
INTERRUPTED = "INTERRUPTED"  # of a trial that was closed because its process had ended; KILLED in MLflow


@dataclass(frozen=True)
class Record:
    """A run in the tracking store.

    Args:
        run_id: 32 hexadecimal digits.
        name: The overrides that differ from the default composition, or a name of the user's choice.
        status: RUNNING, FINISHED, FAILED or KILLED (pruned).
        start: Start time in milliseconds since 1970.
        end: End time in milliseconds since 1970; None while the run is open.
        experiment: Name of the MLflow experiment.
        artifact_uri: Location of the run's files.
        params: Flattened composition, and the choice of each config group.
        metrics: Newest value by part and name (`test/r2`), without NaN.
        tags: MLflow's tags and those of `mlrunner.*`.
    """

    run_id: str
    name: str
    status: str
    start: int
    end: int | None
    experiment: str
    artifact_uri: str
    params: dict[str, str] = field(repr=False)
    metrics: dict[str, float] = field(repr=False)
    tags: dict[str, str] = field(repr=False)

    @property
    def short(self) -> str:
        """The first eight digits of the id."""
        return self.run_id[:8]

    @property
    def seconds(self) -> float | None:
        """Duration in seconds; None while the run is open."""
        return None if self.end is None else (self.end - self.start) / 1000

    @property
    def is_sweep(self) -> bool:
        """Whether this is the parent of a sweep, which has no composition of its own."""
        return SWEEP_TAG in self.tags and TRIAL_TAG not in self.tags

    @property
    def metric(self) -> str:
        """The objective's metric, the first of several; empty where the run has none."""
        metric = self.params.get("objective.metric")
        if metric is None:  # a search logs each metric of its objective as a parameter
            metric = next((name.removeprefix("goal.") for name in self.params if name.startswith("goal.")), "")
        return metric.strip('[]"').partition('"')[0]

    @property
    def maximizes(self) -> bool:
        """Whether a greater value of the objective is better; a tag says so of metrics of one's own."""
        direction = self.tags.get(DIRECTION_TAG, self.params.get("objective.direction"))
        return greater_is_better(self.metric) if direction in (None, "null") else direction == "maximize"

    @property
    def place(self) -> str:
        """The label to show people: a sweep's id, SWEEP/TRIAL, or else the short id."""
        if self.is_sweep:
            return self.tags[SWEEP_TAG]
        if TRIAL_TAG in self.tags and WINNER_OF_TAG not in self.tags:
            return f"{self.tags[SWEEP_TAG]}/{self.tags[TRIAL_TAG]}"
        return self.short

    def own_folder(self, home: Path) -> Path | None:
        """Return the resolved folder of the run; None if it lies outside `multirun/` of this home."""
        tag = self.tags.get(FOLDER_TAG)
        folder = None if not tag or Path(tag).is_symlink() else Path(tag).resolve()
        is_ours = folder is not None and (home / "multirun").resolve() in folder.parents and folder.is_dir()
        return folder if is_ours else None

    def read_text(self, path: str) -> str | None:
        """Read a text file that the run logged; None where there is no such file.

        Args:
            path: Path below the run's artifacts, like `config.yaml` or `environment/requirements.txt`.
        """
        folder = local_path(self.artifact_uri)
        if folder is not None:
            file = folder / path
            return file.read_text(errors="replace") if file.is_file() else None
        import mlflow

        refuse_foreign_host(self.artifact_uri, mlflow.get_tracking_uri())
        try:
            return str(mlflow.artifacts.load_text(f"{self.artifact_uri}/{path}"))
        except Exception:  # each kind of store raises its own error for a missing file
            return None

    def read_config(self) -> dict[str, Any]:
        """Read the resolved composition that the run was launched with.

        Raises:
            ConfigError: If the run logged none, because mlrunner did not make it or the file was removed.
        """
        text = self.read_text(CONFIG_FILE)
        config = None if text is None else read_yaml(text)
        if not isinstance(config, dict) or not config:
            raise ConfigError(
                f"Run {self.short} has no {CONFIG_FILE} at {self.artifact_uri}: mlrunner did not make the run, or the "
                "file was removed; name another run."
            )
        return config


def warning_tags(notices: Iterable[Notice]) -> dict[str, str]:
    """Return the tags of a run for its warnings."""
    return {f"{WARNING_TAG}{notice.name}": notice.text for notice in notices}


def read_warnings(tags: Mapping[str, str]) -> list[Notice]:
    """Read the warnings of a run from its tags, in the order of `WARNINGS`."""
    return [Notice(name, tags[f"{WARNING_TAG}{name}"]) for name in WARNINGS if f"{WARNING_TAG}{name}" in tags]


def journal_path(home: Path, name: str) -> Path:
    """Return the path of the journal that keeps a study where `hydra.sweeper.storage` is not set."""
    return home / ".mlrunner" / "studies" / f"{name.replace('/', '_')}.journal"

"""The tables of trials: made by ZenML's steps once for each choice of data, and read by workers as files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlrunner.core import arrow
from mlrunner.core.redaction import hide_group
from mlrunner.core.score_settings import ScoreSettings
from mlrunner.core.uris import has_scheme
from mlrunner.search.trial import RepeatTask, TrialTask
from mlrunner.search.trial_preparation import TABLE_GROUPS, make_key
from mlrunner.steps import judged_rows
from mlrunner.steps.problem import describe_problem

if TYPE_CHECKING:
    from mlrunner.composition.checks import Checked
    from mlrunner.search.settings import SweepSettings
    from mlrunner.search.trial_preparation import PreparedTrial
    from pipelines.rows import Rows


@dataclass(frozen=True)
class TrialTables:
    """The tables of a trial.

    Args:
        rows: ZenML's artifacts for each repeat.
        files: Paths of the training rows, the validation rows and the folds for each repeat; see `RepeatTask`.
        tags: Digests of the rows that the trial is judged by.
    """

    rows: tuple[Rows, ...]
    files: tuple[tuple[str, str, str], ...]
    tags: dict[str, str]


class TableCache:
    """Keeps the tables of a search.

    Args:
        make_rows: Pipeline step that makes the tables.
        folder: Folder for copies of artifacts that ZenML does not keep on this disk.
    """

    def __init__(self, make_rows: Callable[..., Rows], folder: Path) -> None:
        self._make_rows, self._folder = make_rows, folder
        self._rows: dict[str, Rows] = {}
        self._files: dict[str, tuple[str, str, str]] = {}
        self._tags: dict[str, dict[str, str]] = {}

    def get(self, trial: PreparedTrial) -> TrialTables:
        """Return the tables of a trial, and make those that are missing.

        Raises:
            MlrunnerError: When the data do not fit the composition.
        """
        keys = [self._provide(repeat) for repeat in trial.repeats]
        rows, files = tuple(self._rows[key] for key in keys), tuple(self._files[key] for key in keys)
        return TrialTables(rows, files, judged_rows.combine([self._tags[key] for key in keys]))

    def _provide(self, checked: Checked) -> str:
        composition = checked.composition
        groups = [composition[group] for group in TABLE_GROUPS]
        key = make_key(*groups, checked.data.fingerprint)
        if key not in self._rows:
            dataset, *others = groups
            cached = (checked.data.fingerprint, checked.code, composition.settings.blueprint)
            problem = describe_problem(dataset, composition["metric"])
            hidden = hide_group(dataset, composition.recorded["dataset"])
            rows = self._make_rows(hidden, problem, *others, *cached)
            self._files[key] = self._locate_files(rows)
            parts = (rows.test.load(), rows.validation.load(), rows.folds.load())
            self._tags[key] = judged_rows.describe_judged_rows(problem, composition.settings.objective.first, *parts)
            self._rows[key] = rows
        return key

    def _locate_files(self, rows: Rows) -> tuple[str, str, str]:
        has_folds = len(rows.folds.load()) > 0
        validation = "" if has_folds else self._locate(rows.validation)
        return self._locate(rows.train), validation, self._locate(rows.folds) if has_folds else ""

    def _locate(self, artifact: Any) -> str:
        """Return the path of a table; that of a copy where ZenML keeps the artifact elsewhere."""
        path = Path(artifact.uri) / arrow.TABLE_FILE
        if not has_scheme(artifact.uri) and path.exists():
            return str(path)
        copy = self._folder / f"{artifact.id}.arrow"
        if not copy.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            with copy.open("wb") as sink:
                arrow.write_table(artifact.load(), sink)
        return str(copy)


def build_task(trial: PreparedTrial, tables: TrialTables, settings: SweepSettings, metric: str) -> TrialTask:
    """Describe a trial for a worker.

    Args:
        trial: Trial that is ready to run.
        tables: Tables of the trial.
        settings: Settings of the sweeper.
        metric: Name of the metric to report and to check.
    """
    dataset = trial.repeats[0].data.dataset
    models = [repeat.composition["model"] for repeat in trial.repeats]
    tracking = trial.composition.settings.tracking
    keeps_model = tracking.keep_models == "all" and tracking.log_model
    return TrialTask(
        number=trial.number,
        repeats=tuple(RepeatTask(*files, model=model) for files, model in zip(tables.files, models, strict=True)),
        roles=dataset.roles,
        task=trial.composition["dataset"]["task"],
        metric=metric,
        scoring=ScoreSettings(positive=dataset.positive, custom=trial.composition["metric"]),
        threads=settings.threads,
        prunes=settings.has_pruner,
        each_fold=str(settings.pruner["_target_"]).endswith("WilcoxonPruner"),
        model_file=str(trial.model_file) if keeps_model else None,
        env=dict(trial.launch.env),
        working_folder=str(trial.folder) if trial.launch.changes_folder else None,
    )

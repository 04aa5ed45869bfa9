"""Compose a run from its recorded configuration, not from today's files, and run it again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from mlrunner.composition import checks
from mlrunner.composition.checks import Checked
from mlrunner.composition.composition import Launch
from mlrunner.composition.foreign_sources import refuse_foreign_sources
from mlrunner.composition.resolve import resolve_group
from mlrunner.composition.stores import open_store
from mlrunner.composition.trust import refuse_foreign
from mlrunner.core import environment
from mlrunner.core.errors import ConfigError, MlrunnerError, ProblemsError
from mlrunner.core.metric_names import THRESHOLD
from mlrunner.core.outcome import Outcome
from mlrunner.core.safe_yaml import read_yaml
from mlrunner.evaluation import uncertainty
from mlrunner.execution.reproduction import differences
from mlrunner.execution.reproduction.recorded_config import LOCAL_KEYS, OVERRIDABLE_KEYS, compose_seeds
from mlrunner.tracking.records import REPRODUCES_TAG, WINNER_OF_TAG, Record, Store, lookup
from mlrunner.tracking.records.record import REFIT_TAG, REPLICATES_FILE, SWEEP_TAG, TRIAL_TAG
from mlrunner.tracking.records.snapshot import read_snapshot


@dataclass(frozen=True)
class PreparedRerun:
    """A recorded composition, ready to run again.

    Args:
        record: Record of the run.
        configs: Configuration of each seed, at least one; only a repeated trial has several.
        checked: First configuration, checked against today's data and code.
        launch: Launch of the new run.
        texts: Files that Hydra wrote for the run, by name.
        is_refit: Whether the run was fitted on train and validation rows, as the winner of a search is.
    """

    record: Record
    configs: tuple[DictConfig, ...]
    checked: Checked
    launch: Launch
    texts: dict[str, str]
    is_refit: bool

    @property
    def note(self) -> str | None:
        """Which metrics are not compared; None when all are."""
        if WINNER_OF_TAG not in self.record.tags:
            return None
        sweep, trial = self.record.tags[SWEEP_TAG], self.record.tags[TRIAL_TAG]
        return f"its validation scores are those of its trial: mlrunner reproduce {sweep}/{trial}"


def prepare(record: Record, store: Store, overrides: Sequence[str], trust: bool = False) -> PreparedRerun:
    """Read the recorded configuration of a run, and check it as the start of any run does.

    Args:
        record: Record of the run.
        store: Store of the record.
        overrides: Overrides of the stack and of `OVERRIDABLE_KEYS`.
        trust: True to read the query or address of its data set, with the rights of the current user.

    Raises:
        ConfigError: When the configuration is missing, or names classes that are not trusted.
        ProblemsError: When the composition does not pass the checks, with one sentence for each problem.
    """
    files = {name: record.read_text(f".hydra/{name}.yaml") for name in ("config", "hydra", "overrides")}
    texts = {f"{name}.yaml": text for name, text in files.items() if text is not None}
    snapshot = read_snapshot(record)
    if not isinstance(snapshot.raw, dict) or not isinstance(snapshot.raw.get("dataset"), dict):
        raise ConfigError(
            f"Run {record.short} has no composition in .hydra/config.yaml at {record.artifact_uri}; name another run."
        )
    refuse_foreign(snapshot.raw, [key for key in snapshot.raw if key not in LOCAL_KEYS])
    is_refit = WINNER_OF_TAG in record.tags or REFIT_TAG in record.tags
    is_single = is_refit or REPRODUCES_TAG in record.tags  # a repeated trial has a run for each seed
    composed = tuple(compose_seeds(snapshot, overrides, 1 if is_single else _repeats(texts.get("hydra.yaml"))))
    if is_refit and THRESHOLD in record.metrics:  # the trial has tuned it on rows that the refit fits
        OmegaConf.update(composed[0], "model.threshold", record.metrics[THRESHOLD])
    if not trust:
        refuse_foreign_sources(resolve_group(composed[0], "dataset"), overrides)
    folder = Path(str(composed[0].home)) / "multirun" / datetime.now().strftime("%Y-%m-%d/%H-%M-%S-%f")
    choices = {group: option for group, option in snapshot.choices.items() if "@" not in group}
    launch = Launch(choices, list(snapshot.overrides), folder, prefix="reproduction")
    checked = _check(record, store, composed[0], launch)
    return PreparedRerun(record, composed, checked, launch, texts, is_refit)


def _check(record: Record, store: Store, cfg: DictConfig, launch: Launch) -> Checked:
    """Check a composition; an error lists the changes of the code as well, which may explain a missing class."""
    try:
        return checks.check(cfg, launch)
    except MlrunnerError as error:
        problems = getattr(error, "problems", [str(error)])
        is_about_data = any(problem.startswith(OVERRIDABLE_KEYS) for problem in problems)
        hint = "; set dataset.path=... or dataset.url=... if its data have moved" if is_about_data else ""
        conclusion = f"So run {record.short} cannot be reproduced here{hint}."
        raise ProblemsError([*problems, conclusion, *differences.list_code_differences(record, store)]) from error


def _repeats(hydra: str | None) -> int:
    """Read how many seeds a trial was averaged over, from the `hydra.yaml` of its run."""
    settings = (read_yaml(hydra) if hydra else {}).get("hydra", {})
    repeats = settings.get("sweeper", {}).get("repeats", 1)
    return int(repeats) if isinstance(repeats, int) and "MULTIRUN" in str(settings.get("mode")) else 1


def run(prepared: PreparedRerun) -> list[Outcome]:
    """Run a prepared composition, once for each seed.

    Returns:
        The outcome of each seed.
    """
    from mlrunner.execution import runner
    from mlrunner.tracking.background_writer import RECORDER

    outcomes = []
    for number, cfg in enumerate(prepared.configs):
        place = prepared.launch.folder if number == 0 else prepared.launch.folder / str(number)
        launch = replace(prepared.launch, folder=place)
        _write(launch.folder, {**prepared.texts, "config.yaml": OmegaConf.to_yaml(cfg)})
        checked = prepared.checked if number == 0 else checks.check(cfg, launch)
        outcomes.append(runner.execute(checked, refit=prepared.is_refit))
    RECORDER.flush()
    return outcomes


def read_fold_scores(outcomes: Sequence[Outcome]) -> list[dict[str, list[float]]]:
    """Read the scores of every fold of each run, by metric.

    Returns:
        A dictionary for each run, empty without folds; no dictionary for a single run.
    """
    if len(outcomes) == 1:
        return []
    store = open_store(environment.home())
    records = [lookup.find_by_id(store, str(outcome.run_id)) for outcome in outcomes]
    documents = [json.loads((record and record.read_text(REPLICATES_FILE)) or "{}") for record in records]
    folds = [document.get("cv") for document in documents]
    return [{} if scores is None else uncertainty.parse_replicates(scores).metrics for scores in folds]


def _write(folder: Path, texts: dict[str, str]) -> None:
    """Write the files that Hydra wrote into the folder of the first run."""
    (folder / ".hydra").mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / ".hydra" / name).write_text(text)


def tag_runs(prepared: PreparedRerun, outcomes: Sequence[Outcome], tags: dict[str, str]) -> None:
    """Tag the new runs."""
    from mlrunner.tracking import run_log

    tags = {**tags, **({REFIT_TAG: "true"} if prepared.is_refit else {})}
    for outcome in outcomes:
        run_log.set_tags(str(outcome.run_id), tags)

"""Compose from what was frozen, never from today's files, and run it."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig, OmegaConf

from mlrunner.composition import Launch, checks
from mlrunner.composition.compose import open_composer
from mlrunner.composition.stores import open_store
from mlrunner.composition.trust import refuse_foreign
from mlrunner.core.errors import ConfigError, MlrunnerError, ProblemsError
from mlrunner.evaluation import uncertainty
from mlrunner.execution.reproduction import differences
from mlrunner.tracking.records import REPRODUCES_TAG, WINNER_OF_TAG, Record, lookup, read_yaml, separate_stack_overrides
from mlrunner.tracking.records.record import REFIT_TAG, SWEEP_TAG, TRIAL_TAG
from mlrunner.tracking.records.snapshot import Snapshot, read_snapshot

if TYPE_CHECKING:
    from mlrunner.composition.checks import Checked
    from mlrunner.core.outcome import Outcome
    from mlrunner.tracking.records import Store

TODAYS = ("project", "home", "stack", "gate", "deployer", "output")  # what this machine says
FROZEN = ("dataset", "cleaning", "split", "model", "experiment", "sweep")  # today's files of these are not even read
HERE = ("gate=none", "deployer=none", *(f"~{group}" for group in FROZEN))  # nothing is deployed
PLACES = ("dataset.path", "dataset.url", "threads")  # what may be elsewhere here, beside the stack
HIDDEN = "***"


@dataclass(frozen=True)
class PreparedRerun:
    """A composition that was frozen, ready to run again.

    Args:
        record: The run.
        configs: One a seed: a trial may have been repeated.
        checked: The first of them, checked against today's data and code.
        launch: How it is started.
        texts: What Hydra wrote when it was started first, by name.
        is_refit: Whether it is a search's winner, which was fitted on train and validation.
    """

    record: Record
    compose_seeds: tuple[DictConfig, ...]
    checked: Checked
    launch: Launch
    texts: dict[str, str]
    is_refit: bool

    @property
    def note(self) -> str | None:
        """What is not compared."""
        if WINNER_OF_TAG not in self.record.tags:
            return None
        sweep, trial = self.record.tags[SWEEP_TAG], self.record.tags[TRIAL_TAG]
        return f"its validation scores are those of its trial: mlrunner reproduce {sweep}/{trial}"


def prepare(record: Record, store: Store, overrides: Sequence[str]) -> PreparedRerun:
    """Read what was frozen, and check it as the start of any run does.

    Args:
        record: The run.
        store: Where it is recorded.
        overrides: Of the stack, and `PLACES`.

    Raises:
        ConfigError: When it was not kept, or names what is not trusted.
        ProblemsError: With a sentence for each problem.
    """
    kept = {name: record.read_text(f".hydra/{name}.yaml") for name in ("config", "hydra", "overrides")}
    texts = {f"{name}.yaml": text for name, text in kept.items() if text is not None}
    frozen = read_snapshot(record)
    if not isinstance(frozen.raw, dict) or not isinstance(frozen.raw.get("dataset"), dict):
        raise ConfigError(
            f"Run {record.short} has no composition in .hydra/config.yaml at {record.artifact_uri}; name another run."
        )
    refuse_foreign(frozen.raw, [key for key in frozen.raw if key not in TODAYS])
    is_refit = WINNER_OF_TAG in record.tags or REFIT_TAG in record.tags
    is_single = is_refit or REPRODUCES_TAG in record.tags  # a trial's seeds are reproduced by a run each
    composed = tuple(compose_seeds(frozen, overrides, 1 if is_single else _repeats(texts.get("hydra.yaml"))))
    folder = Path(str(composed[0].home)) / "multirun" / datetime.now().strftime("%Y-%m-%d/%H-%M-%S-%f")
    choices = {group: option for group, option in frozen.choices.items() if "@" not in group}
    launch = Launch(choices, list(frozen.overrides), folder, prefix="reproduction")
    checked = _with_reason(record, store, composed[0], launch)
    return PreparedRerun(record, composed, checked, launch, texts, is_refit)


def _with_reason(record: Record, store: Store, cfg: DictConfig, launch: Launch) -> Checked:
    """Check it; a class or an argument that is not there any more has its reason in what the code was then."""
    try:
        return checks.check(cfg, launch)
    except MlrunnerError as error:
        problems = getattr(error, "problems", [str(error)])
        moved = "; where its data are may be given: dataset.path=..., dataset.url=..."
        more = moved if any(one.startswith(PLACES) for one in problems) else ""
        so = f"So run {record.short} cannot be reproduced here{more}."
        raise ProblemsError([*problems, so, *differences.list_code_differences(record, store)]) from error


def _repeats(hydra: str | None) -> int:
    """How many seeds a trial was averaged over."""
    told = (read_yaml(hydra) if hydra else {}).get("hydra", {})
    found = told.get("sweeper", {}).get("repeats", 1)
    return int(found) if isinstance(found, int) and "MULTIRUN" in str(told.get("mode")) else 1


def compose_seeds(frozen: Snapshot, overrides: Sequence[str], repeats: int) -> list[DictConfig]:
    """Set what this machine says in what was frozen."""
    _refuse_others(overrides)
    others, stack = separate_stack_overrides(overrides)
    raw = dict(frozen.raw or {})
    with open_composer() as hydra:
        today = hydra.compose([*stack, *HERE]).raw or {}
        raw |= {name: today[name] for name in TODAYS}
        raw["dataset"] = locate_data(raw["dataset"], frozen.cwd)
        raw = hydra.set(raw, others)
    _refuse_hidden(raw)
    first: Any = OmegaConf.create(raw)
    OmegaConf.set_struct(first, True)
    more = [OmegaConf.merge(first, {"seed": int(first.seed) + number}) for number in range(1, repeats)]
    return [first, *[one for one in more if isinstance(one, DictConfig)]]


def locate_data(dataset: dict[str, Any], cwd: str | None) -> dict[str, Any]:
    """Look for a relative path where the run was launched; here, if there is nothing any more."""
    path = dataset.get("path")
    if not isinstance(path, str) or "://" in path or "${" in path or Path(path).is_absolute():
        return dataset
    if cwd is None or Path(cwd) == Path.cwd():
        return dataset
    return {**dataset, "path": str(Path(cwd) / path)} if any(Path(cwd).glob(path)) else dataset


def _refuse_others(overrides: Sequence[str]) -> None:
    for text in overrides:
        key = text.partition("=")[0]
        if "=" not in text or (key not in PLACES and key != "stack" and not key.startswith("stack.")):
            raise ConfigError(
                f"'{text}' cannot be given here: the run is what it was. Where its data are may be said "
                f"({', '.join(PLACES)}, stack=...); to run it otherwise, start a new run."
            )


def _refuse_hidden(raw: dict[str, Any]) -> None:
    """Refuse a secret that was not recorded."""
    for key, value in raw["dataset"].items():
        if isinstance(value, str) and HIDDEN in value:
            raise ConfigError(f"dataset.{key} holds a secret that is not recorded; give it: dataset.{key}=...")


def run(prepared: PreparedRerun) -> list[Outcome]:
    """Run it, once a seed."""
    from mlrunner.execution import runner
    from mlrunner.tracking.background_writer import RECORDER

    found = []
    for number, cfg in enumerate(prepared.configs):
        place = prepared.launch.folder if number == 0 else prepared.launch.folder / str(number)
        launch = replace(prepared.launch, folder=place)
        _write(launch.folder, {**prepared.texts, "config.yaml": OmegaConf.to_yaml(cfg)})  # with where things are here
        checked = prepared.checked if number == 0 else checks.check(cfg, launch)
        found.append(runner.execute(checked, refit=prepared.is_refit))
    RECORDER.flush()
    return found


def read_fold_scores(outcomes: Sequence[Outcome]) -> list[dict[str, list[float]]]:
    """Read the scores of every fold of each run, by metric; empty where there are no folds, or only one run."""
    if len(outcomes) == 1:
        return []
    store = open_store(Path(os.environ["MLRUNNER_HOME"]))
    records = [lookup.find_by_id(store, str(one.run_id)) for one in outcomes]
    told = [json.loads((one and one.read_text("noise.json")) or "{}").get("cv") for one in records]
    return [{} if one is None else uncertainty.parse_replicates(one).metrics for one in told]


def _write(folder: Path, texts: dict[str, str]) -> None:
    """Leave in the folder what Hydra left in that of the first run."""
    (folder / ".hydra").mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / ".hydra" / name).write_text(text)


def tag_runs(prepared: PreparedRerun, outcomes: Sequence[Outcome], tags: dict[str, str]) -> None:
    """Say of the new runs what they reproduce."""
    from mlrunner.tracking import run_log

    tags = {**tags, **({REFIT_TAG: "true"} if prepared.is_refit else {})}
    for outcome in outcomes:
        run_log.set_tags(str(outcome.run_id), tags)

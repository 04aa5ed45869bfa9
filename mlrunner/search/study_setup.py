"""Open the Optuna study of a sweep, and build its samplers."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

import optuna
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from optuna.samplers import BaseSampler
from optuna.storages import BaseStorage

from mlrunner.core.errors import ConfigError, first_line
from mlrunner.search.settings import Direction, SweepSettings
from mlrunner.tracking.studies import SWEEPER_KEY, list_live_sessions

SEARCH_ATTRIBUTE = "mlrunner"  # attribute of a study: the description of its search
LIMIT_ATTRIBUTE = "n_trials"  # attribute of a study: the number of trials of its newest session
MULTIRUN = "multirun.yaml"  # in the folder of a sweep
MAX_SEED = 2**31 - 1


def open_study(storage: BaseStorage, name: str, directions: list[Direction], settings: SweepSettings) -> optuna.Study:
    """Load a study by its name, or create it.

    Raises:
        ConfigError: When a study of this name has other directions, or Optuna refuses the arguments of the pruner.
    """
    key = f"{SWEEPER_KEY}.study_name={name}"
    pruner = _build(settings.pruner, f"{SWEEPER_KEY}.pruner")
    try:
        study = optuna.create_study(
            study_name=name, storage=storage, directions=directions, load_if_exists=True, pruner=pruner
        )
    except ValueError as error:
        raise ConfigError(f"{key} cannot be continued ({error}); choose another name.") from error
    stored = [direction.name.lower() for direction in study.directions]
    if stored != directions:
        raise ConfigError(
            f"{key} has the direction {', '.join(stored)}, not {', '.join(directions)}; choose another name, or the "
            "direction of the study."
        )
    return study


def refuse_lost_study(storage: BaseStorage, name: str, folder: Path) -> None:
    """Refuse to begin a study in the folder of a sweep: its trials would be overwritten, and all run once more.

    Args:
        storage: Storage of the study.
        name: Name of the study.
        folder: `hydra.sweep.dir`, which `mlrunner resume` sets to that of the sweep.

    Raises:
        ConfigError: When the folder holds a sweep, but the storage does not hold the study.
    """
    if (folder / MULTIRUN).exists() and name not in optuna.get_all_study_names(storage):
        raise ConfigError(
            f"study {name} is gone: {folder} holds a sweep, but {SWEEPER_KEY}.storage has no study of this name. "
            f"Restore the study, or set the storage that has it; to start anew, type the sweep's own command."
        )


def choose_folder(study: optuna.Study, config: DictConfig) -> Path:
    """Return the folder of a search: that of its first session; trials have numbers, so they overwrite nothing."""
    before = study.user_attrs.get("folder")
    folder = Path(str(before or config.hydra.sweep.dir)).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    if before is None:
        study.set_user_attr("folder", str(folder))
    OmegaConf.save(config, folder / MULTIRUN)
    (folder / MULTIRUN).chmod(0o600)  # it holds what was typed, also passwords
    return folder


@contextmanager
def discard_when_refused(
    study: optuna.Study, storage: BaseStorage, folder: Path, journal: Path | None, lock: AbstractContextManager[Any]
) -> Iterator[None]:
    """Remove study and folder of a search that the block refuses before it begins; keep what another session uses.

    Args:
        study: Study that this session has created, and closes within the block.
        storage: Storage of the study.
        folder: Folder of the search.
        journal: File of a storage that holds nothing else; None for any other storage.
        lock: Lock that the sessions of a home share.
    """
    try:
        yield
    except Exception:
        with suppress(Exception), lock:  # the error that ends the session matters more
            if SEARCH_ATTRIBUTE not in study.user_attrs and not list_live_sessions(study.user_attrs):
                _discard(study, storage, folder, journal)
        raise


def _discard(study: optuna.Study, storage: BaseStorage, folder: Path, journal: Path | None) -> None:
    optuna.delete_study(study_name=study.study_name, storage=storage)
    if journal is not None:
        journal.unlink()
    (folder / MULTIRUN).unlink()
    folder.rmdir()  # fails where something else is in it


def build_sampler(settings: SweepSettings, seed: int, number: int) -> BaseSampler:
    """Build the sampler of one trial.

    Each trial has its own sampler, seeded by its place: a resumed search draws what it would have drawn without the
    interruption, and two processes on one study draw differently.

    Args:
        settings: Settings of the sweep.
        seed: Seed of the experiment, used when the sampler has none.
        number: Place of the trial in the sequence of draws.

    Raises:
        ConfigError: When Optuna refuses the arguments of the sampler.
    """
    own = settings.sampler.get("seed")
    base = seed if own is None else own
    is_shared = str(settings.sampler["_target_"]).endswith("QMCSampler")  # its points are spread over all trials
    derived = base % MAX_SEED if is_shared else (base * 1_000_003 + number) % MAX_SEED
    return make_sampler({**settings.sampler, "seed": derived})


def make_sampler(arguments: dict[str, Any]) -> BaseSampler:
    """Make a sampler from `hydra.sweeper.sampler`; null stands for the default of Optuna.

    Raises:
        ConfigError: When Optuna refuses the arguments.
    """
    set_arguments = {key: value for key, value in arguments.items() if value is not None}
    sampler: BaseSampler = _build(set_arguments, f"{SWEEPER_KEY}.sampler")
    return sampler


def _build(arguments: dict[str, Any], key: str) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return instantiate({name: value for name, value in arguments.items() if name != "_partial_"})
    except Exception as error:
        cause = first_line(Exception(str(error.__cause__ or error)))
        raise ConfigError(f"Optuna refuses {key} ({cause}); see its documentation.") from error

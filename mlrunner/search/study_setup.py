"""The Optuna study of a sweep: where it is stored, and whether it is still the same search."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import optuna
from hydra.utils import instantiate
from optuna.exceptions import ExperimentalWarning
from optuna.storages import BaseStorage

from mlrunner.core.errors import ConfigError, ProblemsError
from mlrunner.search.settings import Direction, SweepSettings
from mlrunner.tracking.studies import KEY, _line

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler

META = "mlrunner"
HARMLESS = ("output=", "tracking.", "threads=", "stack", "sweep=", "gate", "deployer")
HUGE = 2**31 - 1


def open_study(storage: BaseStorage, name: str, directions: list[Direction], settings: SweepSettings) -> optuna.Study:
    """Find a study by its name, or begin it.

    Raises:
        ConfigError: When a study of this name has other directions.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.filterwarnings("ignore", category=ExperimentalWarning)
    try:
        study = optuna.create_study(
            study_name=name, storage=storage, directions=directions, load_if_exists=True, pruner=pruner(settings)
        )
    except ValueError as error:
        raise ConfigError(f"{KEY}.study_name={name} cannot be continued ({error}); choose another name.") from error
    if [one.name.lower() for one in study.directions] != directions:
        told = ", ".join(one.name.lower() for one in study.directions)
        raise ConfigError(
            f"{KEY}.study_name={name} searched with direction {told}, and not {', '.join(directions)}; choose another "
            "name, or the direction that it has."
        )
    return study


def pruner(settings: SweepSettings) -> Any:
    """Build the pruner."""
    return _built(settings.pruner, f"{KEY}.pruner")


def sampler(settings: SweepSettings, seed: int, number: int) -> BaseSampler:
    """Build the sampler of one trial.

    Each trial has a sampler of its own, seeded by its number: a search that was interrupted and resumed draws what it
    would have drawn, and two processes on one study draw differently.

    Args:
        settings: Of the sweep.
        seed: Of the sweep, where the sampler has none.
        number: Of the trial.
    """
    own = settings.sampler.get("seed")
    first = seed if own is None else own
    together = str(settings.sampler["_target_"]).endswith("QMCSampler")  # its points are spread over all trials
    derived = first % HUGE if together else (first * 1_000_003 + number) % HUGE
    told = {**settings.sampler, "seed": derived}
    told = {key: value for key, value in told.items() if value is not None}  # what the field calls null is a default
    found: BaseSampler = _built(told, f"{KEY}.sampler")
    return found


def _built(told: dict[str, Any], key: str) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return instantiate({name: value for name, value in told.items() if name != "_partial_"})
    except Exception as error:
        cause = error.__cause__ or error
        raise ConfigError(f"{key} is refused by Optuna ({_line(Exception(str(cause)))}); see its documentation.") from (
            error
        )


def changes(study: optuna.Study, described: dict[str, Any]) -> list[str]:
    """Say in what a search differs from the one that the study was begun for, a sentence each.

    Args:
        study: That was found.
        described: The search of today, as plain values.
    """
    before = study.user_attrs.get(META)
    if before is None:
        return []
    told: list[str] = []
    for name in ("data", "metric", "repeats"):
        if before.get(name) != described[name]:
            told.append(f"{name} was {_short(before.get(name))} and is {_short(described[name])}")
    old, new = before["space"]["dimensions"], described["space"]["dimensions"]
    for name in sorted({*old, *new}):
        if old.get(name) != new.get(name):
            told.append(f"{name} was {_range(old.get(name))} and is {_range(new.get(name))}")
    fixed, now = _told(before), _told(described)
    told += [f"{text} is gone" for text in sorted(fixed - now)] + [f"{text} is new" for text in sorted(now - fixed)]
    return told


def _told(described: dict[str, Any]) -> set[str]:
    """Take the fixed overrides that may change a result."""
    return {text for text in described["space"]["fixed"] if not text.startswith(HARMLESS)}


def refuse_changes(study: optuna.Study, described: dict[str, Any], allowed: bool) -> None:
    """Refuse to continue a study as another search.

    Raises:
        ProblemsError: With a sentence for each difference.
    """
    found = changes(study, described)
    if found and not allowed:
        hint = f"choose another {KEY}.study_name, or accept it with {KEY}.allow_changes=true."
        raise ProblemsError([f"study {study.study_name}: {one}; {hint}" for one in found])


def _short(value: Any) -> str:
    return ", ".join(f"{key} {text}" for key, text in value.items()) if isinstance(value, dict) else str(value)


def _range(told: str | None) -> str:
    if told is None:
        return "not searched"
    found = optuna.distributions.json_to_distribution(told)
    return str(found).replace("Distribution", "")

"""What Hydra composed, as plain values: the groups, the choices, the folder of the run."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import pydantic
from omegaconf import DictConfig, OmegaConf

from mlrunner.composition.keys import GROUPS as GROUPS
from mlrunner.composition.keys import MACHINE_KEYS
from mlrunner.composition.resolve import plain, resolving
from mlrunner.core.build import Group, sentences
from mlrunner.core.errors import ProblemsError

NO_GATE, NO_DEPLOYER = "mlrunner.groups.gate.NoGate", "mlrunner.groups.deployer.NoDeployer"
DUMMY = {"regression": "sklearn.dummy.DummyRegressor", "classification": "sklearn.dummy.DummyClassifier"}


# overrides that change nothing of the result
UNTOLD = ("output=", "blueprint=", "tracking.", "sweep=", "gate=", "gate.", "deployer=", "deployer.")
NAME_LENGTH = 230  # MLflow keeps 250 letters; some may be put before it
FRACTION = re.compile(r"-?\d+\.\d{4,}(e-?\d+)?")


def _short(override: str) -> str:
    key, _, value = override.partition("=")
    if FRACTION.fullmatch(value):
        value = f"{float(value):.4g}"
    return f"{key.rpartition('.')[2]}={value}".replace("'", "")


class _Strict(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)


class Objective(_Strict):
    """What a run returns."""

    default: dict[str, str]
    metric: str | list[str]
    direction: Literal["maximize", "minimize"] | None

    @property
    def metrics(self) -> list[str]:
        """All of its metrics; only a search has several."""
        return [self.metric] if isinstance(self.metric, str) else self.metric

    @property
    def first(self) -> str:
        """The metric that ranks."""
        return self.metrics[0]


class Tracking(_Strict):
    """What MLflow receives beside parameters and metrics."""

    experiment: str = pydantic.Field(min_length=1)
    name: str | None
    log_model: bool
    keep_models: Literal["best", "all", "none"]
    plots: bool
    tags: dict[str, str | int | float | bool]


class Settings(_Strict):
    """The keys that belong to no group."""

    seed: int = pydantic.Field(ge=0, lt=2**32)
    threads: int
    blueprint: bool
    objective: Objective
    tracking: Tracking
    output: Literal["text", "json"]
    project: Path
    home: Path

    @pydantic.field_validator("threads")
    @classmethod
    def _some(cls, threads: int) -> int:
        if threads == 0 or threads < -1:
            raise ValueError("should be -1, which takes all, or at least 1")
        return threads


KNOWN = {
    "": [*GROUPS, *Settings.model_fields],
    "objective": list(Objective.model_fields),
    "tracking": list(Tracking.model_fields),
}


@dataclass(frozen=True)
class Launch:
    """How a run was started.

    Args:
        choices: Group to option.
        overrides: As they were typed.
        folder: Where the run's files go.
        job: The number of the composition in its sweep; None for a single run.
        parent: The MLflow run of the sweep; None for a single run.
        shared: The overrides that every composition of the sweep has.
        prefix: A word before the name; empty for none.
    """

    choices: dict[str, str]
    overrides: list[str]
    folder: Path
    job: int | None = None
    parent: str | None = None
    shared: tuple[str, ...] = ()
    prefix: str = ""

    @property
    def telling(self) -> list[str]:
        """The overrides that say what differs from the default composition."""
        return [text for text in self.overrides if not text.startswith(UNTOLD)]

    @property
    def name(self) -> str:
        """What differs: from the default composition, or in a sweep from its other compositions."""
        told = [text for text in self.telling if text not in self.shared]
        return ",".join(_short(text) for text in told)[:NAME_LENGTH] or "default"


@dataclass(frozen=True)
class Composition:
    """One experiment, as plain values."""

    config: dict[str, Any]
    settings: Settings
    launch: Launch

    def __getitem__(self, group: str) -> Group:
        """The settings of one group."""
        found: Group = self.config[group]
        return found

    def choice(self, group: str) -> str:
        """The option of a group."""
        return self.launch.choices.get(group, str(self[group].get("name", group)))

    @property
    def name(self) -> str:
        """What differs from the default composition, or the name that was given."""
        given = self.settings.tracking.name
        words = [self.launch.prefix, "blueprint" if self.settings.blueprint and given is None else ""]
        return ",".join([*filter(None, words), given or self.launch.name])

    @property
    def config_hash(self) -> str:
        """Digest of all that decides the result, and of nothing that names a machine."""
        kept = {key: value for key, value in self.config.items() if key not in MACHINE_KEYS}
        return hashlib.sha256(json.dumps(kept, sort_keys=True, default=str).encode()).hexdigest()[:16]

    def as_blueprint(self) -> Composition:
        """The same wiring with a dummy model, a few dozen rows and no deployment."""
        estimator = {"_target_": DUMMY[self["dataset"]["task"]]}
        config = {
            **self.config,
            "model": {**self["model"], "estimator": estimator, "encode_labels": False},
        }
        return replace(self, config=config).undeployed()

    def undeployed(self) -> Composition:
        """The same without judgement and deployment."""
        closed = {"gate": {"_target_": NO_GATE}, "deployer": {"_target_": NO_DEPLOYER}}
        return replace(self, config={**self.config, **closed})

    @property
    def is_judged(self) -> bool:
        """Whether this run goes to a gate or a deployer by itself; of a grid only the best does, at its end."""
        return is_judged(self.config) and self.launch.job is None


def is_judged(config: Mapping[str, Any]) -> bool:
    """Tell whether a composition chose a gate or a deployer; a blueprint goes to neither."""
    chosen = (config["gate"]["_target_"], config["deployer"]["_target_"])
    return chosen != (NO_GATE, NO_DEPLOYER) and not config["blueprint"]


def settings(cfg: DictConfig) -> Settings:
    """Read the keys that belong to no group.

    Raises:
        ProblemsError: With one sentence for each key that is unknown or has an impossible value.
    """
    return _settings({str(key): _value(cfg, str(key)) for key in cfg if key not in GROUPS})


def _settings(rest: dict[str, Any]) -> Settings:
    try:
        return Settings.model_validate(rest)
    except pydantic.ValidationError as error:
        raise ProblemsError(sentences(error, "", KNOWN)) from error


def _value(cfg: DictConfig, key: str) -> Any:
    if OmegaConf.is_dict(cfg._get_node(key)):
        return plain(cfg, key)
    with resolving(key, [str(name) for name in cfg]):
        return cfg[key]


def read(cfg: DictConfig, launch: Launch) -> Composition:
    """Read Hydra's config, which has been checked, into plain values."""
    config = {str(key): _value(cfg, str(key)) for key in cfg}
    return Composition(config, _settings({key: value for key, value in config.items() if key not in GROUPS}), launch)

"""A composition as plain values: the config groups, the other keys, and how the run was launched."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from mlrunner.composition.keys import GROUPS as GROUPS
from mlrunner.composition.keys import MACHINE_KEYS
from mlrunner.composition.resolve import explain_resolution, is_resolved, resolve_group
from mlrunner.composition.settings import Settings, validate_settings
from mlrunner.core.build import Group
from mlrunner.core.redaction import redact_override, redact_values

NO_GATE, NO_DEPLOYER = "mlrunner.groups.gate.NoGate", "mlrunner.groups.deployer.NoDeployer"
DUMMY = {"regression": "sklearn.dummy.DummyRegressor", "classification": "sklearn.dummy.DummyClassifier"}
# Overrides that do not change the result.
UNRELATED = (
    *("output=", "blueprint=", "tracking.", "warnings.", "sweep="),
    *(f"{group}{end}" for group in ("gate", "deployer", "executor") for end in "=."),
)
NAME_LENGTH = 230  # characters; MLflow keeps 250, and a prefix may come before the name
FRACTION = re.compile(r"-?\d+\.\d{4,}(e-?\d+)?")  # a number that is abbreviated in names


def abbreviate_override(override: str) -> str:
    """Shorten an override for a name: the last part of its key, and a number in four digits."""
    key, _, value = override.partition("=")
    if FRACTION.fullmatch(value):
        value = f"{float(value):.4g}"
    return f"{key.rpartition('.')[2]}={value}".replace("\\'", "").replace("'", "")


@dataclass(frozen=True)
class Launch:
    """How a run was launched.

    Args:
        choices: Option of each config group.
        overrides: Overrides as they were typed.
        folder: Output folder of the run.
        job: Number of the job in its sweep; None for a single run.
        parent: MLflow run of the sweep; None for a single run.
        shared: Overrides that all jobs of the sweep have.
        prefix: Word before the name; empty for none.
        env: Environment variables of a trial, `hydra.job.env_set`.
        changes_folder: Whether a trial works in its own folder, `hydra.job.chdir`.
        sweep: Folder of the sweep, below which `hydra.sweep.subdir` may nest that of the run; None: the one above.
    """

    choices: dict[str, str]
    overrides: list[str]
    folder: Path
    job: int | None = None
    parent: str | None = None
    shared: tuple[str, ...] = ()
    prefix: str = ""
    env: dict[str, str] = field(default_factory=dict)
    changes_folder: bool = False
    sweep: Path | None = None

    @property
    def significant_overrides(self) -> list[str]:
        """The overrides that change the result."""
        return [text for text in self.overrides if not text.startswith(UNRELATED)]

    @property
    def name(self) -> str:
        """The significant overrides, abbreviated; in a sweep without those that all jobs have."""
        overrides = [text for text in self.significant_overrides if text not in self.shared]
        return ",".join(map(abbreviate_override, map(redact_override, overrides)))[:NAME_LENGTH] or "default"


@dataclass(frozen=True)
class Composition:
    """One experiment.

    Args:
        config: Resolved configuration.
        settings: Keys that belong to no config group.
        launch: How the run was launched.
        variables: Text of the values that come from a variable of the environment, like `${oc.env:DB}`, by dotted key.
    """

    config: dict[str, Any]
    settings: Settings
    launch: Launch
    variables: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, group: str) -> Group:
        """Return the values of a config group."""
        values: Group = self.config[group]
        return values

    @cached_property
    def recorded(self) -> dict[str, Any]:
        """The configuration for records: variables of the environment by their names, and no secrets."""
        values: dict[str, Any] = redact_values(self.config, self.variables)
        return values

    def choice(self, group: str) -> str:
        """Return the option of a config group."""
        return self.launch.choices.get(group, str(self[group].get("name", group)))

    @property
    def name(self) -> str:
        """Name of the run: `tracking.name`, or else the abbreviated overrides."""
        custom = self.settings.tracking.name
        words = [self.launch.prefix, "blueprint" if self.settings.blueprint and custom is None else ""]
        return ",".join([*filter(None, words), custom or self.launch.name])

    @property
    def config_hash(self) -> str:
        """Digest of the keys that determine the result; those of a machine are left out."""
        values = {key: value for key, value in self.config.items() if key not in MACHINE_KEYS}
        return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()[:16]

    def as_blueprint(self, dates: Mapping[str, str]) -> Composition:
        """Return the same composition with a dummy model and without gate and deployer.

        Args:
            dates: Format of each date column in the whole table, which its few rows need not show.
        """
        estimator = {"_target_": DUMMY[self["dataset"]["task"]]}
        config = {
            **self.config,
            "model": {**self["model"], "estimator": estimator, "encode_labels": False, "early_stopping": None},
        }
        if "date_format" in self["cleaning"]:
            config["cleaning"] = {**self["cleaning"], "date_formats": dict(dates)}
        return replace(self, config=config).without_deployment()

    def without_deployment(self) -> Composition:
        """Return the same composition without gate and deployer."""
        closed = {"gate": {"_target_": NO_GATE}, "deployer": {"_target_": NO_DEPLOYER}}
        return replace(self, config={**self.config, **closed})

    @property
    def has_deployment_step(self) -> bool:
        """Whether the run ends with a gate or a deployer; of a grid only the best job does, after the last one."""
        return has_deployment_step(self.config) and self.launch.job is None


def has_deployment_step(config: Mapping[str, Any]) -> bool:
    """Check whether a composition has a gate or a deployer; a blueprint uses neither."""
    chosen = (config["gate"]["_target_"], config["deployer"]["_target_"])
    return chosen != (NO_GATE, NO_DEPLOYER) and not config["blueprint"]


def read_settings(cfg: DictConfig) -> Settings:
    """Validate the keys that belong to no config group.

    Raises:
        ProblemsError: One sentence for each key that is unknown or has an invalid value.
    """
    return validate_settings({str(key): _value(cfg, str(key)) for key in cfg if key not in GROUPS})


def _value(cfg: DictConfig, key: str) -> Any:
    with explain_resolution(key, [str(name) for name in cfg]):
        value = cfg[key]
    return resolve_group(cfg, key) if OmegaConf.is_dict(value) else value


def read_composition(cfg: DictConfig, launch: Launch) -> Composition:
    """Convert a checked configuration of Hydra into plain values."""
    plain: Any = OmegaConf.to_container(cfg)
    config = {str(key): value if is_resolved(value) else _value(cfg, str(key)) for key, value in plain.items()}
    settings = validate_settings({key: value for key, value in config.items() if key not in GROUPS})
    return Composition(config, settings, launch, dict(_list_variables(plain)))


def _list_variables(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """List the texts among unresolved values that read a variable of the environment, with their dotted keys."""
    if isinstance(value, str):
        if "${oc.env:" in value:
            yield key, value
    elif isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for name, item in items:
            yield from _list_variables(item, f"{key}.{name}" if key else str(name))

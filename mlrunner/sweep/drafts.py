"""Trials that are about to run: composed, checked, and named."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from mlrunner.composition import Composition, Launch, checks
from mlrunner.composition.checks import Checked
from mlrunner.sweep import composer as composing

if TYPE_CHECKING:
    from mlrunner.sweep.composer import Composer

TABLES = ("dataset", "cleaning", "split")  # the groups that decide which rows a trial sees


@dataclass(frozen=True)
class Draft:
    """A trial before it runs.

    Args:
        number: Of the trial.
        overrides: All of them, as its folder records them.
        cfg: Hydra's whole config of the trial.
        repeats: The checked composition for each seed; none when it was refused.
        launch: How it was started.
    """

    number: int
    overrides: tuple[str, ...]
    cfg: DictConfig
    repeats: tuple[Checked, ...]
    launch: Launch

    @property
    def composition(self) -> Composition:
        """The composition with the first seed."""
        return self.repeats[0].composition

    @property
    def folder(self) -> Path:
        """Where the trial's files go."""
        return self.launch.folder

    def write(self) -> None:
        """Leave in the folder what Hydra leaves there."""
        composing.write(self.cfg, self.folder)


class Drafts:
    """Makes the trials of one sweep; what was checked once is not checked again."""

    def __init__(self, composer: Composer, repeats: int, shared: tuple[str, ...]) -> None:
        self._composer, self._repeats, self._shared = composer, repeats, shared
        self._checked: dict[str, Checked] = {}
        self.parent: str | None = None
        self._told: dict[int, tuple[str, ...]] = {}

    def overrides_of(self, number: int) -> tuple[str, ...]:
        """Recall the overrides of a trial that was drafted."""
        return self._told[number]

    def draft(self, overrides: tuple[str, ...], number: int | None = None) -> Draft:
        """Compose and check a trial.

        Args:
            overrides: All of them.
            number: Of the trial; None for one that is only looked at.

        Raises:
            HydraException: When a choice or a key is not there.
            MlrunnerError: When the composition cannot run.
        """
        cfg = self._composer.compose(overrides, number)
        seeded = [cfg] + [self._composer.compose((*overrides, f"seed={seed}"), number) for seed in self._seeds(cfg)]
        repeats = tuple(self._check(one, cfg) for one in seeded)
        if number is not None:
            self._told[number] = overrides
        return Draft(-1 if number is None else number, overrides, cfg, repeats, repeats[0].composition.launch)

    def plain(self, overrides: tuple[str, ...], number: int) -> Draft:
        """Describe a trial that cannot run, as far as Hydra can compose it."""
        try:
            cfg = self._composer.compose(overrides, number)
        except (HydraException, OmegaConfBaseException):
            cfg = self._composer.compose((), number)
            cfg.hydra.overrides.task = list(overrides)
        return Draft(number, overrides, cfg, (), self._composer.launch(cfg, self.parent, self._shared))

    def _seeds(self, cfg: DictConfig) -> list[int]:
        return [int(cfg.seed) + more for more in range(1, self._repeats)]

    def _check(self, seeded: DictConfig, cfg: DictConfig) -> Checked:
        launch = self._composer.launch(cfg, self.parent, self._shared)
        config = composing.task_config(seeded)
        told = {group: OmegaConf.to_container(config[group]) for group in TABLES}
        key = data_key(told, launch.choices.get("model"), seeded.seed)
        known = self._checked.get(key)
        if known is not None:
            return checks.recheck(config, launch, known)
        self._checked[key] = checks.check(config, launch)
        return self._checked[key]

    @property
    def data(self) -> dict[str, str]:
        """The digest of each data set that was looked at, by its name."""
        return {one.data.dataset.label: one.data.fingerprint for one in self._checked.values()}


def data_key(*parts: Any) -> str:
    """Write settings as one text, the same for the same settings."""
    return json.dumps(parts, sort_keys=True, default=str)

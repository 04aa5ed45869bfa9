"""Trials that are about to run: composed, checked, and named."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from mlrunner.composition import Composition, Launch, checks
from mlrunner.composition.checks import Checked
from mlrunner.composition.resolve import plain

if TYPE_CHECKING:
    from mlrunner.search.composer import Composed, Composer

TABLES = ("dataset", "cleaning", "split")  # the groups that decide which rows a trial sees


@dataclass(frozen=True)
class Draft:
    """A trial before it runs.

    Args:
        number: Of the trial.
        overrides: All of them, as its folder records them.
        repeats: The checked composition for each seed; none when it was refused.
        launch: How it was started.
        record: What Hydra leaves in the folder of a job.
    """

    number: int
    overrides: tuple[str, ...]
    repeats: tuple[Checked, ...]
    launch: Launch
    record: dict[str, str]

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
        folder = self.folder / ".hydra"
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in self.record.items():
            (folder / name).write_text(text)


class Drafts:
    """Makes the trials of one sweep; what was checked once is not checked again."""

    def __init__(self, composer: Composer, repeats: int, shared: tuple[str, ...]) -> None:
        self._composer, self._repeats, self._shared = composer, repeats, shared
        self._checked: dict[str, Checked] = {}
        self._told: dict[int, tuple[str, ...]] = {}
        self.parent: str | None = None

    def settle(self, folder: Path) -> None:
        """Put the folders of all trials below another one."""
        self._composer.settle(folder)

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
        first = self._composer.compose(overrides, number, record=number is not None)
        launch = replace(first.launch, parent=self.parent, shared=self._shared)
        repeats = tuple(self._check(one, launch) for one in self._seeded(first, overrides))
        if number is not None:
            self._told[number] = overrides
        return Draft(-1 if number is None else number, overrides, repeats, launch, first.record)

    def plain(self, overrides: tuple[str, ...], number: int) -> Draft:
        """Describe a trial that cannot run, as far as Hydra can compose it."""
        try:
            composed = self._composer.compose(overrides, number, record=True)
        except (HydraException, OmegaConfBaseException):
            composed = self._composer.compose((), number)
        launch = replace(composed.launch, overrides=list(overrides), parent=self.parent, shared=self._shared)
        return Draft(number, overrides, (), launch, composed.record)

    def _seeded(self, first: Composed, overrides: tuple[str, ...]) -> Iterator[Composed]:
        """Compose each repeat: the same with the next seed."""
        yield first
        for more in range(1, self._repeats):
            yield self._composer.compose((*overrides, f"seed={int(first.cfg.seed) + more}"))

    def _check(self, composed: Composed, launch: Launch) -> Checked:
        """Check a composition whole the first time that its data and its model are seen, and its values always."""
        cfg = composed.cfg
        key = data_key(*[plain(cfg, group) for group in TABLES], launch.choices.get("model"))
        known = self._checked.get(key)
        if known is not None:
            return checks.recheck(cfg, launch, known)
        self._checked[key] = checks.check(cfg, launch)
        return self._checked[key]

    @property
    def data(self) -> dict[str, str]:
        """The digest of each data set that was looked at, by its name."""
        return {one.data.dataset.label: one.data.fingerprint for one in self._checked.values()}


def data_key(*parts: Any) -> str:
    """Write settings as one text, the same for the same settings."""
    return json.dumps(parts, sort_keys=True, default=str)

"""Compose and check the trials of a search."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from mlrunner.composition import checks
from mlrunner.composition.checks import Checked
from mlrunner.composition.composition import Composition, Launch
from mlrunner.composition.resolve import resolve_group
from mlrunner.core.errors import MlrunnerError
from mlrunner.core.redaction import redact_override

if TYPE_CHECKING:
    from mlrunner.search.composer import ComposedTrial, Composer

REFUSALS = (MlrunnerError, HydraException, OmegaConfBaseException, ValueError)  # a composition that cannot run
TABLE_GROUPS = ("dataset", "cleaning", "split")  # the groups that decide which rows a trial has


@dataclass(frozen=True)
class PreparedTrial:
    """A trial that is ready to run.

    Args:
        number: Number of the trial; -1 for a composition that is only checked.
        overrides: All overrides of the trial.
        repeats: Checked composition for each seed; empty for a trial that was refused.
        launch: Choices, overrides and output folder.
        record: Texts of the files that Hydra writes into `.hydra/`, by file name.
    """

    number: int
    overrides: tuple[str, ...]
    repeats: tuple[Checked, ...]
    launch: Launch
    record: dict[str, str]

    @property
    def composition(self) -> Composition:
        """Composition with the first seed."""
        return self.repeats[0].composition

    @property
    def folder(self) -> Path:
        """Folder of the trial's files."""
        return self.launch.folder

    @property
    def model_file(self) -> Path:
        """Path of the fitted pipeline until it is saved as a model."""
        return self.folder / "model.joblib"

    def write_record(self) -> None:
        """Write the files that Hydra writes into the folder of a job."""
        folder = self.folder / ".hydra"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # overrides may hold passwords
        for name, text in self.record.items():
            (folder / name).write_text(text)


class TrialPreparer:
    """Composes and checks the trials of a search; the data and the model of a composition are checked once.

    Args:
        composer: Composer of the search.
        repeats: Number of repeats of each trial, with consecutive seeds.
        shared: Overrides that all trials have.
    """

    def __init__(self, composer: Composer, repeats: int, shared: tuple[str, ...]) -> None:
        self.composer, self._repeats, self._shared = composer, repeats, shared
        self._checked: dict[str, Checked] = {}
        self.locations: dict[int, tuple[tuple[str, ...], Path]] = {}  # overrides and folder of each trial, by number
        self.parent: str | None = None  # MLflow run of the search
        self._hidden = {redact_override(text): text for text in shared}  # a study holds overrides without secrets

    def prepare(self, overrides: tuple[str, ...], number: int | None = None) -> PreparedTrial:
        """Compose and check a trial.

        Args:
            overrides: All overrides of the trial, as they were suggested or as the study holds them.
            number: Number of the trial; None only checks the composition.

        Raises:
            HydraException: When a choice or a key does not exist.
            MlrunnerError: When the composition cannot run.
        """
        overrides = tuple(self._hidden.get(text, text) for text in overrides)
        first = self.composer.compose(overrides, number, record=number is not None)
        launch = replace(first.launch, parent=self.parent, shared=self._shared)
        repeats = tuple(self._check(composed, launch) for composed in self._compose_repeats(first, overrides))
        if number is not None:
            self.locations[number] = overrides, launch.folder
        return PreparedTrial(-1 if number is None else number, overrides, repeats, launch, first.record)

    def describe_refused(self, overrides: tuple[str, ...], number: int) -> PreparedTrial:
        """Describe a trial that cannot run, as far as Hydra can compose it."""
        try:
            composed = self.composer.compose(overrides, number, record=True)
        except (HydraException, OmegaConfBaseException):
            composed = self.composer.compose((), number)
        launch = replace(composed.launch, overrides=list(overrides), parent=self.parent, shared=self._shared)
        return PreparedTrial(number, overrides, (), launch, composed.record)

    def _compose_repeats(self, first: ComposedTrial, overrides: tuple[str, ...]) -> Iterator[ComposedTrial]:
        """Compose each repeat: the same overrides with the next seed."""
        yield first
        for offset in range(1, self._repeats):
            yield self.composer.compose((*overrides, f"seed={int(first.cfg.seed) + offset}"))

    def _check(self, composed: ComposedTrial, launch: Launch) -> Checked:
        """Check a composition; only its values where a trial with the same data and model was checked before."""
        cfg = composed.cfg
        key = make_key(*[resolve_group(cfg, group) for group in TABLE_GROUPS], launch.choices.get("model"))
        known = self._checked.get(key)
        if known is not None:
            return checks.recheck(cfg, launch, known)
        self._checked[key] = checks.check(cfg, launch)
        return self._checked[key]

    @property
    def fingerprints(self) -> dict[str, str]:
        """Digest of each data set that was checked, by its label."""
        return {checked.data.dataset.label: checked.data.fingerprint for checked in self._checked.values()}


def make_key(*parts: Any) -> str:
    """Serialize settings as a text that is equal for equal settings."""
    return json.dumps(parts, sort_keys=True, default=str)

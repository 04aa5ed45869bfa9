"""Check compositions without running them: what would run, on which rows, with which warnings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from hydra import compose
from omegaconf import OmegaConf, open_dict

from mlrunner.composition import checks
from mlrunner.composition.checks import Checked
from mlrunner.composition.compose import open_hydra
from mlrunner.composition.composition import Launch
from mlrunner.composition.error_translation import translated
from mlrunner.composition.keys import GROUPS
from mlrunner.core.build import build
from mlrunner.core.conf_files import list_folders
from mlrunner.core.project import PRIMARY
from mlrunner.core.typed_overrides import prepare_override
from mlrunner.groups.cleaning.controller import DataCleaning
from mlrunner.groups.dataset.profile import profile

CHOSEN_ALONE = (*GROUPS, "metric", "experiment", "sweep")  # groups whose option is one override


@dataclass(frozen=True)
class Preview:
    """A composition that passes every check.

    Args:
        checked: The composition and its data.
        rows: Number of rows by part: train, validation and test, or the folds' rows and test.
    """

    checked: Checked
    rows: dict[str, int]

    @property
    def profile(self) -> dict[str, Any]:
        """Profile of the table; see `groups.dataset.profile.profile`."""
        return profile(self.checked.data.table)


def preview(overrides: Sequence[str]) -> Preview:
    """Compose, check, clean and divide; nothing is fitted or stored.

    Raises:
        MlrunnerError: When the composition cannot run.
    """
    quoted = [prepare_override(text) for text in overrides]
    with translated(quoted), open_hydra():
        cfg = compose(PRIMARY, quoted, return_hydra_config=True)
        choices = OmegaConf.to_container(cfg.hydra.runtime.choices)
        with open_dict(cfg):
            del cfg["hydra"]
        checked = checks.check(cfg, Launch(_name_choices(choices), list(overrides), Path()))
    return Preview(checked, count_rows(checked))


def _name_choices(choices: object) -> dict[str, str]:
    items = choices.items() if isinstance(choices, dict) else ()
    return {str(group): str(option) for group, option in items if option is not None and "@" not in str(group)}


def count_rows(checked: Checked) -> dict[str, int]:
    """Clean and divide the rows of a composition, and count those of each part.

    Raises:
        MlrunnerError: When no feature is left, or the rows do not allow the division.
    """
    composition, data = checked.composition, checked.data
    cleaned = DataCleaning(data.table, build(composition["cleaning"], "cleaning"), data.dataset.roles).handle_data()
    division = build(composition["split"], "split").handle_data(cleaned)
    parts: dict[str, pd.DataFrame] = {"train": division.train, "validation": division.validation, "test": division.test}
    return {name: len(rows) for name, rows in parts.items() if len(rows)}


def list_own_options() -> Iterator[str]:
    """List the overrides that choose each option of the project's own configuration files."""
    for folder in list_folders()[:-1]:
        for group in CHOSEN_ALONE:
            for file in sorted((folder / group).glob("*.yaml")):
                yield f"{group}={file.stem}"
        for file in sorted((folder / "features").glob("*.yaml")):
            yield f"features@model.features={file.stem}"

"""A search that another machine began: its command from MLflow, and its study from the storage that both use."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra.types import RunMode
from omegaconf import OmegaConf

from mlrunner.composition.compose import open_hydra
from mlrunner.composition.config_source import read_config_source
from mlrunner.core.errors import ConfigError, ProblemsError
from mlrunner.core.overrides import get_key, split_flags
from mlrunner.core.safe_yaml import read_yaml
from mlrunner.core.terminal import console
from mlrunner.search.foreign_config import find_sources
from mlrunner.search.foreign_overrides import separate_overrides
from mlrunner.search.relocated_storage import find_place
from mlrunner.tracking import study_lookup
from mlrunner.tracking.records import FOLDER_TAG, STUDY_TAG, Record

REPLACED = ("hydra.mode", "hydra.sweep.dir", "hydra.sweeper.study_name")  # by the command that resumes a search
SWEEPER = "hydra_plugins.mlrunner_sweeper.sweeper.OptunaSweeper"


def read_hydra(record: Record, more: Sequence[str] = ()) -> dict[str, Any]:
    """Read how a search was started, as far as a store is trusted; print what the user has to type again.

    Args:
        record: Parent run of the search.
        more: Overrides that the user types; what the store has for their keys is not used.

    Returns:
        Node `hydra` as in `multirun.yaml`, with the overrides, the name of the study and the configuration's sources.

    Raises:
        ConfigError: When the run holds no command, does not belong to a search, or its configuration is not here.
        ProblemsError: When an override sets what a store must not.
    """
    text = record.read_text(study_lookup.MULTIRUN)
    document = None if text is None else read_yaml(text)
    hydra = document.get("hydra") if isinstance(document, dict) else None
    hydra = hydra if isinstance(hydra, dict) else {}
    overrides = hydra.get("overrides")
    if STUDY_TAG not in record.tags or not isinstance(overrides, dict):
        raise ConfigError(
            f"{record.place} began on another machine, and its run holds no command of a search; resume it there, or "
            "type its command."
        )
    stored = [str(text) for part in ("hydra", "task") for text in overrides.get(part) or ()]
    replaced = {*REPLACED, *map(get_key, more)}
    try:
        used, left_out = separate_overrides([text for text in stored if get_key(text) not in replaced])
    except ProblemsError as error:
        advice = f"{record.place} cannot be resumed by its name; type its command with its hydra.sweeper.study_name."
        raise ProblemsError([*error.problems, advice]) from error
    if left_out:
        sentence = f"left out, since it comes from the store; type it again if you want it: {' '.join(left_out)}"
        console(stderr=True).print(sentence, markup=False)
    sweeper = {"_target_": SWEEPER, "study_name": record.tags[STUDY_TAG]}
    return {"overrides": {"hydra": [], "task": used}, "sweeper": sweeper, **find_sources(hydra, record.place)}


def find_folder(record: Record, home: Path) -> Path:
    """Return the folder for a search of another machine in this home."""
    return find_place(record.tags.get(FOLDER_TAG, ""), home)


def check_study(record: Record, words: Sequence[str], home: Path) -> None:
    """Check that the study of a search can be read here.

    Args:
        record: Parent run of the search.
        words: Overrides and flags of its command, as Hydra takes them.
        home: Folder that holds `.mlrunner/`.

    Raises:
        ConfigError: When the study is in a file of the other machine, or in another storage.
    """
    source = read_config_source(words)
    with open_hydra(source) as hydra:
        loader: Any = hydra.config_loader()
        config = loader.load_configuration(source.name, split_flags(words)[1], RunMode.MULTIRUN)
        address = OmegaConf.select(config, "hydra.sweeper.storage")
    if study_lookup.load_study_at(address, home, record.tags[STUDY_TAG]) is None:
        raise ConfigError(
            f"The study of {record.place} cannot be read here: it is in a file of the machine where it began, or in "
            "another database; resume it there, or give its database as hydra.sweeper.storage=URL."
        )

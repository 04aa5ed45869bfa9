"""The words of a composition that is compared: its folders of configuration, and what is wrong with its overrides."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mlrunner.composition.compose import FAULTS
from mlrunner.core.errors import ConfigError, MlrunnerError, ProblemsError
from mlrunner.core.overrides import quote_option

FOLDER_FLAGS = ("-cd", "--config-dir")


def parted(overrides: Sequence[str]) -> tuple[list[str], list[str]]:
    """Take the folders of configuration out of a command line.

    Raises:
        ConfigError: When there is another flag, or no such folder.
    """
    words: list[str] = []
    folders: list[str] = []
    told = iter(overrides)
    for word in told:
        flag, sign, folder = word.partition("=")
        if flag not in FOLDER_FLAGS:
            if word.startswith("-"):
                raise ConfigError(f"{word} is no override; behind -- stand overrides, like model=rf, and -cd FOLDER.")
            words.append(word)
            continue
        folder = folder if sign else next(told, "")
        if not folder or not Path(folder).is_dir():
            raise ConfigError(
                f"{flag} names {folder or 'nothing'}, which is no folder; name one of configuration files."
            )
        folders.append(str(Path(folder).absolute()))
    return words, folders


def diagnosed(words: Sequence[str], folders: Sequence[str], error: ConfigError) -> MlrunnerError:
    """Say what is wrong with each override; in Hydra's words where none is wrong alone."""
    if folders:  # whose options and keys the diagnosis does not know
        return error
    from mlrunner.composition.diagnosis import diagnose

    try:
        found = diagnose([quote_option(word) for word in words])
    except FAULTS:
        return error
    # Behind -- no flag can be added.
    told = [text.replace("add --multirun", "name one of them") for text in found]
    return ProblemsError(told) if told else error

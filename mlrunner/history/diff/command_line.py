"""Parse the command line of a composition: its configuration folders and its overrides."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mlrunner.composition.compose import COMPOSE_ERRORS
from mlrunner.composition.config_source import ConfigSource
from mlrunner.core.errors import ConfigError, MlrunnerError, ProblemsError
from mlrunner.core.typed_overrides import prepare_override

FOLDER_FLAGS = ("-cd", "--config-dir")


def separate_folders(overrides: Sequence[str]) -> tuple[list[str], list[str]]:
    """Separate overrides from configuration folders.

    Raises:
        ConfigError: If there is another flag, or a folder does not exist.
    """
    words: list[str] = []
    folders: list[str] = []
    rest = iter(overrides)
    for word in rest:
        flag, equals, folder = word.partition("=")
        if flag not in FOLDER_FLAGS:
            if word.startswith("-"):
                raise ConfigError(f"{word} is not an override; after -- give overrides, like model=rf, and -cd FOLDER.")
            words.append(word)
            continue
        folder = folder if equals else next(rest, "")
        if not folder or not Path(folder).is_dir():
            raise ConfigError(
                f"{flag} names {folder or 'nothing'}, which is not a folder; name a folder of configuration files."
            )
        folders.append(str(Path(folder).absolute()))
    return words, folders


def explain_error(words: Sequence[str], folders: Sequence[str], error: ConfigError) -> MlrunnerError:
    """Explain each wrong override; return Hydra's error if no override is wrong by itself."""
    from mlrunner.composition.diagnosis import NAME_ONE, diagnose

    try:  # no flag can be added after --
        problems = diagnose([prepare_override(word) for word in words], ConfigSource(folders=tuple(folders)), NAME_ONE)
    except COMPOSE_ERRORS:
        return error
    return ProblemsError(problems) if problems else error

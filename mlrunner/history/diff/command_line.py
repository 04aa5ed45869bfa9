"""Parse the command line of a composition: its configuration folders and its overrides."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mlrunner.composition.compose import COMPOSE_ERRORS
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
    if folders:  # the diagnosis does not know their options and keys
        return error
    from mlrunner.composition.diagnosis import diagnose

    try:
        problems = diagnose([prepare_override(word) for word in words])
    except COMPOSE_ERRORS:
        return error
    # No flag can be added after --.
    messages = [text.replace("add --multirun", "name one of them") for text in problems]
    return ProblemsError(messages) if messages else error

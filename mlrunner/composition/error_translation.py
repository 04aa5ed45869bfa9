"""Translate errors of Hydra, OmegaConf and the file system into one sentence for the user."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from mlrunner.composition.keys import VERBS
from mlrunner.core.errors import ConfigError, MlrunnerError, ProblemsError
from mlrunner.core.failed_writes import explain_failed_write
from mlrunner.core.overrides import split_flags

MULTIRUN = {"-m", "--multirun", "hydra.mode=MULTIRUN"}
SHOWN = {"-c", "--cfg", "-i", "--info"}  # flags that show one composition
RANGES = "hydra.sweeper.params"
REPLACED = re.compile(r"\+*hydra\.(sweeper|launcher)=")
REFUSED_KEY = "Could not override 'hydra."  # begins Hydra's message about a key of its own


def translate(error: BaseException, words: Sequence[str]) -> MlrunnerError | None:
    """Translate an error that the user can correct.

    Returns:
        An error of mlrunner; None when the user's input is not the cause.
    """
    if isinstance(error, MlrunnerError):
        return error
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    if isinstance(error, HydraException | OmegaConfBaseException) or "Config group override" in str(error):
        return _explain_refusal(error, words)
    ranges = [text.lstrip("+") for text in words if text.lstrip("+").startswith(RANGES)]
    if ranges and isinstance(error, AssertionError | AttributeError):  # of OmegaConf: a grid's params are null
        return ConfigError(f"{ranges[0]}: only a search takes such ranges; add sweep=optuna.")
    replaced = next((text for text in words if REPLACED.match(text)), None)
    if replaced is not None and isinstance(error, AttributeError):  # Hydra looks for `_target_`
        return ConfigError(f"{replaced} replaces all of its keys; choose an option, like hydra/sweeper=optuna.")
    return explain_failed_write(error)


@contextmanager
def translated(words: Sequence[str]) -> Iterator[None]:
    """Translate an error of the block, without the frames of Hydra, which a notebook would show above the sentence."""
    try:
        yield
    except Exception as error:
        known = translate(error, words)
        if known is None or known is error:
            raise
        raise known from None


def _explain_refusal(error: BaseException, words: Sequence[str]) -> MlrunnerError:
    """Explain what is wrong with each override; when none is wrong by itself, repeat Hydra's message."""
    from mlrunner.composition.config_source import read_config_source
    from mlrunner.composition.config_types import describe_wrong_type
    from mlrunner.composition.diagnosis import ADD_MULTIRUN, NAME_ONE, diagnose, diagnose_hydra_keys

    flags, overrides = split_flags(words)
    if overrides and overrides[0] in VERBS:  # the other words of a verb are not overrides, nor its flags Hydra's
        problems = diagnose([text for text in overrides if "=" in text])
    elif MULTIRUN & {*flags, *overrides}:
        problems = diagnose(overrides, read_config_source(words), None)
    else:
        remedy = NAME_ONE if SHOWN & {*flags} else ADD_MULTIRUN
        problems = diagnose(overrides, read_config_source(words), remedy)
    if not problems and REFUSED_KEY in str(error):
        problems = diagnose_hydra_keys(overrides, read_config_source(words))
    problems += describe_wrong_type(error)
    return ProblemsError(problems) if problems else ConfigError(" ".join(str(error).split()))

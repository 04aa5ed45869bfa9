"""TODO."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from mlrunner.core.environment import PROJECT
from mlrunner.core.overrides import quote_option

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from mlrunner.core.outcome import Outcome


def run_here(overrides: list[str]) -> Outcome:
    """Run one composition as the command line does, and give what became of it.

    Args:
        overrides: As they are typed.

    Raises:
        MlrunnerError: When it cannot run.
    """
    from hydra import initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra

    from mlrunner.composition import error_translation
    from mlrunner.execution import runner

    GlobalHydra.instance().clear()
    told = [quote_option(text) for text in overrides]
    with initialize_config_dir(str(PROJECT / "conf"), version_base="1.3"):
        hydra: Any = GlobalHydra.instance().hydra
        found: list[Outcome | Exception] = []
        try:
            hydra.run("config", partial(_kept, runner.run_one, found), told, with_log_configuration=False)
            if isinstance(found[0], Exception):
                raise found[0]
        except Exception as error:
            known = error_translation.translate(error, told)
            if known is None or known is error:
                raise
            raise known from None  # a notebook would show all of Hydra's frames above the sentence
    return found[0]


def _kept(job: Callable[[DictConfig], Outcome], found: list[Outcome | Exception], cfg: DictConfig) -> None:
    """Keep what a run gives or raises: Hydra would print its own words about a failure."""
    try:
        found.append(job(cfg))
    except Exception as error:
        found.append(error)

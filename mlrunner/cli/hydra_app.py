"""Hydra's part of the command line: compose it, and run each composition."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from mlrunner.cli.flags import check_flags
from mlrunner.core.errors import ConfigError
from mlrunner.core.overrides import quote_choices, split_flags
from mlrunner.core.project import CONF_URL, PRIMARY
from mlrunner.core.sorted_ranges import write_sorted_ranges
from mlrunner.core.typed_overrides import prepare_override
from mlrunner.execution.in_process import SingleRun

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from mlrunner.execution.grid import Multirun


MULTIRUN = "--multirun"
VALUE = re.compile(r"(?P<key>model\.[\w.]+)=(?P<value>[\w.+-]+)")
CHDIR = re.compile(r"\+{0,2}hydra\.job\.chdir=(?!false$|null$).*", re.IGNORECASE)
ZIPPED = re.compile(r"(?P<name>\w+)=(?P<ranges>zip\(.*\))", re.DOTALL)


class Job(SingleRun):
    """Task function of Hydra: a single run, a job of a grid or a trial of a search."""

    def __call__(self, cfg: DictConfig) -> float:
        """Run a composition, and return its objective; NaN when it failed."""
        from hydra.core.hydra_config import HydraConfig
        from hydra.types import RunMode

        if HydraConfig.get().mode != RunMode.MULTIRUN:
            return super().__call__(cfg)
        from mlrunner.search.trial import is_trial

        folder = Path(HydraConfig.get().runtime.output_dir)
        if is_trial(folder):
            from mlrunner.search import hydra_launcher

            return hydra_launcher.run_job(folder)
        from mlrunner.execution import runner

        return runner.run_job(cfg)


def compose_and_run(arguments: Sequence[str], multirun: Multirun | None = None) -> int:
    """Let Hydra compose the command line, and run each composition.

    Args:
        arguments: Overrides and flags of Hydra.
        multirun: State of a multirun; None for a new one.

    Returns:
        0, or 1 when a job of a grid failed.

    Raises:
        MlrunnerError: When a composition is wrong or cannot run.
        KeyboardInterrupt: When a signal interrupts it; the notes of the exception say how to resume a sweep.
    """
    import hydra

    from mlrunner.composition.deployment_name import register_resolver
    from mlrunner.execution.grid import Multirun

    register_resolver()
    words = hydra_arguments(arguments)
    register_sweeper()
    sys.argv = ["mlrunner", *words]
    job, search = Job(arguments), None
    multirun = multirun or Multirun()
    try:
        with multirun.active():
            hydra.main(version_base="1.3", config_path=CONF_URL.removeprefix("file://"), config_name=PRIMARY)(job)()
        if job.error is not None:
            raise job.error
    except SystemExit:
        if multirun.error is None:
            raise
        from mlrunner.execution import executor_grid  # imports Pydantic, which --help does not need

        if (search := executor_grid.make_search(arguments, multirun.error)) is None:
            raise_translated(multirun.error, words)
    except (KeyboardInterrupt, Exception) as error:
        multirun.abort(error)
        raise_translated(error, words)
    if search is not None:
        return compose_and_run(search, Multirun(is_search=True))
    return 1 if multirun.n_failed else 0


def raise_translated(error: BaseException, words: Sequence[str]) -> NoReturn:
    """Raise an exception of Hydra or OmegaConf as one of ours, and every other exception as it is."""
    from mlrunner.composition.error_translation import translate

    translated = translate(error, words)
    if translated is None or translated is error:
        raise error
    for note in getattr(error, "__notes__", ()):
        translated.add_note(note)
    raise translated from error


def hydra_arguments(arguments: Sequence[str]) -> list[str]:
    """Write a command line as Hydra's parser and grammar take it.

    Args:
        arguments: Overrides and flags in any order.

    Raises:
        ConfigError: When a flag is unknown, or two contradict each other.
    """
    flags, overrides = split_flags(arguments)
    modes = check_flags([*overrides, *flags])
    if any(text.startswith("sweep=") for text in overrides) and not modes:
        flags.append(MULTIRUN)  # a search is a multirun; Hydra would say so only where nothing else is wrong
    refuse_chdir(overrides)
    overrides = [quote_zip(text) for text in overrides]
    if is_model_search(overrides):
        overrides = [as_single_choice(text) for text in overrides]
    return [*overrides, *flags]


def refuse_chdir(overrides: Sequence[str]) -> None:
    """Refuse another working folder for jobs: paths of the command line are relative to this one.

    Raises:
        ConfigError: When `hydra.job.chdir` is set.
    """
    wrong = next((text for text in overrides if CHDIR.fullmatch(text)), None)
    if wrong is not None:
        raise ConfigError(
            f"{wrong}: in another folder, relative paths such as dataset.path=table.csv would lead nowhere; leave "
            "hydra.job.chdir=false, each run has a folder of its own in any case."
        )


def register_sweeper() -> None:
    """Register our sweeper as `hydra/sweeper=optuna`, also where the official plugin is installed."""
    from hydra.core.plugins import Plugins

    Plugins.instance()  # registers the plugins that it finds, the official one as well
    from mlrunner.search import sweeper_config

    sweeper_config.register_sweeper_config()


def is_model_search(overrides: Sequence[str]) -> bool:
    """Check whether our sweeper searches several models."""
    uses_sweeper = any(text.startswith(("sweep=", "hydra/sweeper=optuna")) for text in overrides)
    return uses_sweeper and any(text.startswith("model=") and "," in text for text in overrides)


def as_single_choice(text: str) -> str:
    """Write the value of a model's key as a choice of one, which Hydra does not look up in the default model."""
    match = VALUE.fullmatch(text)
    return text if match is None or match["value"] == "null" else f"{match['key']}=choice({match['value']})"


def quote_zip(text: str) -> str:
    """Write an override so that Hydra's grammar takes it; our sweeper receives a zipped dimension as a text."""
    match = ZIPPED.fullmatch(text)
    if match is None:
        return prepare_override(text)
    ranges = quote_choices(write_sorted_ranges(match["ranges"])).replace("'", "\\'")
    return f"+hydra.sweeper.params.{match['name']}='{ranges}'"

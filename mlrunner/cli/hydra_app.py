"""Hydra's part: compose the command line, and run each composition."""

from __future__ import annotations

import re
import sys
from argparse import ArgumentError
from pathlib import Path
from typing import TYPE_CHECKING

from mlrunner.core.environment import PROJECT
from mlrunner.core.errors import ConfigError, nearest
from mlrunner.core.overrides import parted, quote_choices, quote_option

if TYPE_CHECKING:
    from omegaconf import DictConfig


RAISED: list[Exception] = []  # by the run: Hydra would print its own words about it first
MULTIRUN = ("--multirun", "-m")
VALUE = re.compile(r"(?P<key>model\.[\w.]+)=(?P<value>[\w.+-]+)")
ZIPPED = re.compile(r"(?P<name>\w+)=(?P<ranges>zip\(.*\))", re.DOTALL)


def compose_and_run(arguments: list[str]) -> int:
    """Let Hydra compose, and run each composition."""
    import hydra

    from mlrunner.execution.grid import SweepCallback

    flags, overrides = parted(arguments)
    if any(text.startswith("sweep=") for text in overrides) and not {*MULTIRUN} & {*flags}:
        flags.append(MULTIRUN[0])  # a search is one; Hydra would find that out only where nothing else is wrong
    check_flags([*overrides, *flags])
    told = list(map(quote_zip, overrides))
    sys.argv = ["mlrunner", *(map(as_single_choice, told) if is_model_search(told) else told), *flags]
    register_sweeper()
    hydra.main(version_base="1.3", config_path=str(PROJECT / "conf"), config_name="config")(run)()
    if RAISED:
        raise RAISED.pop()
    return 1 if SweepCallback.failed else 0


def check_flags(arguments: list[str]) -> None:
    """Name an option that Hydra does not take, for which it would print all those that it takes.

    Raises:
        ConfigError: When there is one.
    """
    from hydra._internal.utils import get_args_parser

    parser = get_args_parser()
    parser.exit_on_error = parser.allow_abbrev = False
    try:
        _, unknown = parser.parse_known_args(arguments)
    except ArgumentError as error:
        raise ConfigError(f"{error}; mlrunner --help tells what it takes.") from error
    if unknown:
        option = unknown[0].partition("=")[0]
        close = nearest(option, [text for text in parser._option_string_actions if text.startswith("--")])
        raise ConfigError(f"mlrunner takes no '{option}'.{close} mlrunner --help tells what it takes.")


def register_sweeper() -> None:
    """Have `hydra/sweeper=optuna` mean our own sweeper, also where the official plugin is installed beside it."""
    from hydra.core.plugins import Plugins

    Plugins.instance()  # registers what it finds, the official plugin too
    from mlrunner.search import sweeper_config

    sweeper_config.register_sweeper_config()


def is_model_search(arguments: list[str]) -> bool:
    """Tell whether our sweeper searches several models."""
    is_ours = any(text.startswith(("sweep=", "hydra/sweeper=optuna")) for text in arguments)
    return is_ours and any(text.startswith("model=") and "," in text for text in arguments)


def as_single_choice(text: str) -> str:
    """Write the value of a model's key as a choice of one, which Hydra does not look for in the default model."""
    match = VALUE.fullmatch(text)
    return text if match is None or match["value"] == "null" else f"{match['key']}=choice({match['value']})"


def quote_zip(text: str) -> str:
    """Write an override so that Hydra's grammar takes it: a zipped dimension goes to our sweeper as a text."""
    match = ZIPPED.fullmatch(text)
    if match is None:
        return quote_option(text)
    told = quote_choices(match["ranges"]).replace("'", "\\'")
    return f"+hydra.sweeper.params.{match['name']}='{told}'"


def run(cfg: DictConfig) -> float:
    """Run one composition.

    Returns:
        The objective; NaN when a composition of a sweep failed, which leaves the others running.
    """
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode

    from mlrunner.execution import runner
    from mlrunner.search.trial import is_trial

    if HydraConfig.get().mode == RunMode.MULTIRUN:
        folder = Path(HydraConfig.get().runtime.output_dir)
        if is_trial(folder):
            from mlrunner.search import hydra_launcher

            return hydra_launcher.run_job(folder)
        return runner.run_job(cfg)
    try:
        return runner.run_one(cfg).objective
    except Exception as error:
        RAISED.append(error)
        return float("nan")

"""Hop 1: a verb, or Hydra. Compose, check everything, run, return the objective.

Nothing heavy is imported before a run begins: `--help`, `--cfg job` and shell completion answer at once.
"""

from __future__ import annotations

import gc
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mlrunner import __version__, commands
from mlrunner.errors import ConfigError, nearest
from mlrunner.pipes import be_patient

if TYPE_CHECKING:
    from omegaconf import DictConfig

RAISED: list[Exception] = []  # by the run: Hydra would print its own words about it first
PROJECT = Path(__file__).resolve().parent.parent
INTERRUPTED = 130  # what a shell reports for Ctrl-C
DIGITS_OPTION = r"(?<![\w'\"])\d+(_\d+)+(?![\w'\"])"


def main() -> int:
    """Run what the command line says.

    Returns:
        0 for success, 1 for a failure, 2 for a mistake in the input, 130 for Ctrl-C.
    """
    arguments = sys.argv[1:]
    verbose = bool({"-v", "--verbose"} & set(arguments)) or os.environ.get("HYDRA_FULL_ERROR") == "1"
    arguments = [text for text in arguments if text not in ("-v", "--verbose")]
    prepare_environment(verbose)
    be_patient()
    gc.disable()  # imports make millions of objects and no garbage: a fifth of their time
    try:
        return dispatch(arguments)
    except KeyboardInterrupt:
        from mlrunner.sweep import close_interrupted

        close_interrupted()
        print("mlrunner: interrupted; what was finished is kept.", file=sys.stderr)
        return INTERRUPTED
    except Exception as error:
        from mlrunner import failures

        if verbose:
            raise
        return failures.report(error)
    finally:
        gc.freeze()  # or the interpreter would look through all of them once more on its way out


def prepare_environment(verbose: bool) -> None:
    """Tell the configuration where it is, and Hydra to leave errors to us."""
    os.environ["MLRUNNER_PROJECT"] = str(PROJECT)
    os.environ.setdefault("MLRUNNER_HOME", str(PROJECT))
    os.environ["MLRUNNER_HOME"] = str(Path(os.environ["MLRUNNER_HOME"]).resolve())
    os.environ["HYDRA_FULL_ERROR"] = "1"
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # spinning threads starve every other process of the machine
    os.environ["MLRUNNER_VERBOSE"] = str(int(verbose))
    if str(Path.cwd()) not in sys.path:  # `python -m` can import from here, so `mlrunner` shall
        sys.path.append(str(Path.cwd()))


def dispatch(arguments: list[str]) -> int:
    """Call a verb, or hand the command line to Hydra untouched."""
    first = arguments[0] if arguments else ""
    if first == "--version":
        print(f"mlrunner {__version__}")
        return 0
    if first in commands.VERBS:
        return commands.load(first)(arguments[1:])
    if first.isidentifier():
        verbs = ", ".join(commands.VERBS)
        raise ConfigError(
            f"'{first}' is not a verb; the verbs are {verbs}, and a choice is written GROUP=OPTION."
            f"{nearest(first, commands.VERBS)}"
        )
    return compose_and_run(arguments)


def compose_and_run(arguments: list[str]) -> int:
    """Let Hydra compose, and run each composition."""
    import hydra

    from mlrunner.sweep import SweepCallback

    flags = [text for text in arguments if text in ("-m", "--multirun")]  # argparse takes none between overrides
    sys.argv = ["mlrunner", *flags, *[quote_option(text) for text in arguments if text not in flags]]
    hydra.main(version_base="1.3", config_path=str(PROJECT / "conf"), config_name="config")(run)()
    if RAISED:
        raise RAISED.pop()
    return 1 if SweepCallback.failed else 0


def quote_option(text: str) -> str:
    """Quote an option like 80_20, which Hydra's grammar would read as the number 8020."""
    key, equals, value = text.partition("=")
    if not equals or not (PROJECT / "conf" / key).is_dir():
        return text
    quoted = re.sub(DIGITS_OPTION, r"'\g<0>'", value)
    return f"{key}={quoted}"


def run(cfg: DictConfig) -> float:
    """Run one composition.

    Returns:
        The objective; NaN when a composition of a sweep failed, which leaves the others running.
    """
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode

    from mlrunner import runner

    if HydraConfig.get().mode == RunMode.MULTIRUN:
        return runner.run_job(cfg)
    try:
        return runner.run_one(cfg)
    except Exception as error:
        RAISED.append(error)
        return float("nan")


if __name__ == "__main__":
    # Under its own name, so that another process (joblib's) can import what it is sent.
    from mlrunner.__main__ import main as entry

    sys.exit(entry())

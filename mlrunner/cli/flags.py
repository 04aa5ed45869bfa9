"""Hydra's flags: refuse the unknown and the contradictory before Hydra does."""

from __future__ import annotations

import re
from argparse import ArgumentError, Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path

from mlrunner.core.errors import ConfigError, ProblemsError, nearest
from mlrunner.core.uris import has_scheme

SUBCOMMANDS = ("install=", "uninstall=", "query=")
SHELLS = ("bash", "fish", "zsh")


def check_flags(arguments: Sequence[str]) -> list[str]:
    """Refuse flags that Hydra does not have or that contradict each other.

    Hydra would print all of its flags, or raise an exception that names no remedy.

    Returns:
        The flag that says what to do, such as `--multirun` or `--cfg`; empty for a run.

    Raises:
        ConfigError: When a flag is unknown or has an impossible value.
        ProblemsError: When flags contradict each other.
    """
    from mlrunner.composition.hydra_private import make_flag_parser

    parser = make_flag_parser()
    parser.exit_on_error = parser.allow_abbrev = False
    try:
        parsed, unknown = parser.parse_known_args(arguments)
    except ArgumentError as error:
        raise ConfigError(f"{error}; mlrunner --help lists the flags.") from error
    if unknown:
        flag = unknown[0].partition("=")[0]
        close = nearest(flag, re.findall(r"--[\w-]+", parser.format_usage()))
        raise ConfigError(f"mlrunner takes no '{flag}'.{close} mlrunner --help lists the flags.")
    chosen = {"--run": parsed.run, "--multirun": parsed.multirun, "--cfg": parsed.cfg, "--info": parsed.info}
    modes = [flag for flag, value in {**chosen, "--shell-completion": parsed.shell_completion}.items() if value]
    if problems := list(_find_contradictions(parsed, modes)):
        raise ProblemsError(problems)
    return modes


def _find_contradictions(parsed: Namespace, modes: list[str]) -> Iterator[str]:
    if len(modes) > 1:
        yield f"{' and '.join(modes)} do different things; leave {'all but one' if modes[2:] else 'one of them'} out."
    if parsed.resolve and not (parsed.cfg or parsed.help):
        yield "--resolve shows a composition with its values; add --cfg job, or leave --resolve out."
    if parsed.shell_completion and not any(text.startswith(SUBCOMMANDS) for text in parsed.overrides):
        yield "--shell-completion does not say what to do; add install=bash or uninstall=bash."
    for command, _, shell in (text.partition("=") for text in parsed.overrides if parsed.shell_completion):
        if f"{command}=" in SUBCOMMANDS and shell not in SHELLS:
            yield f"{command}={shell} names no shell that can be completed; write {' or '.join(SHELLS)}."
    if parsed.experimental_rerun:
        yield from _check_rerun(Path(parsed.experimental_rerun))
    if parsed.config_dir and not Path(parsed.config_dir).is_dir():
        yield f"--config-dir={parsed.config_dir} is not a folder; name a folder of configuration files."
    if parsed.config_path and not (Path(parsed.config_path).is_absolute() or has_scheme(parsed.config_path)):
        yield (
            f"--config-path={parsed.config_path} is relative, which for Hydra starts at the program; write "
            f"--config-path={Path(parsed.config_path).absolute()}, or add a folder to conf/ with --config-dir."
        )


def _check_rerun(file: Path) -> Iterator[str]:
    if not file.is_file() or file.suffix != ".pickle":
        what = "is no config.pickle" if file.is_file() else "does not exist"
        yield (f"--experimental-rerun={file} {what}; name the config.pickle of a run, or use mlrunner reproduce RUN.")

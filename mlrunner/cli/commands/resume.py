"""`mlrunner resume SWEEP`: resume an interrupted sweep, or add trials to a search."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from mlrunner.cli.commands.parser import Parser
from mlrunner.cli.hydra_app import compose_and_run, hydra_arguments, raise_translated, register_sweeper
from mlrunner.composition.stores import open_store
from mlrunner.core import environment
from mlrunner.core.errors import ConfigError, ProblemsError, nearest
from mlrunner.core.overrides import get_key, split_flags
from mlrunner.tracking.records import FOLDER_TAG, Record, journal_path, lookup

MULTIRUN = "multirun.yaml"
OURS = "hydra_plugins.mlrunner_sweeper.sweeper."
GRID = "hydra_plugins.mlrunner_sweeper.grid.ResumedGrid"


def main(arguments: list[str]) -> int:
    """Run the command of a sweep again, in its folder and with its study.

    Returns:
        The exit code of the sweep.

    Raises:
        ConfigError: When there is no such sweep.
    """
    what = "Resume a sweep: finished trials stay, interrupted ones run again with the same parameters."
    parser = Parser("resume", what, "example: mlrunner resume 2026-11-25/17-43-06-708940 hydra.sweeper.n_trials=40")
    parser.add_argument("sweep", help="folder of the sweep, its DAY/TIME, or its hydra.sweeper.study_name")
    parser.add_argument("overrides", nargs="*", help="further or changed overrides, such as hydra.sweeper.n_trials=40")
    parsed = parser.parse_args(arguments)
    folder = find_sweep(parsed.sweep)
    if isinstance(folder, Record):
        return compose_and_run(_make_foreign_command(folder, parsed.overrides))
    return compose_and_run(make_command(folder, parsed.overrides))


def _make_foreign_command(record: Record, more: list[str]) -> list[str]:
    """Write the command line that resumes a search which another machine began."""
    from mlrunner.search import foreign_sweep

    home = environment.home()
    command = write_command(foreign_sweep.read_hydra(record, more), foreign_sweep.find_folder(record, home), more)
    words = hydra_arguments(command)
    register_sweeper()
    try:
        foreign_sweep.check_study(record, words, home)
    except Exception as error:  # an option that only the other project has, or a variable that is not set
        raise_translated(error, split_flags(words)[1])
    return command


def find_sweep(name: str) -> Path | Record:
    """Find a sweep.

    Args:
        name: Path, DAY/TIME, TIME, name of the study, or name of the run.

    Returns:
        Its folder; its parent run where another machine has begun it.

    Raises:
        ConfigError: When there is no such sweep.
    """
    home = environment.home()
    for sweep in _candidates(name, home):
        if isinstance(sweep, Record) or (sweep / MULTIRUN).exists():
            return sweep
    known = ["/".join(file.parent.parts[-2:]) for file in sorted((home / "multirun").glob(f"*/*/{MULTIRUN}"))]
    newest = f"the newest are {', '.join(known[:-4:-1])}" if known else "there is no sweep yet"
    raise ConfigError(f"'{name}' is not a sweep; {newest}.{nearest(name, known)}")


def _candidates(name: str, home: Path) -> Iterator[Path | Record]:
    record = None
    yield from lookup.list_sweep_folders(name, home)
    if journal_path(home, name).exists():
        from mlrunner.tracking import studies

        yield from _check_stored(studies.read_study_folder(name, home), home)
    with suppress(ConfigError):  # no run of this name
        record = lookup.find(open_store(home), name, home)
    if record is not None:
        yield from _check_stored(record.tags.get(FOLDER_TAG), home)
        if record.is_sweep and not Path(record.tags.get(FOLDER_TAG, "")).exists():
            yield record


def _check_stored(folder: str | None, home: Path) -> Iterator[Path]:
    """Check a folder that a store names: it must be a sweep of this home, where no other user writes."""
    if folder is None or not (Path(folder) / MULTIRUN).exists():
        return
    top = (home / "multirun").resolve()
    if top not in (Path(folder) / MULTIRUN).resolve().parents:
        raise ProblemsError(
            [f"The store says that the sweep is in {folder}, which is outside of {top}; to trust it, name that folder."]
        )
    yield Path(folder)


def make_command(folder: Path, more: list[str]) -> list[str]:
    """Write the command line that resumes a sweep.

    Args:
        folder: Folder of the sweep.
        more: Further overrides; they replace the sweep's overrides of the same key.
    """
    from omegaconf import OmegaConf

    document: Any = OmegaConf.to_container(
        OmegaConf.load(folder / MULTIRUN), resolve=False
    )  # each job resolves its ${…}
    return write_command(document["hydra"], folder, more)


def write_command(hydra: dict[str, Any], folder: Path, more: list[str]) -> list[str]:
    """Write the command line that resumes a sweep.

    Args:
        hydra: Node `hydra` of its `multirun.yaml`.
        folder: Folder of the sweep.
        more: Further overrides; they replace the sweep's overrides of the same key.
    """
    from mlrunner.composition.config_source import read_config_flags

    before = [*hydra["overrides"]["hydra"], *hydra["overrides"]["task"]]
    if str(hydra["sweeper"]["_target_"]).startswith(OURS):
        name = hydra["sweeper"].get("study_name") or "/".join(folder.absolute().parts[-2:])
        own = [f"hydra.sweeper.study_name={quote(str(name))}"]
    else:
        own = [f"hydra.sweeper._target_={GRID}"]
    if not any(get_key(text) == "hydra.sweeper.study_name" for text in more):  # another study begins a sweep of its own
        own.append(f"hydra.sweep.dir={quote(str(folder.absolute()))}")
    newer = {get_key(text) for text in (*own, *more)} | {"hydra.sweep.dir"}
    kept = [text for text in before if get_key(text) not in newer]
    return ["--multirun", *read_config_flags(hydra), *kept, *own, *more]


def quote(text: str) -> str:
    """Quote a text for Hydra's grammar."""
    escaped = text.replace("'", "\\'")
    return f"'{escaped}'"

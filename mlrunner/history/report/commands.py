"""What to type next: reproduce, deploy, go on; each line can be pasted, on the machine that made the page."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mlrunner.core.environment import CONF
from mlrunner.core.errors import ConfigError
from mlrunner.groups.stack.reachability import is_remote, remove_login
from mlrunner.tracking.records import CONFIG_FILE, FOLDER_TAG, MODEL_TAG, SQLITE, STUDY_TAG, read_yaml, snapshot

if TYPE_CHECKING:
    from mlrunner.history.report.content import Content
    from mlrunner.tracking.records import Record

HOME, PROJECT, STORE = "MLRUNNER_HOME", "MLRUNNER_PROJECT", "MLFLOW_TRACKING_URI"
MULTIRUN = "multirun.yaml"  # without it a sweep cannot be resumed


@dataclass(frozen=True)
class Command:
    """Something to type."""

    label: str
    text: str


def list_commands(content: Content) -> list[Command]:
    """Say what may be typed next."""
    lead, subject = content.lead, content.subject
    found = [*_places()]
    if lead is not None and lead.read_text(CONFIG_FILE) is not None:  # or mlrunner did not make it
        found.append(Command("run the same again and compare it", _typed("reproduce", lead.short)))
    if lead is not None:
        alone = [run_command(overrides, _folders(lead)) for overrides in _overrides(content)]
        found += [Command("as a composition of its own", text) for text in alone]
    if lead is not None and MODEL_TAG in lead.tags:
        found.append(Command("judge it, and let it serve if the gate opens", _typed("deploy", lead.short)))
        found.append(Command("load the model, in Python", _load(lead.tags[MODEL_TAG])))
    found += _resume(content)
    found.append(Command("see it in MLflow", _typed("ui", subject.short)))
    return [*found, Command("make this page again", _typed("report", subject.place))]


def _places() -> Iterator[Command]:
    """Name the home and the store, where they are not those that the other commands would find by themselves."""
    home, store = os.environ.get(HOME, ""), _store()
    told = {HOME: home} if home != os.environ.get(PROJECT, home) else {}
    told |= {STORE: store} if store and store != f"{SQLITE}{home}/.mlrunner/mlflow.db" else {}
    if told:
        text = shlex.join(["export", *(f"{name}={value}" for name, value in told.items())])
        yield Command("once in a new terminal: where the runs are", text)


def _store() -> str:
    """Say where the runs are recorded; the page hides the password of a database."""
    told = os.environ.get(STORE, "")
    return remove_login(told) if is_remote(told) else told


def _load(model: str) -> str:
    store = _store()
    where = f"mlflow.set_tracking_uri({store!r}); " if store else ""
    return f"import mlflow; {where}model = mlflow.pyfunc.load_model({model!r})"


def _resume(content: Content) -> Iterator[Command]:
    """Go on with a sweep, if its folder is still there: a search that has ended gets as many trials again."""
    subject = content.subject
    folder = Path(subject.tags.get(FOLDER_TAG, ""))
    if not (subject.is_sweep and (folder / MULTIRUN).is_file()):
        return
    below = Path(os.environ.get(HOME, "")).absolute() / "multirun" / subject.place
    name = subject.place if below == folder else str(folder)
    if subject.status in ("KILLED", "RUNNING"):
        yield Command("go on with it, to its end", _typed("resume", name))
    elif STUDY_TAG in subject.tags and not subject.params.get("sampler._target_", "").endswith("GridSampler"):
        more = f"hydra.sweeper.n_trials={2 * len(content.trials)}"
        yield Command("go on with the search, for as many trials again", _typed("resume", name, more))


def _overrides(content: Content) -> Iterator[list[str]]:
    """Find what was typed for the run that leads, if that is still known."""
    told = None if content.lead is None else content.lead.read_text(".hydra/overrides.yaml")
    found = content.summary.get("best_overrides") or (None if told is None else read_yaml(told))
    if isinstance(found, list):
        yield [str(text) for text in found]


def _folders(lead: Record) -> tuple[str, ...]:
    """Find the folders of configuration that were named beside the project's own."""
    try:
        return tuple(folder for folder in snapshot.read_snapshot(lead).sources if Path(folder).resolve() != CONF)
    except ConfigError:  # a run that mlrunner did not make
        return ()


def run_command(overrides: list[str], folders: Sequence[str] = ()) -> str:
    """Write the command that runs a composition by itself."""
    from mlrunner.history.diff.overrides import run_overrides  # imports Hydra

    return _typed(*(word for folder in folders for word in ("-cd", folder)), *run_overrides(overrides))


def _typed(*words: str) -> str:
    return shlex.join(["mlrunner", *words])

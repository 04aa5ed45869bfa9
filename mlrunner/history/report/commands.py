"""List the next commands: reproduce, deploy, resume; they can be pasted on the machine that wrote the report."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mlrunner.core import environment
from mlrunner.core.environment import HOME_VARIABLE, TRACKING_VARIABLE
from mlrunner.core.errors import ConfigError
from mlrunner.core.project import CONF
from mlrunner.core.safe_yaml import read_yaml
from mlrunner.groups.stack.reachability import is_remote, remove_login
from mlrunner.tracking.records import CONFIG_FILE, FOLDER_TAG, MODEL_TAG, SQLITE, STUDY_TAG, snapshot

if TYPE_CHECKING:
    from mlrunner.history.report.content import Content
    from mlrunner.tracking.records import Record

MULTIRUN = "multirun.yaml"  # needed to resume a sweep


@dataclass(frozen=True)
class Command:
    """A command with a label."""

    label: str
    text: str


def list_commands(content: Content) -> list[Command]:
    """List the next commands."""
    lead, subject = content.lead, content.subject
    listed = [*_places()]
    if lead is not None and lead.read_text(CONFIG_FILE) is not None:  # else it is not a run of mlrunner
        listed.append(Command("reproduce this run", _command("reproduce", lead.short)))
    if lead is not None:
        single = [run_command(overrides, _folders(lead)) for overrides in _overrides(content)]
        listed += [Command("run this composition by itself", text) for text in single]
    if lead is not None and MODEL_TAG in lead.tags:
        listed.append(Command("deploy it if the gate opens", _command("deploy", lead.short)))
        listed.append(Command("load the model in Python", _load(lead.tags[MODEL_TAG])))
    listed += _resume(content)
    listed.append(Command("open it in MLflow", _command("ui", subject.short)))
    return [*listed, Command("write this report again", _command("report", subject.place))]


def _places() -> Iterator[Command]:
    """Set the home and the store if they are not the defaults of the other commands."""
    home, store = environment.home(), _store()
    variables = {HOME_VARIABLE: str(home)} if home != environment.project() else {}
    variables |= {TRACKING_VARIABLE: store} if store and store != f"{SQLITE}{home}/.mlrunner/mlflow.db" else {}
    if variables:
        text = shlex.join(["export", *(f"{name}={value}" for name, value in variables.items())])
        yield Command("in a new terminal, first set where the runs are recorded", text)


def _store() -> str:
    """Return the tracking URI without a login; the page hides the password of a database."""
    uri = environment.tracking_uri() or ""
    return remove_login(uri) if is_remote(uri) else uri


def _load(model: str) -> str:
    store = _store()
    where = f"mlflow.set_tracking_uri({store!r}); " if store else ""
    return f"import mlflow; {where}model = mlflow.pyfunc.load_model({model!r})"


def _resume(content: Content) -> Iterator[Command]:
    """Resume a sweep if its folder still exists; a search that has ended gets as many trials again."""
    subject = content.subject
    folder = Path(subject.tags.get(FOLDER_TAG, ""))
    if not (subject.is_sweep and (folder / MULTIRUN).is_file()):
        return
    default = environment.home().absolute() / "multirun" / subject.place
    name = subject.place if default == folder else str(folder)
    if subject.status in ("KILLED", "RUNNING"):
        yield Command("resume it", _command("resume", name))
    elif STUDY_TAG in subject.tags and not subject.params.get("sampler._target_", "").endswith("GridSampler"):
        trials = f"hydra.sweeper.n_trials={2 * len(content.trials)}"
        yield Command("continue the search with as many trials again", _command("resume", name, trials))


def _overrides(content: Content) -> Iterator[list[str]]:
    """Find the overrides of the best run, if they were saved."""
    text = None if content.lead is None else content.lead.read_text(".hydra/overrides.yaml")
    overrides = content.summary.get("best_overrides") or (None if text is None else read_yaml(text))
    if isinstance(overrides, list):
        yield [str(text) for text in overrides]


def _folders(lead: Record) -> tuple[str, ...]:
    """Find the configuration folders of the best run beside the project's own."""
    try:
        return tuple(folder for folder in snapshot.read_snapshot(lead).sources if Path(folder).resolve() != CONF)
    except ConfigError:  # not a run of mlrunner
        return ()


def run_command(overrides: list[str], folders: Sequence[str] = ()) -> str:
    """Write the command that runs a composition by itself, without its sweep."""
    from mlrunner.history.diff.overrides import run_overrides  # imports Hydra

    return _command(*(word for folder in folders for word in ("-cd", folder)), *run_overrides(overrides))


def _command(*words: str) -> str:
    return shlex.join(["mlrunner", *words])

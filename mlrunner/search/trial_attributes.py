"""Attributes of a trial in its study, and what they say about a list of trials."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Collection, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from mlrunner.tracking.studies import SESSION

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

INVALID_TRIALS = "invalid_trials"  # attribute of a study: reason by number of each trial whose run is invalid
VOID = "void"  # why a trial does not count
DISCARDED_BY = "discarded_by"  # session that has discarded the trial
RETRY_OF = "retry_of"  # number of the trial that this one repeats
ATTEMPT = "attempt"  # number of failed attempts before this one
LOSSES = "losses"  # number of workers that were lost with these parameters
CANDIDATE = "candidate:"  # prefix of a session that is taking the trial
DEFAULT_OF = "default_of"  # the model whose default composition this is, and the parameters that it sets
OVERRIDES, FOLDER = "overrides", "folder"


def list_valid(trials: list[FrozenTrial]) -> list[FrozenTrial]:
    """List the trials that were not discarded."""
    return [trial for trial in trials if VOID not in trial.user_attrs]


def count_valid(trials: list[FrozenTrial]) -> int:
    """Count the trials that were not discarded."""
    return len(list_valid(trials))


def list_owners(trial: FrozenTrial) -> list[str]:
    """List the session that runs a trial; the candidates where a session died before it was recorded."""
    if SESSION in trial.user_attrs:
        return [str(trial.user_attrs[SESSION])]
    return [name.removeprefix(CANDIDATE) for name in trial.user_attrs if name.startswith(CANDIDATE)]


def inherit_attributes(trial: FrozenTrial, reason: str) -> dict[str, Any]:
    """Return the attributes of the trial that repeats another."""
    counts = (ATTEMPT, "retried"), (LOSSES, "lost")
    numbers = {name: int(trial.user_attrs.get(name, 0)) + (reason == counted) for name, counted in counts}
    default = {name: value for name, value in trial.user_attrs.items() if name == DEFAULT_OF}
    return {**numbers, **default, RETRY_OF: trial.number}


def lacks_retry(trial: FrozenTrial, trials: list[FrozenTrial], live: Collection[str]) -> bool:
    """Check whether a process died between discarding a trial and queueing it again.

    Args:
        trial: Trial of the study.
        trials: All trials of the study.
        live: Sessions that were alive before `trials` were read, and may be about to queue a trial again.
    """
    if trial.user_attrs.get(VOID) not in ("interrupted", "retried", "lost") or not trial.state.is_finished():
        return False
    is_queued = any(other.user_attrs.get(RETRY_OF) == trial.number for other in trials)
    return not is_queued and trial.user_attrs.get(DISCARDED_BY) not in live


def describe_default(model: str, params: dict[str, Any]) -> dict[str, Any]:
    """Return the attribute of a trial that tries the defaults of a model, as far as they are values of the space."""
    return {DEFAULT_OF: {"model": model, "params": sorted(params)}}


def is_default(trial: FrozenTrial) -> bool:
    """Check whether a trial is the default composition of its model: the sampler has drawn none of its parameters."""
    attribute = trial.user_attrs.get(DEFAULT_OF)
    return attribute is not None and sorted(trial.params) == attribute["params"]


class TrialCounter:
    """Counts and numbers the trials of one study; those at its beginning that have finished are looked at once."""

    def __init__(self) -> None:
        self._length = self._valid = self._next = 0  # of the finished trials at the beginning
        self._places: dict[int, int] = {}

    def _advance(self, trials: list[FrozenTrial]) -> None:
        while self._length < len(trials) and trials[self._length].state.is_finished():  # then it does not change
            trial = trials[self._length]
            self._next = _number(trial, self._next, self._places, self._places)
            self._valid += VOID not in trial.user_attrs
            self._length += 1

    def number_places(self, trials: list[FrozenTrial]) -> Mapping[int, int]:
        """Return the place of each trial in the sequence of draws, by number.

        A trial that repeats another has that one's place; one too many has none.
        """
        self._advance(trials)
        own: dict[int, int] = {}
        places, following = ChainMap(own, self._places), self._next
        for trial in islice(trials, self._length, None):
            following = _number(trial, following, places, own)
        return places

    def count_valid(self, trials: list[FrozenTrial]) -> int:
        """Count the trials that were not discarded among all, or the first ones."""
        if len(trials) < self._length:
            return count_valid(trials)
        self._advance(trials)
        return self._valid + sum(VOID not in trial.user_attrs for trial in islice(trials, self._length, None))


def _number(trial: FrozenTrial, following: int, places: Mapping[int, int], own: dict[int, int]) -> int:
    """Number a trial.

    Args:
        trial: Trial after those that have a place.
        following: Place of the next trial that repeats none.
        places: Place of each trial before.
        own: Where the place is written.

    Returns:
        Place of the next trial that repeats none.
    """
    retry_of = trial.user_attrs.get(RETRY_OF)
    if trial.user_attrs.get(VOID) == "surplus":
        return following
    place = following if retry_of is None else places.get(int(retry_of))
    if place is not None:
        own[trial.number] = place
    return following + (retry_of is None)

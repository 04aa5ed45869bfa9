"""Keep a number of actors in a Ray cluster: those that are lost are replaced."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError

from mlrunner.search.remote.admission import Admission, EngineError
from mlrunner.search.remote.ray_actor import TrialActor
from mlrunner.search.trial import TrialTask

CALLS = 4  # at the same time in an actor: `run`, and beside it `answer` and `store`
MAX_DEATHS = 3  # in a row, of actors that have not described themselves


@dataclass(eq=False)
class RaySlot:
    """An actor.

    Args:
        actor: Handle of the actor.
        pending: What comes next from it: its description, or the stream of its trial; None when it is free.
        name: Its address and process; empty before its description.
        machine: Identity of its machine.
        task: Trial that it runs; None when it is free.
    """

    actor: Any
    pending: Any
    name: str = ""
    machine: str = ""
    task: TrialTask | None = None


class RayWorkers:
    """The actors of a search.

    Args:
        size: Number of actors.
        threads: CPUs of each.
        notify: Function of a sentence for the user.
    """

    def __init__(self, size: int, threads: int, notify: Callable[[str], None]) -> None:
        self._size, self.admission, self._deaths = size, Admission(notify), 0
        self._actor = ray.remote(num_cpus=threads, max_concurrency=CALLS)(TrialActor)
        self.slots: list[RaySlot] = []

    @property
    def free(self) -> list[RaySlot]:
        """Actors that can take a trial."""
        return [slot for slot in self.slots if slot.pending is None]

    def fill(self) -> None:
        """Start actors in the place of those that are gone; a refused one keeps its place.

        Raises:
            EngineError: When no worker fits.
        """
        while len(self.slots) + len(self.admission.refused) < self._size:
            actor = self._actor.remote()
            self.slots.append(RaySlot(actor, actor.describe.remote()))
        fit = sum(bool(slot.name) for slot in self.slots)
        self.admission.check_any(fit, len(self.slots) - fit)

    def admit(self, slot: RaySlot) -> None:
        """Read the description of an actor, which has come."""
        try:
            theirs = ray.get(slot.pending)
        except RayTaskError as error:
            self._refuse_broken(slot, error)
        except RayError as error:
            self.remove(slot)
            self._deaths += 1
            if self._deaths >= MAX_DEATHS:
                raise EngineError(f"executor: no worker of Ray starts: {' '.join(str(error).split())}") from error
        else:
            self._deaths = 0
            slot.pending, slot.machine, slot.name = None, theirs["machine"], theirs["name"]
            if not self.admission.admit(slot.name, theirs):
                self.remove(slot)

    def _refuse_broken(self, slot: RaySlot, error: RayTaskError) -> None:
        self.admission.refuse_broken(f"number {len(self.admission.refused) + 1}", error.cause)
        self.remove(slot)

    def remove(self, slot: RaySlot) -> None:
        """End an actor."""
        self.slots.remove(slot)
        with suppress(RayError):
            ray.kill(slot.actor)

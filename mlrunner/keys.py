"""The names at the top of a composition; light, for what only reads compositions."""

from __future__ import annotations

GROUPS = ("dataset", "cleaning", "split", "model", "stack", "gate", "deployer")
PLACES = ("project", "home")  # folders of a machine
MACHINE_KEYS = (*PLACES, "threads", "output", "stack", "gate", "deployer")  # not what a run is

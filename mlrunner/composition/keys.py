"""The names at the top of a composition, and the verbs; light, for what only reads them."""

from __future__ import annotations

GROUPS = ("dataset", "cleaning", "split", "model", "stack", "gate", "deployer")
PLACES = ("project", "home")  # folders of a machine
MACHINE_KEYS = (*PLACES, "threads", "output", "stack", "gate", "deployer")  # not what a run is
VERBS = (
    "deploy",
    "diff",
    "env",
    "history",
    "playground",
    "predict",
    "prune",
    "report",
    "reproduce",
    "resume",
    "rollback",
    "runs",
    "stack",
    "status",
    "stop",
    "sweeps",
    "ui",
)

"""The top-level names of a composition, and the verbs; importing this module is fast."""

from __future__ import annotations

GROUPS = ("dataset", "cleaning", "split", "model", "stack", "gate", "deployer")
PLACES = ("project", "home")  # keys that hold folders of a machine
MACHINE_KEYS = (*PLACES, "threads", "output", "stack", "gate", "deployer")  # keys that do not change the result
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

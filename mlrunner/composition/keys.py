"""The top-level names of a composition, and the verbs; importing this module is fast."""

from __future__ import annotations

GROUPS = ("dataset", "cleaning", "split", "model", "stack", "gate", "deployer")
PLACES = ("project", "home")  # keys that hold folders of a machine
# Keys that do not change the result.
MACHINE_KEYS = (*PLACES, "threads", "output", "warnings", "stack", "gate", "deployer")
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
    "tag",
    "ui",
)

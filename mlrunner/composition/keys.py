"""The top-level names of a composition, and the verbs; importing this module is fast."""

from __future__ import annotations

GROUPS = ("dataset", "cleaning", "split", "model", "stack", "gate", "deployer", "executor")
PLACES = ("project", "home", "resources")  # keys that hold folders of a machine
# Keys that do not change the result.
MACHINE_KEYS = (*PLACES, "threads", "output", "warnings", "stack", "gate", "deployer", "executor")
RECORD_VERBS = ("diff", "explain", "prune", "report", "reproduce", "resume", "runs", "sweeps", "tag", "ui", "watch")
SERVING_VERBS = ("deploy", "history", "playground", "predict", "rollback", "status", "stop")
VERBS = tuple(sorted((*RECORD_VERBS, *SERVING_VERBS, "check", "env", "init", "stack", "warm")))

"""The recorded configuration of a run that is deployed, and the options that it chose."""

from __future__ import annotations

from typing import Any

FROZEN: dict[str, Any] = {
    "dataset": {"_target_": "mlrunner.groups.dataset.EmbeddedDataset", "name": "wine", "task": "classification"},
    "cleaning": {"_target_": "mlrunner.groups.cleaning.KeepAll"},
    "split": {"_target_": "mlrunner.groups.split.RandomDivide"},
    "objective": {"metric": "log_loss", "direction": None, "default": {}},
    "seed": 3,
    "gate": {
        "_target_": "mlrunner.groups.gate.thresholds.Threshold",
        "metric": "f1",
        "threshold": 0.7,
        "direction": None,
        "split": "test",
        "custom": {},
    },
    "deployer": {
        "_target_": "mlrunner.groups.deployer.local.LocalDeployer",
        "name": "mine",
        "port": 8111,
        "workers": 2,
    },
}
NONE: dict[str, Any] = {
    **FROZEN,
    "gate": {"_target_": "mlrunner.groups.gate.NoGate"},
    "deployer": {"_target_": "mlrunner.groups.deployer.NoDeployer"},
}
CHOSE = {"gate": "threshold", "deployer": "local"}
CHOSE_NONE = {"gate": "none", "deployer": "none"}

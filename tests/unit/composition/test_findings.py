"""What the rules judge."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from mlrunner.composition.findings import Data, Findings
from mlrunner.core.build import build

DATASET = {"_target_": "mlrunner.groups.dataset.TableDataset", "name": "csv", "path": "a.csv", "target": "y"}


def test_labels_are_sorted_and_known_for_a_classification_only() -> None:
    table = pd.DataFrame({"y": ["b", None, "a", "b"]})
    data = Data(build(DATASET, "dataset"), table, "digest", "classification")
    assert Findings(data, "classification", {}, "f1", Path()).labels == ["a", "b"]
    lists = Data(build(DATASET, "dataset"), pd.DataFrame({"y": [["a"], []]}), "digest", "classification")
    assert Findings(lists, "classification", {}, "f1", Path()).labels is None
    assert Findings(data, "regression", {}, "r2", Path()).labels is None
    assert Findings(None, "classification", {}, "f1", Path()).labels is None

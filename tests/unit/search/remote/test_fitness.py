"""What a worker has otherwise is refused when it can change a result, and described when not."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import pytest

from mlrunner.search.remote.fitness import describe_installation, describe_others, list_conflicts

OURS = describe_installation()


def test_an_installation_is_described() -> None:
    assert OURS["packages"]["numpy"] == version("numpy")
    assert OURS["packages"]["scikit-learn"] == version("scikit-learn")
    assert len(OURS["sources"]) == 16


@pytest.mark.parametrize(
    ("changes", "clause"),
    [
        ({}, None),
        ({"python": "3.9.1"}, f"Python 3.9.1 instead of {OURS['python']}"),
        ({"processor": "vax"}, f"a vax processor instead of {OURS['processor']}"),
        ({"sources": "0"}, "other source files of mlrunner"),
        ({"packages": {**OURS["packages"], "numpy": "1.0"}}, f"numpy 1.0 instead of {OURS['packages']['numpy']}"),
        ({"packages": {**OURS["packages"], "mlflow": "1.0"}}, None),
        ({"machine": "elsewhere"}, None),
    ],
)
def test_what_can_change_a_result_is_refused(changes: dict[str, Any], clause: str | None) -> None:
    assert list_conflicts(OURS, {**OURS, **changes}) == ([] if clause is None else [clause])


def test_a_package_that_is_missing_here_decides_nothing() -> None:
    packages = {name: text for name, text in OURS["packages"].items() if name != "catboost"}
    assert list_conflicts({**OURS, "packages": packages}, OURS) == []
    assert "catboost none instead of" in list_conflicts(OURS, {**OURS, "packages": packages})[0]


def test_other_packages_are_described() -> None:
    theirs = {**OURS, "packages": {**OURS["packages"], "mlflow": "1.0", "numpy": "1.0"}}
    assert describe_others(OURS, theirs) == f"mlflow 1.0 instead of {OURS['packages']['mlflow']}"
    assert describe_others(OURS, OURS) is None

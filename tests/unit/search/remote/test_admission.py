"""Workers that fit are admitted; others are refused with a sentence, which is said once."""

from __future__ import annotations

import pytest

from mlrunner.search.remote.admission import Admission, EngineError


def test_a_worker_with_the_same_installation_is_admitted_without_a_word() -> None:
    sentences: list[str] = []
    admission = Admission(sentences.append)
    assert admission.admit("a", admission.ours)
    assert (sentences, admission.refused) == ([], {})


def test_a_worker_with_another_version_of_numpy_is_refused() -> None:
    sentences: list[str] = []
    admission = Admission(sentences.append)
    version = admission.ours["packages"]["numpy"]
    other = {**admission.ours, "packages": {**admission.ours["packages"], "numpy": "0.1"}}
    expected = f"Worker a is refused: it has numpy 0.1 instead of {version}; install the same there."
    assert [admission.admit("a", other) for _ in range(2)] == [False, False]
    assert (sentences, admission.refused) == ([expected], {"a": expected})
    admission.check_any(fit=0, asked=1)
    with pytest.raises(EngineError, match=r"no worker fits\. Worker a is refused: it has numpy 0\.1"):
        admission.check_any(fit=0, asked=0)


def test_a_worker_without_mlrunner_and_a_difference_without_effect_are_said() -> None:
    sentences: list[str] = []
    admission = Admission(sentences.append)
    packages = {**admission.ours["packages"], "mlflow": "0.1"}
    assert admission.admit("a", {**admission.ours, "packages": packages})
    admission.refuse_broken("b", ModuleNotFoundError("No module named 'mlrunner'"))
    admission.check_any(fit=0, asked=1)
    assert sentences == [
        f"worker a has mlflow 0.1 instead of {admission.ours['packages']['mlflow']}",
        "Worker b is refused: it cannot run mlrunner (ModuleNotFoundError(\"No module named 'mlrunner'\")); install "
        "the same version there.",
        "waiting for the workers of the cluster",
    ]

"""Options of conf/gate: their decisions, what they read, and the message for each mistake in their settings."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from itertools import cycle, product
from typing import Any

import pytest

from mlrunner.composition.stand_ins import TASKS
from mlrunner.core.column_roles import Task
from mlrunner.core.errors import MlrunnerError
from mlrunner.groups.gate import Decision, Gate, GateInputs, NoGate
from mlrunner.groups.gate.all_of import AllOf
from mlrunner.groups.gate.champion import Champion
from mlrunner.groups.gate.cost_limits import Latency, Size
from mlrunner.groups.gate.thresholds import MinAccuracy, Threshold
from tests.support.front_door import PROJECT
from tests.support.gates import Compose, compose_gate

OPTIONS = sorted(path.stem for path in (PROJECT / "conf" / "gate").glob("*.yaml"))
NAN = float("nan")
QUALITY, BEATING = "gate.gates.quality.threshold", "gate.gates.champion.min_improvement"
THRESHOLD = "mlrunner.groups.gate.thresholds.Threshold"
REGRESSION = "r2, rmse, mae, median_absolute_error, mape, rmsle"
CLASSIFICATION = (
    "accuracy, balanced_accuracy, f1, precision, recall, f1_macro, precision_macro, recall_macro, mcc, roc_auc, "
    "average_precision, log_loss, brier"
)


def messages_of(build_it: Callable[[], object]) -> list[str]:
    with pytest.raises(MlrunnerError) as caught:
        build_it()
    return str(caught.value).splitlines()


def test_the_options_are_those_that_are_documented() -> None:
    assert OPTIONS == ["all_of", "champion", "min_accuracy", "none", "threshold"]


EVIDENCE = [{}, {"test/r2": NAN}, {"test/r2": 1.0}, {"test/r2": 1.0, "test/accuracy": 1.0}]


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_gives_a_reason_and_leaves_the_metrics_unchanged(
    option: str, task: Task, compose: Compose
) -> None:
    gate = compose_gate(compose, f"gate={option}", task=task)
    for metrics, champion in product(EVIDENCE, [None, GateInputs({"test/r2": 0.5, "test/accuracy": 0.5}, "rows")]):
        copied = dict(metrics)
        decision = gate.decide(GateInputs(copied, "rows"), champion)
        assert isinstance(decision, Decision)
        assert decision.reason != ""
        assert not decision.reason.endswith(".")
        assert copied.keys() == metrics.keys()
        assert gate.decide(GateInputs(copied, "rows"), champion) == decision


@pytest.mark.parametrize(
    ("option", "opens"),
    [("none", True), ("min_accuracy", True), ("threshold", False), ("champion", True), ("all_of", False)],
)
def test_default_decision_for_a_perfect_first_model(option: str, opens: bool, compose: Compose) -> None:
    gate = compose_gate(compose, f"gate={option}", task="classification")
    assert gate.decide(GateInputs(EVIDENCE[-1]), None).deploy is opens


def test_a_decision_goes_into_the_step_by_name() -> None:
    assert Decision(deploy=True, reason="good")._asdict() == {"deploy": True, "reason": "good"}


@pytest.mark.parametrize("option", OPTIONS)
def test_gates_are_equal_by_value_and_frozen(option: str, compose: Compose) -> None:
    first, second = compose_gate(compose, f"gate={option}"), compose_gate(compose, f"gate={option}")
    assert first == second
    for name in vars(first):
        with pytest.raises(AttributeError):
            setattr(first, name, None)


def test_importing_gates_needs_no_framework() -> None:
    heavy = ["pandas", "numpy", "sklearn", "omegaconf", "hydra", "zenml", "mlflow"]
    modules = ", ".join(f"mlrunner.groups.gate.{name}" for name in ("thresholds", "cost_limits", "champion", "all_of"))
    code = f"import sys, {modules}; print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


def test_gate_none_always_opens() -> None:
    for champion in (None, GateInputs({}, problem="deleted")):
        assert NoGate().decide(GateInputs({"test/r2": NAN}), champion) == (True, "gate=none: no condition was set")


MAE, MAPE = {"gate.metric": "validation/mae"}, {"gate.gates.champion.metric": "test/mape"}
BAR = {"gate.gates.quality.metric": "test/DEFAULT"}


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize(
    ("overrides", "metrics", "champion", "costs"),
    [
        (["gate=none"], {}, False, False),
        (["gate=min_accuracy", "gate.split=cv"], {"gate.min_accuracy": "cv/accuracy"}, False, False),
        (["gate=threshold"], {"gate.metric": "test/DEFAULT"}, False, False),
        (["gate=threshold", "gate.metric=mae", "gate.split=validation"], MAE, False, False),
        (["gate=champion"], {"gate.metric": "test/DEFAULT"}, True, False),
        (["gate=all_of"], {}, False, False),
        (["gate=all_of", "gate.gates.quality.threshold=0.4"], BAR, False, False),
        (
            ["gate=all_of", "gate.gates.champion.min_improvement=0", "gate.gates.champion.metric=mape"],
            MAPE,
            True,
            False,
        ),
        (["gate=all_of", "gate.gates.latency.max_p95_ms=50"], {}, False, True),
        (["gate=all_of", "gate.gates.size.max_megabytes=100"], {}, False, True),
    ],
)
def test_gate_names_the_metrics_it_reads(
    overrides: list[str], metrics: dict[str, str], champion: bool, costs: bool, task: Task, compose: Compose
) -> None:
    gate = compose_gate(compose, *overrides, task=task)
    default = {"regression": "r2", "classification": "accuracy"}[task]
    expected = {key: name.replace("DEFAULT", default) for key, name in metrics.items()}
    assert (gate.metrics, gate.needs_champion, gate.needs_costs) == (expected, champion, costs)


@pytest.mark.parametrize(
    ("gate", "unset"),
    [
        (NoGate(), None),
        (MinAccuracy(min_accuracy=0.5), None),
        (Threshold(metric="r2"), "threshold"),
        (Threshold(metric="r2", threshold=0), None),
        (Champion(metric="r2"), None),
        (Champion(metric="r2", min_improvement=None), "min_improvement"),
        (Latency(), "max_p95_ms"),
        (Latency(max_p95_ms=1), None),
        (Size(), "max_megabytes"),
        (Size(max_megabytes=1), None),
        (AllOf(gates={}), "gates"),
        (AllOf(gates={"none": {"_target_": "mlrunner.groups.gate.NoGate"}}), None),
    ],
    ids=str,
)
def test_gate_names_its_missing_setting(gate: Gate, unset: str | None) -> None:
    assert gate.missing_setting == unset


R, C = "regression", "classification"
NO_ACCURACY = "accuracy is not a metric of a regression; choose gate=threshold gate.metric=r2 gate.threshold=NUMBER."
SEVERAL = "but a gate uses one metric; name one, like"
WRONG_WAY = "leave gate.direction null."
NO_CONDITION = (
    f"gate.gates sets no condition; give a number to {QUALITY} or {BEATING} or gate.gates.latency.max_p95_ms or "
    "gate.gates.size.max_megabytes, or choose gate=none."
)
PROBLEMS: list[tuple[Any, str, list[str]]] = [
    (R, "gate=none", []),
    (C, "gate=min_accuracy", []),
    (None, "gate=min_accuracy", []),
    (R, "gate=min_accuracy", [f"gate.min_accuracy: {NO_ACCURACY}"]),
    (R, "gate=threshold gate.threshold=0", []),
    (C, "gate=threshold gate.metric=log_loss gate.threshold=0.3", []),
    (R, "gate=threshold", ["gate.threshold is not set; give the r2 that is good enough."]),
    (
        R,
        "gate=threshold gate.metric=accuracy gate.threshold=0.8",
        [f"gate.metric=accuracy is not a metric of regression; choose {REGRESSION}."],
    ),
    (
        C,
        "gate=champion gate.metric=acuracy",
        [f"gate.metric=acuracy is not a metric of classification; choose {CLASSIFICATION}. Did you mean 'accuracy'?"],
    ),
    (
        R,
        "gate=champion gate.metric=test/rmse",
        [f"gate.metric=test/rmse is not a metric of regression; choose {REGRESSION}. Did you mean 'rmse'?"],
    ),
    (
        None,
        "gate=champion gate.metric=x",
        [f"gate.metric=x is not a metric of any task; choose {REGRESSION}, {CLASSIFICATION}."],
    ),
    (None, "gate=champion gate.metric=accuracy", []),
    (
        R,
        "gate=champion objective.metric=[fit_seconds,rmse,r2]",
        [f"gate.metric is [fit_seconds, rmse, r2], {SEVERAL} gate.metric=rmse."],
    ),
    (
        C,
        "gate=threshold objective.metric=[fit_seconds] gate.threshold=1",
        [f"gate.metric is [fit_seconds], {SEVERAL} gate.metric=accuracy."],
    ),
    (R, "gate=champion gate.metric=rmse gate.direction=minimize", []),
    (
        R,
        "gate=champion gate.metric=rmse gate.direction=maximize",
        [f"gate.direction=maximize contradicts gate.metric=rmse, for which smaller is better; {WRONG_WAY}"],
    ),
    (
        C,
        "gate=threshold gate.metric=f1 gate.direction=minimize",
        [
            f"gate.direction=minimize contradicts gate.metric=f1, for which greater is better; {WRONG_WAY}",
            "gate.threshold is not set; give the f1 that is good enough.",
        ],
    ),
    (
        C,
        "gate=threshold gate.threshold=80",
        ["gate.threshold=80 is out of reach: no accuracy is above 1; choose a smaller number."],
    ),
    (
        R,
        "gate=champion gate.metric=mae gate.threshold=-0.5",
        ["gate.threshold=-0.5 is out of reach: no mae is below 0; choose a greater number."],
    ),
    (R, "gate=champion gate.threshold=-0.5", []),
    (
        R,
        "gate=champion gate.min_improvement=null",
        ["gate.min_improvement is not set; 0 accepts a model that is as good."],
    ),
    (R, "gate=all_of", [NO_CONDITION]),
    (R, f"gate=all_of {QUALITY}=0.4", []),
    (
        R,
        "gate=all_of gate.gates.quality=null gate.gates.champion=null gate.gates.latency=null gate.gates.size=null",
        ["gate.gates sets no condition; choose gate=none."],
    ),
    (
        R,
        f"gate=all_of {QUALITY}=80 {BEATING}=0 gate.gates.champion.metric=f1",
        [
            f"{QUALITY}=80 is out of reach: no r2 is above 1; choose a smaller number.",
            f"gate.gates.champion.metric=f1 is not a metric of regression; choose {REGRESSION}.",
        ],
    ),
    (R, "gate=all_of objective.metric=[r2,fit_seconds] gate.gates.size.max_megabytes=9", []),
]


@pytest.mark.parametrize(("task", "overrides", "expected"), PROBLEMS)
def test_each_mistake_in_the_settings_is_one_sentence(
    task: Task | None, overrides: str, expected: list[str], compose: Compose
) -> None:
    gate = compose_gate(compose, *overrides.split(), task=task or "regression")
    assert gate.problems(task) == expected
    assert len(gate.problems()) <= len(expected)


@pytest.mark.parametrize(
    "gate",
    [
        Threshold(metric="rmse"),
        Threshold(metric="rmse", threshold=-1),
        Threshold(metric="rmse", threshold=1, direction="maximize"),
        Threshold(metric="rsme", threshold=1),
        Threshold(metric=["rmse", "r2"], threshold=1),
        Champion(metric="rmse", direction="maximize"),
        Champion(metric="rmse", min_improvement=None),
        Champion(metric="rsme"),
        Champion(metric=["rmse", "r2"]),
        Champion(metric=[]),
        Latency(),
        Size(),
        AllOf(gates={"error": {"_target_": THRESHOLD, "metric": "rmse", "threshold": None}}),
        AllOf(gates={"error": {"_target_": THRESHOLD, "metric": "rmse", "threshold": 1, "direction": "maximize"}}),
    ],
    ids=str,
)
def test_mistakes_keep_the_gate_closed_and_are_the_reason(gate: Gate) -> None:
    wrong = gate.problems()
    best = GateInputs({"test/rmse": 0.0, "test/rsme": 0.0, "serve/p95_ms": 0.0, "model/megabytes": 0.0})
    assert wrong != []
    assert gate.decide(best, None) == (False, "; ".join(sentence.removesuffix(".") for sentence in wrong))


NOT_A_NUMBER = {
    "nan": ("nan", "NaN should be a finite number."),
    "inf": ("inf", "Infinity should be a finite number."),
    "minus inf": ("-inf", "-Infinity should be a finite number."),
    "text": ("high", "high should be a number."),
}


NUMBERS = [
    ("threshold", "threshold"),
    ("champion", "threshold"),
    ("champion", "min_improvement"),
    ("min_accuracy", "min_accuracy"),
    ("all_of", "gates.quality.threshold"),
    ("all_of", "gates.latency.max_p95_ms"),
    ("all_of", "gates.size.max_megabytes"),
]


@pytest.mark.parametrize(("number", "case"), list(zip(NUMBERS, cycle(NOT_A_NUMBER), strict=False)))
def test_a_number_has_to_be_finite(number: tuple[str, str], case: str, compose: Compose) -> None:
    (option, key), (value, expected) = number, NOT_A_NUMBER[case]
    (message,) = messages_of(lambda: compose_gate(compose, f"gate={option}", f"gate.{key}={value}"))
    assert message.startswith(f"gate.{key}={expected.partition(' ')[0]} should be ")
    if value in ("nan", "high"):
        assert message == f"gate.{key}={expected}"


NEAR_THRESHOLD = "has metric, direction, split, custom, threshold. Did you mean 'threshold'?"
NO_TARGET = "_target_ is not set; name a class, like mlrunner.groups.gate.thresholds.Threshold."
NO_GATE = (
    "gate.gates.size._target_=mlrunner.groups.deployer.NoDeployer is no mlrunner.groups.gate.Gate; choose an "
    "option of conf/gate.gates.size/, or name a class of that kind."
)
SPLITS = "'test', 'validation', 'cv' or 'train'"
REFUSED: list[tuple[str, list[str]]] = [
    ("gate=min_accuracy gate.min_accuracy=80", ["gate.min_accuracy=80 should be less than or equal to 1."]),
    ("gate=min_accuracy gate.min_accuracy=-0.1", ["gate.min_accuracy=-0.1 should be greater than or equal to 0."]),
    ("gate=champion gate.min_improvement=-1", ["gate.min_improvement=-1 should be greater than or equal to 0."]),
    ("gate=threshold gate.split=tset", [f"gate.split=tset should be {SPLITS}. Did you mean 'test'?"]),
    (
        "gate=champion gate.direction=max",
        ["gate.direction=max should be 'maximize' or 'minimize'. Did you mean 'maximize'?"],
    ),
    ("gate=all_of gate.gates.latency.max_p95_ms=0", ["gate.gates.latency.max_p95_ms=0 should be greater than 0."]),
    ("gate=threshold +gate.treshold=0.4", [f"gate.treshold is not a key; gate {NEAR_THRESHOLD}"]),
    (
        "gate=all_of +gate.gates.quality.treshold=1 +gate.gates.auc.threshold=1",
        [
            f"gate.gates.quality.treshold is not a key; gate.gates.quality {NEAR_THRESHOLD}",
            f"gate.gates.auc.{NO_TARGET}",
        ],
    ),
    ("gate=all_of gate.gates.size=9", ["gate.gates.size=9 should be keys with values, like {a: 1}."]),
    ("gate=all_of gate.gates.size._target_=mlrunner.groups.deployer.NoDeployer", [NO_GATE]),
]


@pytest.mark.parametrize(("overrides", "expected"), REFUSED)
def test_impossible_settings_are_refused_by_their_full_key(
    overrides: str, expected: list[str], compose: Compose
) -> None:
    assert messages_of(lambda: compose_gate(compose, *overrides.split())) == expected

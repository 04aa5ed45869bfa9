"""Config groups become objects, and each mistake in them becomes one sentence."""

from __future__ import annotations

import dataclasses
import importlib
from typing import Any, Literal

import pandas as pd
import pydantic
import pytest
from pydantic import Field, ValidationError

from mlrunner.core.build import build, dataclass, describe_errors, locate
from mlrunner.core.errors import ConfigError, ProblemsError
from mlrunner.groups.gate import Gate, NoGate

ME = "tests.unit.core.test_build"


@dataclass
class Sample:
    share: float
    count: int = Field(default=1, gt=0)
    kind: Literal["mean", "median"] = "mean"
    names: list[str] = Field(default_factory=list)
    bounds: dict[str, tuple[float, float]] = Field(default_factory=dict)
    limit: int | str | list[int] | None = None
    flag: bool = False


class Plain:
    """A class that checks nothing itself."""

    def __init__(self, size: int) -> None:
        self.size = size


def sample(**arguments: Any) -> dict[str, Any]:
    return {"_target_": f"{ME}.Sample", **arguments}


@pytest.mark.parametrize("target", ["mlrunner.groups.gate.NoGate", "collections.OrderedDict", "os.path.join"])
def test_the_object_at_a_path_is_imported(target: str) -> None:
    module, _, name = target.rpartition(".")
    assert locate(target, "gate._target_") is getattr(importlib.import_module(module), name)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (
            "mlrunner.groups.gate.NoGat",
            "gate._target_: mlrunner.groups.gate has no 'NoGat'; name a class by its full path. Did you mean 'NoGate'?",
        ),
        (
            "mlruner.gate.NoGate",
            "gate._target_: cannot import 'mlruner.gate.NoGate' (No module named 'mlruner'); name a class by its full "
            "path.",
        ),
        (
            "NoGate",
            "gate._target_: cannot import 'NoGate' (Empty module name); name a class by its full path.",
        ),
    ],
    ids=["name", "module", "no-module"],
)  # fmt: skip
def test_a_path_without_an_object_is_refused(target: str, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        locate(target, "gate._target_")
    assert str(raised.value) == message


def test_an_object_is_built_and_its_group_is_unchanged() -> None:
    group = sample(share=0.5, names=["a"])
    built = build(group, "split")
    assert (built.share, built.names, built.count) == (0.5, ["a"], 1)
    assert group == sample(share=0.5, names=["a"])


def test_a_class_of_the_kind_is_built() -> None:
    assert build({"_target_": "mlrunner.groups.gate.NoGate"}, "gate", Gate) == NoGate()


@pytest.mark.parametrize(
    ("group", "kind", "message"),
    [
        ({}, object, "gate._target_ is not set; choose an option of conf/gate/ or name a class."),
        ({"_target_": None}, object, "gate._target_ is not set; choose an option of conf/gate/ or name a class."),
        (
            sample(share=1),
            Gate,
            f"gate._target_={ME}.Sample is no mlrunner.groups.gate.Gate; choose an option of conf/gate/, or name a "
            "class of that kind.",
        ),
        (
            {"_target_": "os.path.join"},
            Gate,
            "gate._target_=os.path.join is no class; choose an option of conf/gate/, or name a class of that kind.",
        ),
        (
            {"_target_": f"{ME}.Plain", "siz": 1},
            object,
            "gate: Plain.__init__() got an unexpected keyword argument 'siz'.",
        ),
    ],
    ids=["empty", "null", "other-kind", "function", "constructor"],
)
def test_a_group_that_cannot_be_built_is_refused(group: dict[str, Any], kind: type, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        build(group, "gate", kind)
    assert str(raised.value) == message


SENTENCES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "unknown": (
        {"share": 1, "cont": 2},
        ["split.cont is not a key; split has share, count, kind, names, bounds, limit, flag. Did you mean 'count'?"],
    ),
    "missing": ({}, ["split.share is not set; give it a value."]),
    "null": ({"share": None}, ["split.share=null should be a number."]),
    "text for a number": ({"share": "much"}, ["split.share=much should be a number."]),
    "fraction for a count": ({"share": 1, "count": 1.5}, ["split.count=1.5 should be a whole number."]),
    "bound": ({"share": 1, "count": 0}, ["split.count=0 should be greater than 0."]),
    "one of": (
        {"share": 1, "kind": "medain"},
        ["split.kind=medain should be 'mean' or 'median'. Did you mean 'median'?"],
    ),
    "no list": ({"share": 1, "names": "a"}, ["split.names=a should be a list, like [a,b]."]),
    "item": ({"share": 1, "names": ["a", 2]}, ["split.names.1=2 should be text; put it in quotes: '2'."]),
    "no mapping": ({"share": 1, "bounds": [1]}, ["split.bounds=[1] should be keys with values, like {a: 1}."]),
    "deep": ({"share": 1, "bounds": {"a": [0, "x"]}}, ["split.bounds.a.1=x should be a number."]),
    "several types": (
        {"share": 1, "limit": 1.5},
        ["split.limit=1.5 should be a whole number or text or a list, like [a,b]."],
    ),
    "no yes or no": ({"share": 1, "flag": "maybe"}, ["split.flag=maybe should be true or false."]),
    "empty text": ({"share": ""}, ['split.share="" should be a number.']),
    "deep within several types": (
        {"share": 1, "limit": [1, "x"]},
        ["split.limit.1=x should be a whole number."],
    ),
    "several": (
        {"share": "much", "count": 0, "typo": 1},
        [
            "split.share=much should be a number.",
            "split.count=0 should be greater than 0.",
            "split.typo is not a key; split has share, count, kind, names, bounds, limit, flag.",
        ],
    ),
}


@pytest.mark.parametrize("name", SENTENCES)
def test_each_mistake_is_one_sentence_with_its_key(name: str) -> None:
    arguments, sentences = SENTENCES[name]
    with pytest.raises(ProblemsError) as raised:
        build(sample(**arguments), "split")
    assert sorted(raised.value.problems) == sorted(sentences)


def test_sentences_at_the_top_of_the_composition_name_no_holder() -> None:
    class Settings(pydantic.BaseModel, extra="forbid"):
        seed: int

    with pytest.raises(pydantic.ValidationError) as raised:
        Settings.model_validate({"seed": "x", "sed": 1})
    assert describe_errors(raised.value, "", {"": ["seed"]}) == [
        "seed=x should be a whole number.",
        "sed is not a key; the composition has seed. Did you mean 'seed'?",
    ]


@dataclass
class Base:
    share: float
    name: str | None = None


@dataclass
class Strategy(Base):
    columns: list[str] = Field(default_factory=list)
    count: int = Field(default=1, gt=0)
    model_name: str = "a"  # pydantic protects this prefix unless it is configured


def test_arguments_are_stored_and_the_others_have_their_defaults() -> None:
    built = Strategy(share=0.5, columns=["a"])
    assert dataclasses.asdict(built) == {"share": 0.5, "name": None, "columns": ["a"], "count": 1, "model_name": "a"}


def test_default_lists_are_not_shared() -> None:
    assert Strategy(share=1).columns is not Strategy(share=1).columns


@pytest.mark.parametrize(
    ("arguments", "place", "kind"),
    [
        ({"share": 1.0, "shar": 2}, ("shar",), "unexpected_keyword_argument"),
        ({}, ("share",), "missing"),
        ({"share": "much"}, ("share",), "float_parsing"),
        ({"share": 1.0, "columns": "a"}, ("columns",), "list_type"),
        ({"share": 1.0, "columns": [1]}, ("columns", 0), "string_type"),
        ({"share": 1.0, "count": 1.5}, ("count",), "int_from_float"),
        ({"share": 1.0, "count": 0}, ("count",), "greater_than"),
    ],
    ids=["unknown", "missing", "text", "no-list", "item", "fraction", "bound"],
)
def test_wrong_names_and_values_are_refused(arguments: dict[str, Any], place: tuple[Any, ...], kind: str) -> None:
    with pytest.raises(ValidationError) as raised:
        Strategy(**arguments)
    assert [(error["loc"], error["type"]) for error in raised.value.errors()] == [(place, kind)]


def test_all_mistakes_are_reported_at_once() -> None:
    with pytest.raises(ValidationError) as raised:
        Strategy(share="much", count=0, typo=1)  # type: ignore[call-arg,arg-type]
    assert raised.value.error_count() == 3


def test_arguments_go_by_name() -> None:
    with pytest.raises(ValidationError):
        Strategy(0.5)  # type: ignore[misc]


def test_instances_are_frozen() -> None:
    built = Strategy(share=0.5)
    with pytest.raises(dataclasses.FrozenInstanceError):
        built.share = 1.0  # type: ignore[misc]


def test_equal_settings_make_equal_instances() -> None:
    assert Strategy(share=1) == Strategy(share=1.0)
    assert Strategy(share=1) != Strategy(share=2)


def test_values_of_any_class_are_accepted() -> None:
    @dataclass
    class Holder:
        table: pd.DataFrame

    table = pd.DataFrame({"a": [1]})
    assert Holder(table=table).table is table

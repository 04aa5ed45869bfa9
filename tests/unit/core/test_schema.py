"""The decorator of every class that a YAML file names."""

from __future__ import annotations

import dataclasses
from typing import Any

import pandas as pd
import pytest
from pydantic import Field, ValidationError

from mlrunner.core.build import dataclass


@dataclass
class Base:
    share: float
    name: str | None = None


@dataclass
class Strategy(Base):
    columns: list[str] = Field(default_factory=list)
    count: int = Field(default=1, gt=0)
    model_name: str = "a"  # pydantic protects this prefix where it is not told otherwise


def test_what_is_given_is_stored_and_the_rest_has_its_default() -> None:
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


def test_several_mistakes_are_told_at_once() -> None:
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


def test_values_of_any_class_are_taken() -> None:
    @dataclass
    class Holder:
        table: pd.DataFrame

    table = pd.DataFrame({"a": [1]})
    assert Holder(table=table).table is table

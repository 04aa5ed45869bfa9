"""Overrides that set values."""

from __future__ import annotations

from typing import Any

import pytest

from mlrunner.composition.compose import ConfigComposer
from mlrunner.history.diff.structure import equal_values
from mlrunner.history.diff.value_overrides import find_value_overrides

TEXTS = [
    "", " a ", "null", "True", "-1", "1e5", "007", "nan", "it's", "'", '"', "\\'", "a\\", "\\\\", "a\nb", "a\tb",
    "ü", "日本", "a=b,c", "[a]", "{a:1}", "choice(1,2)", "${seed}", "\\${x}", "???", "~x", "#x", "2020-01-01",
    "!x", "a: b", "$(x)",
]  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_any_text_is_set(text: str, hydra: ConfigComposer) -> None:
    now, goal = (
        {"dataset": {"x": 0, "y": 0, "z": 0}},
        {"dataset": {"x": text, "y": [{"a": text}, text], "z": {"a.b": text}}},
    )
    assert equal_values(hydra.set(now, find_value_overrides(hydra, now, goal)[0]), goal)


@pytest.mark.parametrize(
    ("now", "goal", "overrides"),
    [
        ({"a": 1}, {"a": "1"}, ["dataset.x.a='1'"]),
        ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}, ["dataset.x.a=[1,{b:3}]"]),
        ({"a": 1}, {"a": {"b": 1}}, ["dataset.x.a={b:1}"]),
        ({"a": {"b": 1}}, {"a": [1]}, ["~dataset.x.a", "+dataset.x.a=[1]"]),
        ({"a": [1]}, {"a": {"b": 1}}, ["~dataset.x.a", "+dataset.x.a={b:1}"]),
        ({"a": None}, {}, ["dataset.x.a=0", "~dataset.x.a"]),
        ({}, {"a.b": 1}, ["+dataset.x={a.b:1}"]),
        ({"a.b": 1}, {"a.b": 2}, ["+dataset.x={a.b:2}"]),
        ({"a.b": {"c": 1}}, {"a.b": {"c": 2}}, ["+dataset.x={a.b:{c:2}}"]),
        ({"a.b": 1, "c": 2}, {"c": 2}, ["~dataset.x", "+dataset.x={c:2}"]),
        ({0: 1.0}, {0: 1.0, 1: 5.0}, ["+dataset.x={1:5.0}"]),
        ({0: 1.0}, {0: 2.0}, ["+dataset.x={0:2.0}"]),
        ({"0": 1.0}, {"0": 2.0}, ["dataset.x.0=2.0"]),
    ],
)
def test_any_key_is_set(now: Any, goal: Any, overrides: list[str], hydra: ConfigComposer) -> None:
    """A key that cannot stand on the left of an override is set from inside of what holds it."""
    here, there = ({"dataset": {"x": value}} for value in (now, goal))
    assert find_value_overrides(hydra, here, there) == (overrides, there)
    assert equal_values(hydra.set(here, overrides), there)

"""Interpolations are resolved, or explained in one sentence."""

from __future__ import annotations

from typing import Any

import pytest
from omegaconf import OmegaConf

from mlrunner.composition.resolve import is_resolved, merge_values, resolve_group
from mlrunner.core.errors import ConfigError


def test_a_group_becomes_plain_values() -> None:
    cfg = OmegaConf.create({"seed": 3, "split": {"seed": "${seed}", "parts": [1, {"a": "${seed}"}]}})
    group = resolve_group(cfg, "split")
    assert group == {"seed": 3, "parts": [1, {"a": 3}]}
    assert type(group["parts"]) is list


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            {"a": "${sed}"},
            "split.a refers to ${sed}, but the composition has no key sed; correct it. Did you mean 'seed'?",
        ),
        ({"a": "${nope}"}, "split.a refers to ${nope}, but the composition has no key nope; correct it."),
        (
            {"a": "${nope:1}"},
            "split.a cannot be resolved: Unsupported interpolation type nope; correct what is between ${ and }.",
        ),
        ("kfold", "split=kfold is not an option; choose one of conf/split/."),
    ],
)  # fmt: skip
def test_a_group_that_cannot_be_resolved_is_one_sentence(value: Any, message: str) -> None:
    with pytest.raises(ConfigError) as refused:
        resolve_group(OmegaConf.create({"seed": 3, "split": value}), "split")
    assert str(refused.value) == message


def test_values_are_merged_into_a_copy() -> None:
    cfg = OmegaConf.create({"a": {"b": 1, "c": 2}})
    assert merge_values(cfg, {"a": {"b": 3}}) == {"a": {"b": 3, "c": 2}}
    assert cfg.a.b == 1


@pytest.mark.parametrize(
    ("plain", "expected"),
    [
        ({"a": 1, "b": ["$x", {"c": "{}"}]}, True),
        ({}, True),
        ({"a": ["x", {"c": "x-${seed}"}]}, False),
        ("${seed}", False),
        (1, False),
        (["x"], False),
    ],
)
def test_a_group_without_an_interpolation_is_resolved(plain: Any, expected: bool) -> None:
    assert is_resolved(plain) is expected

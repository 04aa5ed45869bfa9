"""YAML of others: a bomb is one sentence, and takes no time."""

from __future__ import annotations

import pytest

from mlrunner.core import safe_yaml
from mlrunner.core.errors import ConfigError
from mlrunner.core.safe_yaml import read_yaml

BOMB = "a: &a [x]\n" + "".join(
    f"{chr(98 + level)}: &{chr(98 + level)} [{', '.join(['*' + chr(97 + level)] * 9)}]\n" for level in range(9)
)


@pytest.mark.parametrize("text", ["&a [*a]", "a: &a {}\nb: *a\n", "- &x 1\n- *x\n", "a: &a {}\n<<: *a", BOMB])
def test_an_alias_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"^A YAML file holds an alias \(\*name\)"):
        read_yaml(text)


@pytest.mark.parametrize("text", ["['*.csv', \"a *b\"]", "path: data/*.csv", "x: 2 *y", "x: 'a\n  *b'"])
def test_a_star_in_a_text_is_no_alias(text: str) -> None:
    assert "*" in str(read_yaml(text))


@pytest.mark.parametrize("depth", [101, 5_000])
def test_deep_values_are_refused(depth: int) -> None:
    with pytest.raises(ConfigError, match="nests more than 100 values"):
        read_yaml("[" * depth + "]" * depth)


def test_what_hydra_writes_is_read() -> None:
    assert read_yaml("a:\n  b: [1, {c: null}]\n  d: 2026-01-01x") == {"a": {"b": [1, {"c": None}], "d": "2026-01-01x"}}
    assert read_yaml("[" * 100 + "]" * 100)


def test_a_huge_text_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safe_yaml, "MAX_CHARACTERS", 10)
    with pytest.raises(ConfigError, match="has 11 characters, which is too long"):
        read_yaml("a: 12345678")

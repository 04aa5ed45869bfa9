"""YAML that is put together from entries, held to OmegaConf's own."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from mlrunner.composition import yaml_parts
from mlrunner.composition.yaml_parts import YamlParts

SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-2, 2), st.sampled_from(["1", "true", "a: 'b'", "", "é\n#"]))
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner), max_leaves=4
)
NODES = st.lists(st.dictionaries(st.sampled_from(["a", "b", "on"]), VALUES), min_size=1, max_size=4)


@settings(max_examples=100, deadline=None)
@given(NODES)
@example([{"a": 1}, {"a": True}, {"a": "1"}, {"a": 1.0}])
@example([{"a": {"b": "word " * 60}}, {}])
def test_one_writer_writes_each_dictionary_as_omegaconf_does(nodes: list[dict[str, Any]]) -> None:
    parts = YamlParts()
    for node in nodes:
        assert parts.write(node) == OmegaConf.to_yaml(OmegaConf.create(node))
        assert parts.write(node, "top") == OmegaConf.to_yaml(OmegaConf.create({"top": node}))


def test_only_what_differs_is_written_again(monkeypatch: pytest.MonkeyPatch) -> None:
    written = list[Any]()

    def note(node: Any) -> str:
        written.append(node)
        return f"{node}\n"

    monkeypatch.setattr(yaml_parts, "to_yaml", note)
    parts = YamlParts()
    parts.write({"seed": 1, "model": {"alpha": 1}})
    parts.write({"seed": 1, "model": {"alpha": 2}})
    assert written == [{"seed": 1}, {"model": {"alpha": 1}}, {"model": {"alpha": 2}}]

"""Explain a value of a type that a key of Hydra's own configuration cannot hold; OmegaConf knows the type of each."""

from __future__ import annotations

from typing import Any

from omegaconf import BooleanNode, DictConfig, EnumNode, FloatNode, IntegerNode, ListConfig, StringNode
from omegaconf.errors import OmegaConfBaseException

from mlrunner.core.build import EXPECTED, KEYS, NUMBER, WHOLE, YES_NO
from mlrunner.core.errors import first_line

PREFIX = "Error merging override "  # begins Hydra's message
TYPES = {
    IntegerNode: WHOLE,
    FloatNode: NUMBER,
    BooleanNode: YES_NO,
    StringNode: EXPECTED["string_type"],
    ListConfig: EXPECTED["list_type"],
    DictConfig: KEYS,
}
MERGES = {"Cannot merge DictConfig with": KEYS, "Cannot merge ListConfig with": EXPECTED["list_type"]}


def describe_wrong_type(error: BaseException) -> list[str]:
    """Describe an override whose value has the wrong type; return nothing for any other error of Hydra."""
    cause = error.__cause__
    if not str(error).startswith(PREFIX) or not isinstance(cause, OmegaConfBaseException):
        return []
    override, node = str(error).removeprefix(PREFIX).strip(), cause.child_node
    key, holder = override.partition("=")[0], str(cause.full_key)
    merged = next((text for start, text in MERGES.items() if str(cause).startswith(start)), None)
    if merged is not None:
        return [f"{override} should be {merged}."]
    if key.lstrip("+") != holder:
        return [f"{key} is not a key; {holder} holds a value and no keys."]
    if isinstance(node, DictConfig) and "_target_" in node:
        return [f"{override} would replace all of its keys; choose an option, like {holder.replace('.', '/')}=OPTION."]
    return [f"{override} {_describe_type(node) or f'is not possible: {first_line(cause)}'}."]


def _describe_type(node: Any) -> str | None:
    if isinstance(node, EnumNode):
        return f"should be {' or '.join(each.name for each in node.enum_type)}"
    return next((f"should be {text}" for kind, text in TYPES.items() if isinstance(node, kind)), None)

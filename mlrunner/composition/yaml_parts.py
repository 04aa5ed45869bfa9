"""Write configurations that differ in few entries as YAML: an entry that was written before is not written again."""

from __future__ import annotations

from typing import Any

from cachetools import LRUCache, cachedmethod

from mlrunner.composition.hydra_private import to_yaml

MAX_PARTS = 512  # entries of all configurations; one has about 30


class YamlParts:
    """Writes dictionaries exactly as `to_yaml` does, entry by entry."""

    def __init__(self) -> None:
        self._texts: LRUCache[Any, str] = LRUCache(MAX_PARTS)

    def write(self, node: dict[Any, Any], parent: str | None = None) -> str:
        """Write a dictionary.

        Args:
            node: Dictionary of plain values.
            parent: Key that holds the dictionary; None at the top.
        """
        if not node:
            return to_yaml(node if parent is None else {parent: node})
        entries = [self._write_entry(parent, key, value, repr(value)) for key, value in node.items()]
        return "".join(entries if parent is None else [f"{parent}:\n", *entries])

    @cachedmethod(lambda self: self._texts, key=lambda _, parent, key, value, text: (parent, key, type(key), text))
    def _write_entry(self, parent: str | None, key: Any, value: Any, text: str) -> str:
        """Write one entry, indented as below its parent.

        Args:
            parent: Key that holds the dictionary of the entry; None at the top.
            key: Key of the entry.
            value: Value of the entry.
            text: `repr` of the value, which differs where the YAML differs.
        """
        del text
        if parent is None:
            return to_yaml({key: value})
        return to_yaml({parent: {key: value}}).partition("\n")[2]

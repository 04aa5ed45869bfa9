"""Write configurations that differ in few entries as YAML: an entry that was written before is not written again."""

from __future__ import annotations

from typing import Any

from cachetools import LRUCache

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
        entries = [self._write_entry(parent, key, value) for key, value in node.items()]
        return "".join(entries if parent is None else [f"{parent}:\n", *entries])

    def _write_entry(self, parent: str | None, key: Any, value: Any) -> str:
        """Write one entry, indented as below its parent."""
        place = parent, key, type(key), repr(value)  # `repr` differs where the YAML does: 1, True and '1'
        if place not in self._texts:
            text = to_yaml({key: value} if parent is None else {parent: {key: value}})
            self._texts[place] = text if parent is None else text.partition("\n")[2]
        return self._texts[place]

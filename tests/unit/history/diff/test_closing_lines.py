"""The last lines of a comparison."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mlrunner.history.diff import compare
from mlrunner.history.diff.closing_lines import make_closing_lines
from mlrunner.history.diff.overrides import OverrideDiff
from mlrunner.history.diff.sides import Side
from mlrunner.tracking.records.snapshot import Snapshot


@pytest.mark.parametrize(("sources", "command"), [((), "-cd '/its own' model=mine"), (("/its own",), "model=mine")])
def test_commands_name_the_folders_of_the_second_side(sources: tuple[str, ...], command: str) -> None:
    sides = (Side("a", "a", Snapshot({}, sources=sources)), Side("b", "b", Snapshot({})))
    diff = OverrideDiff(("model=mine",), ("model=mine", "seed=1"), ("x",), ("x", "y"), ("/its own",))
    lines = dict(make_closing_lines(replace(compare(sides), overrides=(diff,))))
    assert lines == {
        "A becomes B with": command,
        "no override sets these keys, which A needs to equal B": "x, y",
        "B is": "mlrunner -cd '/its own' model=mine seed=1",
        "no override sets these keys of B": "x",
    }

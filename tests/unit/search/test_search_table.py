"""The parts of the table of a search."""

import io

from rich.console import Console

from mlrunner.search.search_table import NAME_WIDTH, RunningRow, format_params, render_running


def test_parameters_have_the_last_part_of_their_keys() -> None:
    assert format_params({"model.max_depth": 7, "rf:split.ratio": 0.123456, "cleaning": "full"}) == (
        "max_depth=7, ratio=0.123, cleaning=full"
    )
    assert len(format_params({f"key{number}": number for number in range(50)})) == NAME_WIDTH


def test_running_trials_show_what_is_known_of_them() -> None:
    out = Console(file=io.StringIO(), width=80)
    out.print(render_running([RunningRow(3, "x=1", None, None), RunningRow(4, "x=[2]", 61.4, (50, 0.62514))]))
    lines = [" ".join(line.split()) for line in out.file.getvalue().splitlines()]  # type: ignore[attr-defined]
    assert lines == ["running 3 x=1", "running 4 x=[2] 61 s at 50: 0.6251"]

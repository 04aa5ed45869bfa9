"""`mlrunner explain`; its output is in `tests/apps/test_explain.py`."""

from __future__ import annotations

import pytest

from mlrunner.cli.commands.explain import main
from mlrunner.core.errors import ConfigError


@pytest.mark.parametrize("words", [[], ["latest", "rows.csv", "more.csv"]])
def test_a_run_and_at_most_one_file_are_named(words: list[str]) -> None:
    with pytest.raises(ConfigError, match=r"^mlrunner explain needs a run and takes a file of rows"):
        main(words)


def test_the_number_of_columns_is_whole() -> None:
    with pytest.raises(ConfigError, match="'x' is not a number of columns; write 0 or more"):
        main(["latest", "--top", "x"])

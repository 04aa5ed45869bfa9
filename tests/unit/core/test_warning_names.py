"""The names of warnings."""

from __future__ import annotations

import re

from mlrunner.core.warning_names import DATA_WARNINGS, READING_WARNINGS, SCORE_WARNINGS, WARNINGS


def test_names_can_be_typed_without_quotes() -> None:
    assert all(re.fullmatch("[a-z_]+", name) for name in WARNINGS)
    assert len(WARNINGS) == len(READING_WARNINGS) + len(DATA_WARNINGS) + len(SCORE_WARNINGS)

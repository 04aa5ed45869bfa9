"""The kinds of columns; tests/unit/core/test_column_dtypes.py has the kind of each dtype and value."""

import pandas as pd

from mlrunner.core.column_kinds import Kind, infer_kinds


def test_only_numbers_and_truth_values_can_be_computed_with():
    assert [kind for kind in Kind if kind.is_numeric] == ["number", "boolean"]


def test_a_column_of_objects_has_the_kind_of_its_values():
    table = pd.DataFrame({"a": [True, None], "b": [[1], None], "c": [1, "x"], 4: [2, 3]}, dtype=object)
    assert infer_kinds(table) == {"a": "boolean", "b": "unsupported", "c": "text", "4": "number"}


def test_each_kind_has_a_word_for_messages():
    assert len({kind.plural for kind in Kind}) == len(Kind)

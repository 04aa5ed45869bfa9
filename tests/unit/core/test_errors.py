"""Our errors, and the parts of their messages."""

from __future__ import annotations

import pytest

from mlrunner.core.errors import (
    ConfigError,
    DataError,
    MlrunnerError,
    ModelError,
    ProblemsError,
    StoreError,
    brief,
    first_line,
    nearest,
)


@pytest.mark.parametrize(("kind", "code"), [(ConfigError, 2), (DataError, 2), (StoreError, 2), (ModelError, 1)])
def test_every_error_has_one_root_and_an_exit_code(kind: type[MlrunnerError], code: int) -> None:
    with pytest.raises(MlrunnerError, match=r"^the sentence$") as raised:
        raise kind("the sentence")
    assert raised.value.exit_code == code


def test_several_problems_are_one_error_that_keeps_them_apart() -> None:
    error = ProblemsError(["first.", "second."])
    assert (str(error), error.problems, error.exit_code) == ("first.\nsecond.", ["first.", "second."], 2)


@pytest.mark.parametrize(
    ("word", "possible", "hint"),
    [
        ("xgbost", ["ridge", "xgboost"], " Did you mean 'xgboost'?"),
        ("alpa", ["alpha", "alphas"], " Did you mean 'alpha'?"),
        ("xgboost", ["xgboost"], " Did you mean 'xgboost'?"),
        ("zzz", ["ridge", "xgboost"], ""),
        ("ridge", [], ""),
        ("11", [1, 111], " Did you mean '111'?"),
        (12, ["122"], " Did you mean '122'?"),
        ("logistic", ["linear_regression", "logistic_regression"], " Did you mean 'logistic_regression'?"),
        ("lo", ["logistic_regression"], ""),
    ],
    ids=["typo", "best-first", "itself", "unlike", "nothing-possible", "numbers-possible", "number", "start", "short"],
)
def test_nearest(word: str, possible: list[str], hint: str) -> None:
    assert nearest(word, possible) == hint


@pytest.mark.parametrize(
    ("names", "limit", "text"),
    [
        ([], 8, ""),
        (["a"], 8, "a"),
        (["a", "b"], 2, "a, b"),
        (["a", "b", "c"], 2, "a, b and 1 more"),
        ([1, 2.5, None], 3, "1, 2.5, None"),
        (range(20), 3, "0, 1, 2 and 17 more"),
    ],
    ids=["none", "one", "at-limit", "above-limit", "any-value", "lazy"],
)
def test_brief(names: list[object], limit: int, text: str) -> None:
    assert brief(names, limit) == text


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError("broken.\nmore"), "broken"),
        (ValueError(" "), "ValueError"),
        (OSError("no such file; "), "no such file"),
    ],
)
def test_the_first_line_of_an_error_is_without_its_stop(error: Exception, text: str) -> None:
    assert first_line(error) == text

"""Codes that lost their leading zeros."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from mlrunner.groups.dataset.leading_zeros import PIECE_BYTES, PIECES, find_leading_zeros, warn_of_leading_zeros
from tests.support.datasets import file_dataset


def find(text: str, **options: str) -> dict[str, str]:
    path = pd.io.common.StringIO(text)
    return find_leading_zeros(text.encode(), pd.read_csv(path, **options), options)  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("zip,x\n01009,1\n10115,2\n", {"zip": "01009"}),
        ("x,zip\n1,10115\n2,01009\n", {"zip": "01009"}),
        ("zip,x\n1,1\n01,2\n", {"zip": "01"}),
        ('zip,x\n"007",1\n"8",2\n', {"zip": "007"}),
        ("zip,x\n,1\n007,2\n", {}),  # pandas has read numbers with a gap as floats; `load` reads them again
        ("month,x\n01,1\n12,2\n", {}),
        ("x,y\n0,0.5\n0,05.5\n", {}),
        ("zip,x\n0a7,1\n10,2\n", {}),
        ("x,note\n1,a 007\n2,b\n", {}),
    ],
)
def test_whole_numbers_with_leading_zeros_are_found(text: str, found: dict[str, str]) -> None:
    assert find(text) == found


def test_the_layout_of_the_file_is_heeded() -> None:
    assert find("x;zip\n1;007\n", sep=";") == {"zip": "007"}


def test_a_large_file_is_sampled_from_its_start_to_its_end() -> None:
    note, rows = "a" * 100, PIECES * PIECE_BYTES // 100
    data = ("zip,note\n" + f"5555,{note}\n" * rows + f"0555,{note}\n" * rows).encode()
    table = pd.DataFrame({"zip": [5555], "note": [note]})
    assert find_leading_zeros(data, table, {}) == {"zip": "0555"}
    quoted = data.replace(b"zip", b'"zip"')  # quotes may hold line ends, so only the start is read
    assert find_leading_zeros(quoted, table, {}) == {}


def test_the_warning_names_the_columns_and_what_to_set(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("zip,plain,y\n01009,1,1\n,2,2\n")
    (tmp_path / "b.csv").write_text("zip,plain,y\n3,1,1\n4,2,2\n")
    table, notices = file_dataset(tmp_path / "*.csv").load_with_notices()
    assert table["zip"].tolist() == [1009, pd.NA, 3, 4]
    assert notices == (
        (
            "leading_zeros",
            "zip ('01009' as 1009): read as numbers, without their leading zeros; if they are codes, set "
            "'dataset.dtypes={zip: str}'.",
        ),
    )
    table, notices = file_dataset(tmp_path / "*.csv", dtypes={"zip": "str"}).load_with_notices()
    assert (table["zip"].tolist()[0], notices) == ("01009", ())


def test_many_columns_are_counted() -> None:
    codes = dict.fromkeys("abcde", "01")
    assert warn_of_leading_zeros(codes, ["e"])[0].text.startswith(
        "a ('01' as 1), b ('01' as 1), c ('01' as 1) and 1 more:"
    )

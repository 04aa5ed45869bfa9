"""Find the columns of CSV whose codes, such as 01009, were read as whole numbers without their leading zeros."""

from __future__ import annotations

import io
import re
from collections.abc import Collection, Mapping
from typing import Any

import pandas as pd
from pandas.api.types import is_bool_dtype, is_integer_dtype

from mlrunner.core.warning_names import Notice

ATTRIBUTE = "leading_zeros"  # of `DataFrame.attrs`: an example by column
PIECES, PIECE_BYTES = 4, 1 << 18  # of a file, evenly spaced; together 1 MB
LEFT_OUT = ("parse_dates", "usecols", "index_col", "dtype", "converters", "thousands")  # options that concern values


def find_leading_zeros(data: bytes, table: pd.DataFrame, options: Mapping[str, Any]) -> dict[str, str]:
    """Find whole numbers that are written with leading zeros.

    Parts of a date, which all have two digits, are left out.

    Args:
        data: Decompressed bytes of a CSV file.
        table: The table as read from them.
        options: Arguments of `pandas.read_csv` that it was read with.

    Returns:
        A text of the file by column, from a sample of its rows.
    """
    names = [name for name, dtype in table.dtypes.items() if is_integer_dtype(dtype) and not is_bool_dtype(dtype)]
    separator = str(options.get("sep", ","))
    if not names or len(separator) > 1 or "encoding" in options:
        return {}
    sample = _sample(data)
    before = [mark + quote for mark in (b"\n", re.escape(separator.encode())) for quote in (b"", b'"', b" ")]
    if not any(re.search(mark + rb"0\d", sample) for mark in before):  # one by one they are ten times as fast
        return {}
    others = {name: value for name, value in options.items() if name not in LEFT_OUT}
    arguments: dict[str, Any] = {**others, "usecols": names, "index_col": False, "dtype": str, "on_bad_lines": "skip"}
    texts: pd.DataFrame = pd.read_csv(io.BytesIO(sample), **arguments)
    codes = {str(name): _find_code(texts[name].dropna().str.strip()) for name in names}
    return {name: code for name, code in codes.items() if code is not None}


def _sample(data: bytes) -> bytes:
    """Cut whole lines out of a file; only its start where quotes may hold line ends."""
    start = data[: PIECES * PIECE_BYTES]
    if len(data) <= len(start):
        return data
    if b'"' in start:
        return start[: start.rfind(b"\n") + 1]
    step = len(data) // PIECES
    pieces = [data[place * step : place * step + PIECE_BYTES] for place in range(PIECES)]
    whole = [piece[piece.find(b"\n") + 1 : piece.rfind(b"\n") + 1] for piece in pieces[1:]]
    return b"".join([pieces[0][: pieces[0].rfind(b"\n") + 1], *(piece for piece in whole if b'"' not in piece)])


def _find_code(texts: pd.Series[Any]) -> str | None:
    codes = texts[texts.str.fullmatch(r"0\d+")]
    is_part_of_date = len(codes) > 0 and bool((texts.str.len() == 2).all())
    return None if codes.empty or is_part_of_date else str(codes.iloc[0])


def warn_of_leading_zeros(codes: Mapping[str, str], declared: Collection[str]) -> list[Notice]:
    """Return one notice for the columns of `find_leading_zeros` whose dtype is not declared."""
    undeclared = {name: code for name, code in codes.items() if name not in declared}
    if not undeclared:
        return []
    examples = ", ".join(f"{name} ('{code}' as {int(code)})" for name, code in list(undeclared.items())[:3])
    more = f" and {len(undeclared) - 3} more" if len(undeclared) > 3 else ""
    settings = ", ".join(f"{name}: str" for name in undeclared)
    advice = f"if they are codes, set 'dataset.dtypes={{{settings}}}'"
    text = f"{examples}{more}: read as numbers, without their leading zeros; {advice}."
    return [Notice("leading_zeros", text)]

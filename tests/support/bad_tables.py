"""Files that hold no usable table, and one that does."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

HEADER = "a,b,y\n"
ROWS = "".join(f"{n % 7},{n % 5},{n % 7 * 2 + n % 3}.5\n" for n in range(60))
GOOD = HEADER + ROWS


def few(rows: int, line: str) -> str:
    """Repeat a line; N becomes the number of the row."""
    return HEADER + "".join(line.replace("N", str(n)) + "\n" for n in range(rows))


TABLES: dict[str, bytes] = {
    "good.csv": GOOD.encode(),
    "empty.csv": b"",
    "blank.csv": b"\n\n\n",
    "header.csv": HEADER.encode(),
    "image.csv": b"\x89PNG\r\n\x1a\n\0\0\0",
    "ragged.csv": b"a,b,y\n1,2,3\n1,2,3,4,5\n",
    "semicolon.csv": GOOD.replace(",", ";").encode(),
    "tab.csv": GOOD.replace(",", "\t").encode(),
    "duplicate.csv": GOOD.replace("a,b,y", "a,a,y").encode(),
    "latin.csv": (GOOD + "é,1,1\n").encode("latin-1"),
    "utf16.csv": GOOD.encode("utf-16"),
    "missing.csv": few(20, "N,N,").encode(),
    "one_class.csv": few(20, "N,N,yes").encode(),
    "infinite.csv": few(20, "N,N,N.5").replace("\n3,", "\ninf,").encode(),
    "infinite_target.csv": few(20, "N,N,N.5").replace(",3.5", ",-inf").encode(),
    "four_rows.csv": few(4, "N,N,N.5").encode(),
    "words.csv": few(40, "N,N,yes").replace(",yes\n1", ",no\n1").encode(),
    "rare.csv": few(40, "N,N,no").replace("0,0,no", "0,0,yes", 1).encode(),
    "text_only.csv": few(40, "wordN,word,N.5").encode(),
    "zero.parquet": b"",
    "text.parquet": GOOD.encode(),
}


def write(folder: Path) -> Path:
    """Write all files to a folder, and return it."""
    for name, content in TABLES.items():
        (folder / name).write_bytes(content)
    pd.DataFrame({"a": [1, 2], "y": [1.5, 2.5]}).to_parquet(folder / "parquet.csv")
    return folder

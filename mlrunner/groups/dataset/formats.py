"""Formats, compressions and names of data files, on disk or at any fsspec URL."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Literal

from mlrunner.core.errors import DataError

Format = Literal["csv", "parquet"]


SUFFIXES: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".tab": "csv",
    ".txt": "csv",
    ".data": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
}


ARROW_CODECS = {".zst": "zstd", ".lz4": "lz4"}  # fsspec needs another package for these
COMPRESSION_SUFFIXES = (".gz", ".bz2", ".xz", ".zip", *ARROW_CODECS)


def redact_path(path: str) -> str:
    """Return a path for messages and logs, without the secrets that a URL can hold."""
    return re.sub(r"//[^/@]*@", "//***@", path.partition("?")[0] if "://" in path else path)


def csv_options(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of `pandas.read_csv` for a file: a .tsv or .tab file is separated by tabs by default."""
    return ({"sep": "\t"} if re.search(r"\.(tsv|tab)\b", name) else {}) | dict(options)


def detect_format(name: str) -> Format:
    """Return the format of a file by its suffix.

    Args:
        name: Name of the file; suffixes of compression are ignored.

    Raises:
        DataError: When the suffix is unknown.
    """
    path = Path(name.partition("?")[0].lower())
    suffixes = [suffix for suffix in path.suffixes if suffix not in COMPRESSION_SUFFIXES]
    if not suffixes or suffixes[-1] not in SUFFIXES:
        raise DataError(
            f"dataset.path names '{redact_path(name)}', whose suffix is not that of a known format; set dataset.format "
            "to csv or parquet."
        )
    return SUFFIXES[suffixes[-1]]


def is_csv(path: str, format_: Format | None) -> bool:
    """Check whether a path names CSV files; an unknown suffix is reported when the files are read."""
    try:
        return (format_ or detect_format(path)) == "csv"
    except DataError:
        return False


@contextlib.contextmanager
def open_decompressed(system: Any, name: str) -> Iterator[IO[bytes]]:
    """Open a file and decompress it while it is read.

    Args:
        system: File system of fsspec.
        name: Name of the file; its suffix determines the compression.
    """
    codec = ARROW_CODECS.get(Path(name).suffix)
    if codec is None:
        with system.open(name, "rb", compression="infer") as file:
            yield file
        return
    import pyarrow

    with system.open(name, "rb") as raw, pyarrow.CompressedInputStream(raw, codec) as stream:
        yield io.BufferedReader(stream)

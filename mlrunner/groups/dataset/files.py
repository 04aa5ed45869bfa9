"""Find and unpack the files that conf/dataset names, on disk or behind any fsspec URL.

Every failure that a person can cause leaves here as one `DataError` that names the key to change.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from mlrunner.core.errors import DataError, MlrunnerError, brief, nearest
from mlrunner.groups.dataset import parsing

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
ARROW_UNPACKS = {".zst": "zstd", ".lz4": "lz4"}  # fsspec would need another package for these
PACKED = (".gz", ".bz2", ".xz", ".zip", *ARROW_UNPACKS)


@dataclass(frozen=True)
class Source:
    """Say which files to read and how.

    Args:
        path: A file or a glob, on disk or as an fsspec URL.
        format: What the files hold; None: their suffix says it.
        options: Arguments for the pandas reader.
        as_text: Columns that stay text even where they look like numbers ("01009").
        target: The column whose absence makes a header of one field suspicious.
        rows: How many rows to read of each file; None: all.
    """

    path: str
    format: Format | None
    options: dict[str, Any]
    as_text: tuple[str, ...] = ()
    target: str | None = None
    rows: int | None = None


def read_files(source: Source) -> pd.DataFrame:
    """Read the files of a source into one table, in the order of their names.

    Args:
        source: What to read.

    Returns:
        All columns as read, under a fresh index.

    Raises:
        DataError: A file is missing, unreadable or not what it should be; the sentence says which and why.
    """
    with explained(source.path):
        system, names = _find(source.path)
    tables = [_read(source, system, name) for name in names]
    for name, table in zip(names[1:], tables[1:], strict=True):
        _check_same_columns(names[0], tables[0], name, table)
    return pd.concat(tables, ignore_index=True) if len(tables) > 1 else tables[0]


def digest_files(path: str) -> str:
    """Digest the bytes of all files that a path names; names, sizes and dates play no part.

    Raises:
        DataError: A file is missing or unreadable.
    """
    whole = hashlib.sha256()
    with explained(path):
        system, names = _find(path)
    for name in names:
        with explained(name), system.open(name, "rb") as file:
            whole.update(hashlib.file_digest(file, "sha256").digest())
    return whole.hexdigest()


def shown(path: str) -> str:
    """Write a path for a message or a log, without the secrets that a URL can hold."""
    return re.sub(r"//[^/@]*@", "//***@", path.partition("?")[0] if "://" in path else path)


@contextlib.contextmanager
def explained(path: str) -> Iterator[None]:
    """Turn whatever a file system or a parser raises into one sentence about the file.

    Each fsspec backend raises exceptions of its own libraries, hence the wide net.
    """
    try:
        yield
    except MlrunnerError:
        raise
    except Exception as error:
        raise DataError(_reason(path, error)) from error


def _reason(path: str, error: Exception) -> str:
    subject = f"dataset.path names '{shown(path)}', which"
    match error:
        case FileNotFoundError():
            return f"{subject} does not exist or cannot be reached; name a file, a glob or a URL.{_neighbour(path)}"
        case PermissionError():
            return f"{subject} you have no permission to read; change that (chmod +r) or name another file."
        case IsADirectoryError():
            return f"{subject} is a folder; name the files in it, for example {shown(path).rstrip('/')}/*.csv."
        case ImportError():
            return f"{subject} needs a package that is not installed ({_first_line(error)}); install it."
        case _:
            return parsing.mistake(subject, error) or f"{subject} cannot be read ({_first_line(error)}); mend the file."


def _first_line(error: Exception) -> str:
    return parsing.first_line(str(error)) or type(error).__name__


def _neighbour(path: str) -> str:
    here = Path(path).expanduser()
    with contextlib.suppress(OSError):
        return nearest(here.name, (file.name for file in here.parent.iterdir()))
    return ""


def _find(path: str) -> tuple[Any, list[str]]:
    from fsspec.core import has_magic, url_to_fs

    system, name = url_to_fs(path)
    pattern = name.partition("?")[0] if "://" in path else name  # behind a URL, ? begins its arguments
    if not has_magic(pattern) or system.exists(name):
        return system, [name]
    names = sorted(found for found, info in system.glob(name, detail=True).items() if info["type"] == "file")
    if not names:
        raise DataError(f"dataset.path is '{shown(path)}', which matches no file; change the pattern.")
    return system, names


def _read(source: Source, system: Any, name: str) -> pd.DataFrame:
    with explained(name):
        kind = source.format or _format(name)
        data = _unpacked(system, name)
        subject = f"dataset.path names '{shown(name)}', which"
        if not data:
            raise DataError(f"{subject} is empty (0 bytes); name a file that has a header and rows.")
        if kind == "parquet":
            return parsing.read_parquet(subject, data, source.options)
        options = {"sep": "\t"} | source.options if ".tsv" in name or ".tab" in name else source.options
        return parsing.read_csv(subject, data, parsing.CsvReading(options, source.as_text, source.target, source.rows))


def _format(name: str) -> Format:
    suffixes = [suffix for suffix in Path(name.partition("?")[0].lower()).suffixes if suffix not in PACKED]
    if not suffixes or suffixes[-1] not in SUFFIXES:
        told = f"dataset.path names '{shown(name)}', whose suffix tells no format"
        raise DataError(f"{told}; set dataset.format to csv or parquet.")
    return SUFFIXES[suffixes[-1]]


def _unpacked(system: Any, name: str) -> bytes:
    packing = ARROW_UNPACKS.get(Path(name).suffix)
    if packing is None:
        with system.open(name, "rb", compression="infer") as file:
            return bytes(file.read())
    import pyarrow

    with system.open(name, "rb") as raw, pyarrow.CompressedInputStream(raw, packing) as stream:
        return bytes(stream.read())


def _check_same_columns(first: str, one: pd.DataFrame, name: str, other: pd.DataFrame) -> None:
    """Refuse to stack files whose columns differ, which pandas would fill with gaps."""
    missing, added = one.columns.difference(other.columns), other.columns.difference(one.columns)
    if len(missing) or len(added):
        told = [f"{word} {brief(names)}" for word, names in (("lacks", missing), ("adds", added)) if len(names)]
        raise DataError(
            f"dataset.path matches files of different columns: '{shown(name)}' {' and '.join(told)}, compared with "
            f"'{shown(first)}'; narrow the pattern."
        )

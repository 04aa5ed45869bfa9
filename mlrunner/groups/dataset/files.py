"""Find, decompress and read files on disk or at any fsspec URL.

Every error that the user can cause becomes one `DataError` that names the key to change.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from mlrunner.core.errors import DataError, MlrunnerError, brief, first_line, nearest
from mlrunner.groups.dataset import leading_zeros, parsing
from mlrunner.groups.dataset.formats import Format, csv_options, detect_format, open_decompressed, redact_path
from mlrunner.groups.dataset.option_errors import read_with_options
from mlrunner.groups.dataset.whole_numbers import align_empty_columns


@dataclass(frozen=True)
class Source:
    """Files to read, and how.

    Args:
        path: File or glob, on disk or as an fsspec URL.
        format: Format of the files; None: detected from the suffix.
        options: Arguments for the pandas reader.
        as_text: Columns that stay text even if they look like numbers ("01009").
        target: Column to predict; a header of one other field indicates a wrong separator.
        rows: Number of rows to read of each file; None: all.
    """

    path: str
    format: Format | None
    options: dict[str, Any]
    as_text: tuple[str, ...] = ()
    target: str | None = None
    rows: int | None = None


def read_files(source: Source) -> pd.DataFrame:
    """Read the files of a source into one table, in the order of their names.

    Returns:
        All columns as read, with the index 0, 1, 2, ...

    Raises:
        ConfigError: When an option does not exist.
        DataError: When a file is missing, unreadable or of another format.
    """
    with file_errors(source.path):
        system, names = list_files(source.path)
    tables = [_read_file(source, system, name) for name in names]
    for name, table in zip(names[1:], tables[1:], strict=True):
        require_same_columns(names[0], tables[0], name, table)
    codes = {name: code for table in tables for name, code in table.attrs.pop(leading_zeros.ATTRIBUTE, {}).items()}
    table = pd.concat(align_empty_columns(tables), ignore_index=True) if len(tables) > 1 else tables[0]
    table.attrs[leading_zeros.ATTRIBUTE] = codes
    return table


def digest_files(path: str) -> str:
    """Return a digest of the bytes of all files that a path matches, whatever their names and dates.

    Args:
        path: File or glob, on disk or as an fsspec URL.

    Raises:
        DataError: When a file is missing or unreadable.
    """
    total = hashlib.sha256()
    with file_errors(path):
        system, names = list_files(path)
    for name in names:
        with file_errors(name), system.open(name, "rb") as file:
            total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()


@contextlib.contextmanager
def file_errors(path: str) -> Iterator[None]:
    """Turn any error of a file system or a parser within the block into one sentence about the file.

    Raises:
        DataError: When the block fails; fsspec's backends raise errors of their own libraries, so all are caught.
    """
    try:
        yield
    except MlrunnerError:
        raise
    except Exception as error:
        raise DataError(_explain(path, error)) from error


def _explain(path: str, error: Exception) -> str:
    subject = f"dataset.path names '{redact_path(path)}', which"
    match error:
        case FileNotFoundError():
            return f"{subject} does not exist or cannot be reached; name a file, a glob or a URL.{_suggest_file(path)}"
        case PermissionError():
            return f"{subject} you have no permission to read; change that (chmod +r) or name another file."
        case IsADirectoryError():
            return f"{subject} is a folder; name the files in it, for example {redact_path(path).rstrip('/')}/*.csv."
        case ImportError():
            return f"{subject} needs a package that is not installed ({first_line(error)}); install it."
        case _:
            return parsing.explain_parser_error(subject, error) or (
                f"{subject} cannot be read ({first_line(error)}); correct the file."
            )


def _suggest_file(path: str) -> str:
    missing = Path(path).expanduser()
    with contextlib.suppress(OSError):
        return nearest(missing.name, (file.name for file in missing.parent.iterdir()))
    return ""


def list_files(path: str) -> tuple[Any, list[str]]:
    """Find the files that a path matches.

    Args:
        path: File or glob, on disk or as an fsspec URL.

    Returns:
        The fsspec file system, and the sorted names in it; a path that is not a glob is not checked.

    Raises:
        DataError: When a glob matches no file.
    """
    from fsspec.core import has_magic, url_to_fs

    system, name = url_to_fs(path)
    pattern = name.partition("?")[0] if "://" in path else name  # in a URL, ? starts the query
    if not has_magic(pattern) or system.exists(name):
        return system, [name]
    names = sorted(match for match, info in system.glob(name, detail=True).items() if info["type"] == "file")
    if not names:
        raise DataError(f"dataset.path is '{redact_path(path)}', which matches no file; change the pattern.")
    return system, names


def _read_file(source: Source, system: Any, name: str) -> pd.DataFrame:
    with file_errors(name):
        kind = source.format or detect_format(name)
        data = _decompress(system, name)
        subject = f"dataset.path names '{redact_path(name)}', which"
        if not data:
            raise DataError(f"{subject} is empty (0 bytes); name a file that has a header and rows.")
        if kind == "parquet":
            return read_with_options(partial(parsing.read_parquet, subject, data), source.options)
        how = parsing.CsvReading(csv_options(name, source.options), source.as_text, source.target, source.rows)
        return read_with_options(
            lambda options: parsing.read_csv(subject, data, replace(how, options=options)), how.options
        )


def _decompress(system: Any, name: str) -> bytes:
    with open_decompressed(system, name) as stream:
        return bytes(stream.read())


def require_same_columns(first_name: str, first: pd.DataFrame, name: str, table: pd.DataFrame) -> None:
    """Refuse to concatenate files whose columns differ, which pandas would fill with missing values.

    Raises:
        DataError: When the columns differ.
    """
    missing, added = first.columns.difference(table.columns), table.columns.difference(first.columns)
    if len(missing) or len(added):
        changes = [f"{word} {brief(names)}" for word, names in (("lacks", missing), ("adds", added)) if len(names)]
        raise DataError(
            f"dataset.path matches files of different columns: '{redact_path(name)}' {' and '.join(changes)}, compared "
            f"with '{redact_path(first_name)}'; narrow the pattern."
        )

"""Write a table to a file that appears only when it is complete."""

from __future__ import annotations

import csv
import glob
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import psutil
import pyarrow as pa

from mlrunner.core.errors import ConfigError, DataError

PARQUET_SUFFIXES, CSV_SUFFIXES = (".parquet", ".pq"), (".csv",)


class Writer(Protocol):
    """Writes tables of one schema."""

    def write(self, table: pa.Table) -> None:
        """Write rows."""

    def close(self) -> None:
        """Write buffered rows and close the file."""


class CsvWriter:
    """Writes CSV as Python formats values: numbers in the fewest digits that identify them, None as nothing."""

    def __init__(self, path: Path, names: Sequence[str]) -> None:
        self._file = path.open("w", encoding="utf-8", newline="")
        self._rows = csv.writer(self._file, lineterminator="\n")
        self._rows.writerow(names)

    def write(self, table: pa.Table) -> None:
        """See `Writer.write`."""
        self._rows.writerows(zip(*(column.to_pylist() for column in table.columns), strict=True))

    def close(self) -> None:
        """See `Writer.close`."""
        self._file.close()


class TableFile:
    """A table that is written to a hidden file in the same folder, and renamed when it is complete.

    Args:
        path: Path of the complete file; its suffix selects Parquet or CSV.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._partial = path.with_name(f".{path.name}.{os.getpid()}")
        self._writer: Writer | None = None
        self._schema: pa.Schema | None = None

    @property
    def is_open(self) -> bool:
        """Whether rows were written."""
        return self._writer is not None

    def write(self, table: pa.Table) -> None:
        """Write rows; the first table determines the types of the columns.

        Raises:
            DataError: If a column has another type now that cannot be cast to the first.
        """
        if self._writer is None or self._schema is None:
            self._schema, self._writer = table.schema, self._create_writer(table.schema)
        try:
            self._writer.write(table.cast(self._schema))
        except pa.ArrowInvalid as error:
            raise DataError(_explain_type_change(table, self._schema)) from error

    def publish(self) -> None:
        """Rename the complete file; an existing file is replaced."""
        if self._writer is None:
            return
        self._writer.close()
        descriptor = os.open(self._partial, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        self._partial.replace(self.path)
        self._writer = None

    def discard(self) -> None:
        """Remove a file that is not published."""
        if self._writer is not None:
            self._writer.close()
            self._partial.unlink(missing_ok=True)

    def _create_writer(self, schema: pa.Schema) -> Writer:
        self._remove_leftovers()
        if self.path.suffix in CSV_SUFFIXES:
            return CsvWriter(self._partial, schema.names)
        from pyarrow.parquet import ParquetWriter

        writer: Writer = ParquetWriter(self._partial, schema)
        return writer

    def _remove_leftovers(self) -> None:
        """Remove hidden files of processes that were killed while they wrote the same output."""
        prefix = f".{self.path.name}."
        for file in self.path.parent.glob(f"{glob.escape(prefix)}*"):
            pid = file.name.removeprefix(prefix)
            if pid.isdecimal() and not psutil.pid_exists(int(pid)):
                file.unlink(missing_ok=True)


def _explain_type_change(table: pa.Table, schema: pa.Schema) -> str:
    pairs = zip(schema, table.schema, strict=True)
    name, before, now = next((first.name, first.type, other.type) for first, other in pairs if first.type != other.type)
    return (
        f"Column '{name}' holds {now} where it held {before} further up; give it one type, such as "
        f"dataset.dtypes.{name}=str."
    )


def refuse_unwritable(out: Path, rejected: Path, force: bool) -> None:
    """Raise an error if an output cannot be written or exists.

    Args:
        out: File of the predictions.
        rejected: File of the rejected rows.
        force: Whether to overwrite existing files.

    Raises:
        ConfigError: With what to change.
    """
    if out.suffix not in (*PARQUET_SUFFIXES, *CSV_SUFFIXES):
        suffixes = f"{PARQUET_SUFFIXES[0]} or {CSV_SUFFIXES[0]}"
        raise ConfigError(f"--out {out}: its suffix selects no format; end it with {suffixes}.")
    if not out.parent.is_dir():
        raise ConfigError(f"--out {out}: there is no folder {out.parent}; make it or name another file.")
    if not os.access(out.parent, os.W_OK):
        raise ConfigError(f"--out {out}: you may not write into {out.parent}; name another file.")
    for file in (out, rejected):
        if file.is_dir():
            raise ConfigError(f"{file} is a folder; name another file with --out.")
        if file.exists() and not force:
            raise ConfigError(f"{file} exists; overwrite it with --force, or name another file with --out.")

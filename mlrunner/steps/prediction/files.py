"""A table file that appears whole at its end, or not at all."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from mlrunner.core.errors import ConfigError, DataError

PARQUET, CSV = (".parquet", ".pq"), (".csv",)


class Writer(Protocol):
    """Writes tables of one schema."""

    def write(self, table: pa.Table) -> None:
        """Add rows."""

    def close(self) -> None:
        """Write what is left."""


class CsvWriter:
    """Writes rows as Python does: numbers in the fewest digits that mean them, gaps as nothing."""

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


class Target:
    """Collects rows beside a path, under a name that nobody reads.

    Args:
        path: Of what is to appear; Parquet or CSV by its suffix.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._partial = path.with_name(f".{path.name}.{os.getpid()}")
        self._writer: Writer | None = None
        self._schema: pa.Schema | None = None

    @property
    def is_open(self) -> bool:
        """Whether anything was written."""
        return self._writer is not None

    def write(self, table: pa.Table) -> None:
        """Add rows; the first of them say of which types the columns are.

        Raises:
            DataError: When a column is of another type by now, and does not fit into the first.
        """
        if self._writer is None or self._schema is None:
            self._schema, self._writer = table.schema, self._opened(table.schema)
        try:
            self._writer.write(table.cast(self._schema))
        except pa.ArrowInvalid as error:
            raise DataError(_misfit(table, self._schema)) from error

    def publish(self) -> None:
        """Let the file appear, in place of one of its name."""
        if self._writer is None:
            return
        self._writer.close()
        number = os.open(self._partial, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
        self._partial.replace(self.path)
        self._writer = None

    def discard(self) -> None:
        """Remove what is not published."""
        if self._writer is not None:
            self._writer.close()
            self._partial.unlink(missing_ok=True)

    def _opened(self, schema: pa.Schema) -> Writer:
        if self.path.suffix in CSV:
            return CsvWriter(self._partial, schema.names)
        from pyarrow.parquet import ParquetWriter

        writer: Writer = ParquetWriter(self._partial, schema)
        return writer


def _misfit(table: pa.Table, schema: pa.Schema) -> str:
    pairs = zip(schema, table.schema, strict=True)
    name, before, now = next((one.name, one.type, other.type) for one, other in pairs if one.type != other.type)
    return (
        f"Column '{name}' holds {now} where it held {before} further up; give it one type, such as "
        f"dataset.dtypes.{name}=str."
    )


def refuse_unwritable(out: Path, aside: Path, force: bool) -> None:
    """Refuse an output that cannot be, or that is there already.

    Args:
        out: Of the predictions.
        aside: Of the rows that are put aside.
        force: Overwrite what is there.

    Raises:
        ConfigError: With what to change.
    """
    if out.suffix not in (*PARQUET, *CSV):
        raise ConfigError(f"--out {out}: its suffix tells no format; end it with {PARQUET[0]} or {CSV[0]}.")
    if not out.parent.is_dir():
        raise ConfigError(f"--out {out}: there is no folder {out.parent}; make it or name another file.")
    if not os.access(out.parent, os.W_OK):
        raise ConfigError(f"--out {out}: you may not write into {out.parent}; name another file.")
    for file in (out, aside):
        if file.is_dir():
            raise ConfigError(f"{file} is a folder; name another file with --out.")
        if file.exists() and not force:
            raise ConfigError(f"{file} is there already; overwrite it with --force, or name another file with --out.")

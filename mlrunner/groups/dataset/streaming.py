"""Read a data set of any size in chunks, for predictions; training reads whole tables."""

from __future__ import annotations

import io
import re
import sys
import warnings
from collections.abc import Collection, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from mlrunner.core.errors import ConfigError, DataError, ProblemsError
from mlrunner.groups.dataset import (
    Dataset,
    SqlDataset,
    TableDataset,
    csv_layout,
    database,
    files,
    formats,
    parsing,
)
from mlrunner.groups.dataset.dtypes import TEXT_TYPES, apply_dtypes
from mlrunner.groups.dataset.validation import UNSET_TARGET

Chunks = Generator[pd.DataFrame]
HEAD_BYTES = 1 << 20  # start of a file, which shows whether it is CSV
BUFFER_BYTES = 1 << 20  # buffer of a Parquet column
UNNAMED_INDEX = re.compile(r"__index_level_\d+__")  # column names of pandas' unnamed indexes in Parquet


@dataclass(frozen=True)
class InputFile:
    """File to read in chunks.

    Args:
        system: File system of fsspec.
        name: Name of the file in it.
        subject: Start of messages about the file.
    """

    system: Any
    name: str
    subject: str


def read_chunks(dataset: Dataset, rows: int, as_text: Collection[str] = ()) -> Generator[pd.DataFrame]:
    """Read a table in chunks, with one in memory at a time.

    Args:
        dataset: Data set; its target need neither be set nor be in the table.
        rows: Largest number of rows of a chunk.
        as_text: Columns of CSV that stay text, whatever the values of a chunk look like.

    Yields:
        Chunks in the order of the table; at least one, so that the columns are known.

    Raises:
        MlrunnerError: When a setting is missing, or needs the whole table.
        DataError: When the source cannot be read or is of another kind.
    """
    problems = [problem for problem in dataset.problems() if problem != UNSET_TARGET]
    if problems:
        raise ConfigError(problems[0]) if len(problems) == 1 else ProblemsError(problems)
    for chunk in _limit_rows(_read_source(dataset, rows, as_text), dataset.rows):
        chunk.columns = chunk.columns.map(str)
        yield apply_dtypes(chunk, {name: dtype for name, dtype in dataset.dtypes.items() if name in chunk})


def _read_source(dataset: Dataset, rows: int, as_text: Collection[str]) -> Chunks:
    if isinstance(dataset, TableDataset):
        return _read_files(dataset, rows, as_text)
    if isinstance(dataset, SqlDataset):
        return _read_query(dataset.url or "", dataset.query or "", rows)
    return _split_table(dataset.read_raw(), rows)


def _limit_rows(chunks: Chunks, rows: int | None) -> Chunks:
    """Stop after a number of rows, and close the source."""
    remaining = sys.maxsize if rows is None else rows
    with closing(chunks):
        for chunk in chunks:
            yield chunk if len(chunk) <= remaining else chunk.head(remaining).copy()
            remaining -= len(chunk)
            if remaining <= 0:
                return


def _split_table(table: pd.DataFrame, rows: int) -> Chunks:
    for start in range(0, max(len(table), 1), rows):
        yield table.iloc[start : start + rows].reset_index(drop=True)


def _read_files(dataset: TableDataset, rows: int, as_text: Collection[str]) -> Chunks:
    """Read the files of a path in order; their columns must be the same."""
    path, first = dataset.path or "", None
    with files.file_errors(path):
        system, names = files.list_files(path)
    for name in names:
        with files.file_errors(name):
            file = InputFile(system, name, f"dataset.path names '{formats.redact_path(name)}', which")
            is_parquet = (dataset.format or formats.detect_format(name)) == "parquet"
            chunks = _read_parquet(dataset, file, rows) if is_parquet else _read_csv(dataset, file, rows, as_text)
            for chunk in chunks:
                first = chunk.head(0) if first is None else first
                files.require_same_columns(names[0], first, name, chunk)
                yield chunk


def _read_csv(dataset: TableDataset, file: InputFile, rows: int, as_text: Collection[str]) -> Chunks:
    options = formats.csv_options(file.name, dataset.options)
    if options.get("engine") == "pyarrow":
        raise ConfigError("dataset.options.engine=pyarrow reads whole files only; leave it out to predict.")
    with formats.open_decompressed(file.system, file.name) as stream:
        head = stream.read(HEAD_BYTES)
    if not head:
        raise DataError(f"{file.subject} is empty (0 bytes); name a file that has a header and rows.")
    complete, _ = parsing.prepare_options(file.subject, head, parsing.CsvReading(options, target=dataset.target))
    texts = {name for name in as_text if name not in dataset.dtypes}
    texts |= {name for name, dtype in dataset.dtypes.items() if dtype in TEXT_TYPES}
    types = dict.fromkeys(texts, "str") | dict(complete.pop("dtype", {}))
    arguments = {**complete, "dtype": types, "chunksize": rows}
    with formats.open_decompressed(file.system, file.name) as stream, pd.read_csv(stream, **arguments) as reader:
        while (chunk := _next_chunk(reader)) is not None:
            yield csv_layout.drop_empty_columns(chunk.reset_index(drop=True), [])


def _next_chunk(reader: Iterator[pd.DataFrame]) -> pd.DataFrame | None:
    """Read the next chunk; rows that are longer than the header are an error and not a warning."""
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "Length of header", pd.errors.ParserWarning)
        return next(reader, None)


def _read_parquet(dataset: TableDataset, file: InputFile, rows: int) -> Chunks:
    from pyarrow.parquet import ParquetFile

    for name in dataset.options.keys() - {"columns"}:
        raise ConfigError(f"dataset.options.{name} needs the whole file; leave it out to predict.")
    with formats.open_decompressed(file.system, file.name) as decompressed:
        is_compressed = Path(file.name).suffix in formats.COMPRESSION_SUFFIXES
        stream = io.BytesIO(decompressed.read()) if is_compressed else decompressed  # Parquet needs random access
        signature = stream.read(4)
        if signature != b"PAR1":
            parsing.read_parquet(file.subject, signature + stream.read(HEAD_BYTES), {})  # raises the reason
        source = ParquetFile(stream, pre_buffer=False, buffer_size=BUFFER_BYTES)
        csv_layout.refuse_duplicates(file.subject, source.schema_arrow.names, "rename them in the file")
        batches = source.iter_batches(rows, columns=dataset.options.get("columns"))
        for table in _merge_batches(batches, rows, source.schema_arrow):
            chunk = table.to_pandas(types_mapper=pd.ArrowDtype, ignore_metadata=True)
            yield chunk[[column for column in chunk if not UNNAMED_INDEX.fullmatch(str(column))]]


def _merge_batches(batches: Iterable[Any], rows: int, schema: Any) -> Iterator[Any]:
    """Merge small batches into tables of `rows` rows: a batch ends at each row group, however small."""
    import pyarrow as pa

    buffer: list[Any] = []
    is_empty = True
    for batch in batches:
        buffer.append(batch)
        while sum(map(len, buffer)) >= rows:
            table, is_empty = pa.Table.from_batches(buffer), False
            yield table.slice(0, rows)
            buffer = table.slice(rows).to_batches()
    if buffer or is_empty:
        yield pa.Table.from_batches(buffer) if buffer else schema.empty_table()


def _read_query(url: str, query: str, rows: int) -> Chunks:
    """Fetch the rows of a query in chunks, on the server's side where the driver supports it."""
    with database.open_connection(url) as connection:
        streaming = connection.execution_options(stream_results=True, max_row_buffer=rows)
        result, names = database.run_query(streaming, query)
        records = result.fetchmany(rows)
        while True:  # dtype object, so that a missing value does not turn integers into floats
            yield pd.DataFrame([tuple(row) for row in records], columns=names, dtype=object)
            records = result.fetchmany(rows)
            if not records:
                return

"""Read a data set piece by piece, however large it is; serves the config group `dataset` where nothing is trained."""

from __future__ import annotations

import io
import re
import sys
import warnings
from collections.abc import Collection, Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pandas as pd

from mlrunner.core.errors import ConfigError, DataError, ProblemsError
from mlrunner.groups.dataset import UNSET_TARGET, Dataset, SqlDataset, TableDataset, database, files, parsing
from mlrunner.groups.dataset.dtypes import TEXT_TYPES, typed

Pieces = Generator[pd.DataFrame]
HEAD = 1 << 20  # bytes that tell whether a file is CSV
BUFFER = 1 << 20  # bytes of a Parquet column that are read at once
UNNAMED_INDEX = re.compile(r"__index_level_\d+__")  # what pandas leaves in Parquet


@dataclass(frozen=True)
class File:
    """A file somewhere.

    Args:
        system: Of fsspec.
        name: In it.
        subject: How a message about it begins.
    """

    system: Any
    name: str
    subject: str

    @contextmanager
    def opened(self) -> Iterator[IO[bytes]]:
        """Unpack it while it is read."""
        packing = files.ARROW_UNPACKS.get(Path(self.name).suffix)
        if packing is None:
            with self.system.open(self.name, "rb", compression="infer") as file:
                yield file
            return
        import pyarrow as pa

        with self.system.open(self.name, "rb") as raw, pa.CompressedInputStream(raw, packing) as stream:
            yield io.BufferedReader(stream)


def chunks(dataset: Dataset, rows: int, as_text: Collection[str] = ()) -> Generator[pd.DataFrame]:
    """Read a table in pieces, holding one at a time.

    Args:
        dataset: Its target need neither be named nor be in the table.
        rows: Most rows of a piece.
        as_text: Columns of CSV that stay the text that they are, whatever a piece of them looks like.

    Yields:
        At least one piece, so that the columns are known; the pieces in the order of the table.

    Raises:
        MlrunnerError: A setting is missing, or asks for what needs the whole table.
        DataError: The source cannot be read or is not what it should be.
    """
    problems = [problem for problem in dataset.problems() if problem != UNSET_TARGET]
    if problems:
        raise ConfigError(problems[0]) if len(problems) == 1 else ProblemsError(problems)
    for piece in _limited(_pieces(dataset, rows, as_text), dataset.rows):
        piece.columns = piece.columns.map(str)
        yield typed(piece, {name: dtype for name, dtype in dataset.dtypes.items() if name in piece})


def _pieces(dataset: Dataset, rows: int, as_text: Collection[str]) -> Pieces:
    if isinstance(dataset, TableDataset):
        return _of_files(dataset, rows, as_text)
    if isinstance(dataset, SqlDataset):
        return _of_query(dataset.url or "", dataset.query or "", rows)
    return _of_table(dataset._read(), rows)


def _limited(pieces: Pieces, rows: int | None) -> Pieces:
    """Stop after so many rows, and close what is read."""
    left = sys.maxsize if rows is None else rows
    with closing(pieces):
        for piece in pieces:
            yield piece if len(piece) <= left else piece.head(left).copy()
            left -= len(piece)
            if left <= 0:
                return


def _of_table(table: pd.DataFrame, rows: int) -> Pieces:
    for start in range(0, max(len(table), 1), rows):
        yield table.iloc[start : start + rows].reset_index(drop=True)


def _of_files(dataset: TableDataset, rows: int, as_text: Collection[str]) -> Pieces:
    """Read the files of a path one after the other; their columns must be the same."""
    path, first = dataset.path or "", None
    with files.explained(path):
        system, names = files._find(path)
    for name in names:
        with files.explained(name):
            file = File(system, name, f"dataset.path names '{files.shown(name)}', which")
            kind = dataset.format or files._format(name)
            read = _of_parquet(dataset, file, rows) if kind == "parquet" else _of_csv(dataset, file, rows, as_text)
            for piece in read:
                first = piece.head(0) if first is None else first
                files._check_same_columns(names[0], first, name, piece)
                yield piece


def _of_csv(dataset: TableDataset, file: File, rows: int, as_text: Collection[str]) -> Pieces:
    options = {"sep": "\t"} | dataset.options if re.search(r"\.(tsv|tab)\b", file.name) else dataset.options
    if options.get("engine") == "pyarrow":
        raise ConfigError("dataset.options.engine=pyarrow reads whole files only; leave it out to predict.")
    with file.opened() as stream:
        head = stream.read(HEAD)
    if not head:
        raise DataError(f"{file.subject} is empty (0 bytes); name a file that has a header and rows.")
    parsing.read_csv(file.subject, head, parsing.CsvReading(options, target=dataset.target, rows=1))  # or it raises
    complete = parsing._complete(options)
    texts = {name for name in as_text if name not in dataset.dtypes}
    texts |= {name for name, dtype in dataset.dtypes.items() if dtype in TEXT_TYPES}
    types = dict.fromkeys(texts, "str") | dict(complete.pop("dtype", {}))
    with file.opened() as stream, pd.read_csv(stream, dtype=types, **{**complete, "chunksize": rows}) as reader:
        while (piece := _next(reader)) is not None:
            yield piece.reset_index(drop=True)


def _next(reader: Iterator[pd.DataFrame]) -> pd.DataFrame | None:
    """Read the next piece; rows that are longer than the header are an error and no warning."""
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "Length of header", pd.errors.ParserWarning)
        return next(reader, None)


def _of_parquet(dataset: TableDataset, file: File, rows: int) -> Pieces:
    from pyarrow.parquet import ParquetFile

    for name in dataset.options.keys() - {"columns"}:
        raise ConfigError(f"dataset.options.{name} needs the whole file; leave it out to predict.")
    with file.opened() as unpacked:
        is_packed = Path(file.name).suffix in files.PACKED
        stream = io.BytesIO(unpacked.read()) if is_packed else unpacked  # Parquet is not read from start to end
        mark = stream.read(4)
        if mark != b"PAR1":
            parsing.read_parquet(file.subject, mark + stream.read(HEAD), {})  # says what it is
        source = ParquetFile(stream, pre_buffer=False, buffer_size=BUFFER)
        parsing.refuse_duplicates(file.subject, source.schema_arrow.names, "rename them in the file")
        batches = source.iter_batches(rows, columns=dataset.options.get("columns"))
        for table in _gathered(batches, rows, source.schema_arrow):
            piece = table.to_pandas(types_mapper=pd.ArrowDtype, ignore_metadata=True)
            yield piece[[column for column in piece if not UNNAMED_INDEX.fullmatch(str(column))]]


def _gathered(batches: Iterable[Any], rows: int, schema: Any) -> Iterator[Any]:
    """Put small batches together: one ends where a row group ends, however few rows it has by then."""
    import pyarrow as pa

    held: list[Any] = []
    empty = True
    for batch in batches:
        held.append(batch)
        while sum(map(len, held)) >= rows:
            table, empty = pa.Table.from_batches(held), False
            yield table.slice(0, rows)
            held = table.slice(rows).to_batches()
    if held or empty:
        yield pa.Table.from_batches(held) if held else schema.empty_table()


def _of_query(url: str, query: str, rows: int) -> Pieces:
    """Fetch the rows of a query in pieces; the database keeps the rest, where its driver can."""
    from sqlalchemy import create_engine, text
    from sqlalchemy.pool import NullPool

    address = database._address(url)
    place = address.render_as_string(hide_password=True)
    with database._explained(f"dataset.url is '{place}', which cannot be opened"):
        connection = create_engine(address, poolclass=NullPool).connect()
    with connection, database._explained(f"dataset.query fails at '{place}'"):
        streaming = connection.execution_options(stream_results=True, max_row_buffer=rows)
        result = streaming.execute(text(query))
        if not result.returns_rows:
            raise DataError("dataset.query returns no table; write a SELECT.")
        names = [str(name) for name in result.keys()]  # noqa: SIM118 (not a mapping: iterating gives rows)
        parsing.refuse_duplicates("dataset.query returns a table which", names, "give each its own name with AS")
        records = result.fetchmany(rows)
        while True:  # of objects: a gap turns no whole number into a double
            yield pd.DataFrame([tuple(row) for row in records], columns=names, dtype=object)
            records = result.fetchmany(rows)
            if not records:
                return

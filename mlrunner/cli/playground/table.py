"""Many rows: a CSV file, sent in parts, and its predictions."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlrunner.cli.playground.fields import is_missing
from mlrunner.cli.playground.service import RefusedError, Service

PART = 1000  # rows of a request
DELIMITERS = ",;\t"
PLACE = re.compile(r"\brow (\d+)(?= has )")  # how the service names a row of what it was sent, from 0
PREDICTION = "prediction"


@dataclass(frozen=True)
class Table:
    """The rows of a file, as texts.

    Args:
        header: Names of the columns.
        rows: With as many texts each.
        lines: Of the file, where each row begins.
    """

    header: list[str]
    rows: list[list[str]]
    lines: list[int]

    def parts(self) -> Iterator[slice]:
        """Cut it into pieces that one request takes."""
        return (slice(at, at + PART) for at in range(0, len(self.rows), PART))


def read(data: bytes) -> Table:
    """Read a CSV file in UTF-8, between whose values are commas, semicolons or tabs.

    Raises:
        RefusedError: With one sentence, when it is none, or holds no row.
    """
    try:
        text = data.decode("utf-8-sig")
        first = text.partition("\n")[0]
        reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=max(DELIMITERS, key=first.count))
        found, line = [], 1
        for row in reader:
            found += [(row, line)] if row else []
            line = reader.line_num + 1
    except (UnicodeDecodeError, csv.Error) as error:
        raise RefusedError(f"The file is not CSV in UTF-8 ({error}).") from error
    if len(found) < 2:
        raise RefusedError("The file holds no row; its first line names the columns, and each line after it is a row.")
    (header, _), *rows = found
    odd = next((line for row, line in rows if len(row) != len(header)), None)
    if odd is not None:
        raise RefusedError(f"Line {odd} of the file does not have {len(header)} values, as its first line has.")
    return Table(header, [row for row, _ in rows], [line for _, line in rows])


def write(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    """Write CSV, with commas and in UTF-8."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()


def predict(service: Service, table: Table, progress: Callable[[float], object]) -> list[Any]:
    """Predict every row.

    Args:
        service: That is asked.
        table: What for.
        progress: Is told which share is done.

    Raises:
        RefusedError: With the sentence of the service, and the line of the file.
    """
    found: list[Any] = []
    for part in table.parts():
        try:
            found += service.predict_csv(write(table.header, table.rows[part])).predictions
        except RefusedError as error:
            raise RefusedError(placed(str(error), [f"line {line}" for line in table.lines[part]])) from error
        progress(len(found) / len(table.rows))
    return found


def placed(sentence: str, names: Sequence[str]) -> str:
    """Name the rows in a sentence of the service as a person would."""
    return PLACE.sub(lambda found: names[int(found[1])] if int(found[1]) < len(names) else found[0], sentence)


def with_predictions(table: Table, predictions: Sequence[Any]) -> tuple[list[str], list[list[Any]]]:
    """Put the predictions before the columns of the file.

    Returns:
        The header and the rows.
    """
    name = PREDICTION
    while name in table.header:
        name += "_"
    rows = [[found, *row] for found, row in zip(predictions, table.rows, strict=True)]
    return [name, *table.header], rows


def example(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Write the rows of the input example as a file to begin with."""
    header = list(rows[0])
    return write(header, [["" if is_missing(row[name]) else row[name] for name in header] for row in rows])

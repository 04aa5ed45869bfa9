"""Batch prediction: a table of any size through what is deployed, piece by piece."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from mlrunner.core.build import Group, build
from mlrunner.core.errors import ConfigError
from mlrunner.core.terminal import console
from mlrunner.groups.dataset import Dataset, SqlDataset, TableDataset
from mlrunner.groups.dataset.streaming import chunks
from mlrunner.steps.prediction.batches import Part, checked, refuse_absent
from mlrunner.steps.prediction.column_values import Marks
from mlrunner.steps.prediction.files import refuse_unwritable
from mlrunner.steps.prediction.output import Results, aside_of
from mlrunner.steps.prediction.predictors import Chosen, ask, opened
from mlrunner.steps.prediction.protocol import Predictor

LOOK = 100  # rows that tell whether the columns are there


class Job(BaseModel):
    """What to predict with, and where to.

    Attributes:
        folder: Of all deployments.
        name: Of one.
        version: Of its model.
        offline: In this process; through the service otherwise.
        out: The file of the predictions.
        keep: Columns of the table to copy through.
        rows_per_chunk: Rows that are read, predicted and written together.
        force: Overwrite files.
    """

    folder: str
    name: str
    version: int
    offline: bool
    out: str
    keep: list[str]
    rows_per_chunk: int
    force: bool

    @property
    def chosen(self) -> Chosen:
        """What predicts."""
        return Chosen(self.folder, self.name, self.version, self.offline)


def check(dataset: Group, job: Job) -> None:
    """Find what can be found before anything is read whole or written.

    A query is not run for that: it may take its time.

    Args:
        dataset: The group of the composition.
        job: What is to be done with it.

    Raises:
        MlrunnerError: With what is wrong.
    """
    out = Path(job.out)
    refuse_unwritable(out, aside_of(out), job.force)
    if job.rows_per_chunk < 1:
        raise ConfigError(f"--rows-per-chunk is {job.rows_per_chunk}; it should be at least 1.")
    source: Dataset = build(dataset, "dataset", Dataset)
    predictor = opened(job.chosen)
    if not isinstance(source, SqlDataset):
        with closing(_pieces(source, predictor, job, LOOK)) as pieces:
            next(pieces)


def predict(dataset: Group, job: Job) -> dict[str, Any]:
    """Predict a table.

    Args:
        dataset: The group of the composition.
        job: What to predict with, and where to.

    Returns:
        What came of it: `rows`, `predicted`, `rejected`, the first `reasons`, where it all is, and what it took.

    Raises:
        MlrunnerError: When it cannot be done; no file is written then.
    """
    began, out = time.perf_counter(), Path(job.out)
    refuse_unwritable(out, aside_of(out), job.force)
    source: Dataset = build(dataset, "dataset", Dataset)
    predictor = opened(job.chosen)
    pieces = _pieces(source, predictor, job, job.rows_per_chunk)
    with Results(out, predictor.model, predictor.version) as results, closing(pieces):
        _through(predictor, pieces, results)
    return _summary(results, predictor, out, time.perf_counter() - began)


def _summary(results: Results, predictor: Predictor, out: Path, seconds: float) -> dict[str, Any]:
    return {
        "rows": results.rows,
        "predicted": results.predicted,
        "rejected": results.rejected,
        "reasons": results.reasons,
        "output": str(out.absolute()),
        "rejected_output": str(aside_of(out).absolute()) if results.rejected else None,
        "model": predictor.model,
        "version": predictor.version,
        "through": predictor.through,
        "seconds": round(seconds, 3),
        "rows_per_second": round(results.rows / seconds),
    }


def _pieces(source: Dataset, predictor: Predictor, job: Job, rows: int) -> Generator[Part]:
    """Read and check piece by piece."""
    texts = [column.name for column in predictor.schema.columns if column.kind in ("text", "moment")]
    marks = _marks(source)
    start = 0
    for piece in chunks(source, rows, {*texts, *job.keep}):
        if start == 0:
            named = f"version {predictor.version} of {predictor.model}"
            refuse_absent(list(piece.columns), predictor.schema, job.keep, named)
        yield checked(piece, start, predictor.schema, job.keep, marks)
        start += len(piece)


def _marks(source: Dataset) -> Marks | None:
    """Tell how numbers are written in CSV files."""
    if not isinstance(source, TableDataset):
        return None
    return Marks(source.options.get("decimal", "."), source.options.get("thousands"))


def _through(predictor: Predictor, parts: Iterator[Part], results: Results) -> None:
    """Predict a few parts at once, and collect them in their order."""
    waiting: deque[tuple[Part, Future[list[Any]]]] = deque()
    pool = ThreadPoolExecutor(predictor.in_flight, "predict")
    with console(stderr=True).status("  predicting …") as status:

        def collect() -> None:
            part, found = waiting.popleft()
            results.add(part, found.result())
            status.update(f"  predicted {results.rows:,} rows …")

        try:
            for part in parts:
                waiting.append((part, pool.submit(ask, predictor, part.batch)))
                if len(waiting) > predictor.in_flight:
                    collect()
            while waiting:
                collect()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            predictor.stop()
            opened.cache_clear()

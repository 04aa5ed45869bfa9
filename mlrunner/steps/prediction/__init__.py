"""Batch prediction: predict a table of any size with a deployed model, chunk by chunk."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

from mlrunner.core.build import Group, build
from mlrunner.core.errors import ConfigError
from mlrunner.core.terminal import console
from mlrunner.groups.dataset import Dataset, SqlDataset
from mlrunner.groups.dataset.reading import apply_reading
from mlrunner.groups.dataset.streaming import read_chunks
from mlrunner.steps.prediction.batches import CheckedRows, check_rows, refuse_absent_columns
from mlrunner.steps.prediction.files import refuse_unwritable
from mlrunner.steps.prediction.output import ResultWriter, rejected_path
from mlrunner.steps.prediction.predictors import PredictorSource, open_predictor, predict_batch, read_reading
from mlrunner.steps.prediction.protocol import Predictor

CHECK_ROWS = 100  # rows that are read to check the columns


class PredictionJob(PredictorSource, frozen=True):
    """What to predict with, and where to write the predictions.

    Attributes:
        out: File of the predictions.
        keep: Columns of the table to copy to the output.
        rows_per_chunk: Number of rows that are read, predicted and written together.
        force: Whether to overwrite existing files.
    """

    out: str
    keep: tuple[str, ...]
    rows_per_chunk: int
    force: bool


def check(dataset: Group, job: PredictionJob) -> None:
    """Check a job before the table is read whole and before files are written.

    A query is not executed for the check: it may take long.

    Raises:
        MlrunnerError: With what is wrong.
    """
    out = Path(job.out)
    refuse_unwritable(out, rejected_path(out), job.force)
    if job.rows_per_chunk < 1:
        raise ConfigError(f"--rows-per-chunk is {job.rows_per_chunk}; it should be at least 1.")
    source = _build_source(dataset, job)
    predictor = open_predictor(job)
    if not isinstance(source, SqlDataset):
        with closing(_check_chunks(source, predictor, job, CHECK_ROWS)) as chunks:
            next(chunks)


def predict(dataset: Group, job: PredictionJob) -> dict[str, Any]:
    """Predict a table.

    Returns:
        Summary: `rows`, `predicted`, `rejected`, the first `reasons`, the paths, model and duration.

    Raises:
        MlrunnerError: If the prediction fails; no file is written then.
    """
    start, out = time.perf_counter(), Path(job.out)
    refuse_unwritable(out, rejected_path(out), job.force)
    source = _build_source(dataset, job)
    predictor = open_predictor(job)
    chunks = _check_chunks(source, predictor, job, job.rows_per_chunk)
    with ResultWriter(out, predictor.model, predictor.version, predictor.classes) as results, closing(chunks):
        _predict_chunks(predictor, chunks, results)
    return _summarize(results, predictor, out, time.perf_counter() - start)


def _build_source(dataset: Group, job: PredictionJob) -> Dataset:
    """Build the data set, which is read like the training table of the model."""
    source: Dataset = build(dataset, "dataset", Dataset)
    return apply_reading(source, read_reading(job))


def _summarize(results: ResultWriter, predictor: Predictor, out: Path, seconds: float) -> dict[str, Any]:
    return {
        "rows": results.rows,
        "predicted": results.predicted,
        "rejected": results.rejected,
        "reasons": results.reasons,
        "output": str(out.absolute()),
        "rejected_output": str(rejected_path(out).absolute()) if results.rejected else None,
        "model": predictor.model,
        "version": predictor.version,
        "through": predictor.through,
        "seconds": round(seconds, 3),
        "rows_per_second": round(results.rows / seconds),
    }


def _check_chunks(source: Dataset, predictor: Predictor, job: PredictionJob, rows: int) -> Generator[CheckedRows]:
    """Read and check a table chunk by chunk."""
    texts = [column.name for column in predictor.schema.columns if column.kind in ("text", "moment")]
    start = 0
    for chunk in read_chunks(source, rows, {*texts, *job.keep}):
        if start == 0:
            model = f"version {predictor.version} of {predictor.model}"
            refuse_absent_columns(list(chunk.columns), predictor.schema, job.keep, model)
        yield check_rows(chunk, start, predictor.schema, job.keep, source.number_format)
        start += len(chunk)


def _predict_chunks(predictor: Predictor, chunks: Iterator[CheckedRows], results: ResultWriter) -> None:
    """Predict a few chunks concurrently, and write their results in order."""
    running: deque[tuple[CheckedRows, Future[list[Any]]]] = deque()
    pool = ThreadPoolExecutor(predictor.in_flight, "predict")
    with console(stderr=True).status("  predicting …") as status:

        def write_next() -> None:
            chunk, future = running.popleft()
            results.add(chunk, future.result())
            status.update(f"  predicted {results.rows:,} rows …")

        try:
            for chunk in chunks:
                running.append((chunk, pool.submit(predict_batch, predictor, chunk.batch)))
                if len(running) > predictor.in_flight:
                    write_next()
            while running:
                write_next()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            predictor.stop()
            open_predictor.cache_clear()

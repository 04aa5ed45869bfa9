"""Read a table and say which column plays which part; serves the config group `dataset`."""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from pathlib import PurePosixPath
from typing import Any

import pandas as pd
from pydantic import Field

from mlrunner.core.build import dataclass
from mlrunner.core.column_roles import Roles, Task
from mlrunner.core.column_roles import infer_task as infer_task
from mlrunner.core.errors import ConfigError, DataError, ProblemsError, brief, nearest
from mlrunner.groups.dataset import database, files
from mlrunner.groups.dataset.dtypes import TEXT_TYPES, digest, typed
from mlrunner.groups.dataset.files import Format, Source
from mlrunner.groups.dataset.validation import table_problems as table_problems
from mlrunner.groups.dataset.validation import target_problems as target_problems

UNSET_TARGET = "dataset.target is not set; name the column to predict, e.g. dataset.target=price."
UNSET_PATH = "dataset.path is not set; name a file, a glob or a URL, e.g. dataset.path=data/table.csv."
UNSET_URL = "dataset.url is not set; give a SQLAlchemy URL, e.g. dataset.url=sqlite:///file.db."
UNSET_QUERY = "dataset.query is not set; give a SELECT, e.g. \"dataset.query='select * from orders'\"."


@dataclass
class Dataset(ABC):
    """A table somewhere, and what its columns mean.

    Args:
        name: How the data set is called wherever it is shown.
        target: The column to predict.
        task: None: inferred from the target by `infer_task`.
        ignore: Columns that are never features.
        group: The column whose rows belong together.
        time: The column that orders the rows.
        dtypes: Column to pandas dtype, for what the source does not say itself.
        note: A word shown behind the name.
        rows: How many rows to read, from the first; None: all.
    """

    name: str
    target: str | None = None
    task: Task | None = None
    ignore: list[str] = Field(default_factory=list)
    group: str | None = None
    time: str | None = None
    dtypes: dict[str, str] = Field(default_factory=dict)
    note: str | None = None
    rows: int | None = Field(default=None, gt=0)

    @property
    def roles(self) -> Roles:
        """The parts that the columns play.

        Raises:
            ConfigError: No target is named.
        """
        if self.target is None:
            raise ConfigError(UNSET_TARGET)
        return Roles(self.target, tuple(self.ignore), self.group, self.time)

    @property
    def label(self) -> str:
        """The name to show people, with what they should know about the data."""
        notes = [note for note in (*self._notes(), self.note) if note is not None]
        return f"{self.name} ({', '.join(notes)})" if notes else self.name

    def problems(self) -> list[str]:
        """Say which settings are missing, before anything is read."""
        return [*self._unset_source(), *([UNSET_TARGET] if self.target is None else [])]

    def load(self) -> pd.DataFrame:
        """Read the table.

        Returns:
            All columns, under an index 0, 1, 2, ...

        Raises:
            MlrunnerError: A setting is missing.
            DataError: The source cannot be read or is not what it should be.
        """
        self._require_settings()
        table = self._read()
        table.columns = table.columns.map(str)
        return typed(table if self.rows is None else table.head(self.rows), self.dtypes)

    def fingerprint(self) -> str:
        """Digest the content: equal content gives an equal text, whatever its name, place or date.

        Raises:
            MlrunnerError: A setting is missing.
            DataError: The source cannot be read.
        """
        self._require_settings()
        return self._digest()

    @abstractmethod
    def _read(self) -> pd.DataFrame:
        """Read the table as the source has it."""

    @abstractmethod
    def _unset_source(self) -> list[str]:
        """Say which settings of the source are missing or impossible."""

    def _digest(self) -> str:
        return digest(self._read())

    def _notes(self) -> list[str]:
        return []

    def _require_settings(self) -> None:
        problems = self.problems()
        if problems:
            raise ConfigError(problems[0]) if len(problems) == 1 else ProblemsError(problems)


@dataclass
class TableDataset(Dataset):
    """CSV or Parquet: a file or a glob, compressed or not, on disk or behind any fsspec URL.

    Args:
        path: What to read.
        format: None: the suffix says it.
        options: Arguments for `pandas.read_csv` or `pandas.read_parquet`.
    """

    path: str | None = None
    format: Format | None = None
    options: dict[str, Any] = Field(default_factory=dict)

    def _unset_source(self) -> list[str]:
        return [] if self.path else [UNSET_PATH]

    def _read(self) -> pd.DataFrame:
        as_text = tuple(name for name, dtype in self.dtypes.items() if dtype in TEXT_TYPES)
        return files.read_files(Source(self.path or "", self.format, self.options, as_text, self.target, self.rows))

    def _digest(self) -> str:
        return files.digest_files(self.path or "")

    def _notes(self) -> list[str]:
        """Call the embedded sample synthetic, and any other file by its name."""
        file = PurePosixPath(files.shown(self.path or "")).name
        return ["synthetic"] if "synthetic" in file else [file] if file else []


@dataclass
class SqlDataset(Dataset):
    """What a query returns from any database that SQLAlchemy reaches.

    Args:
        url: The database; it may hold a password, so it is never shown.
        query: A SELECT; without ORDER BY the rows, and so the splits, may differ from run to run.
    """

    url: str | None = Field(default=None, repr=False)
    query: str | None = None

    def _unset_source(self) -> list[str]:
        settings = ((self.url, UNSET_URL), (self.query, UNSET_QUERY))
        return [sentence for value, sentence in settings if not value]

    def _read(self) -> pd.DataFrame:
        return database.fetch(self.url or "", self.query or "", self.rows)


@dataclass
class BundledDataset(Dataset):
    """A table that comes with scikit-learn.

    Args:
        loader: A loader of `sklearn.datasets` that knows `as_frame`; its target column is `target`.
    """

    loader: str

    def _unset_source(self) -> list[str]:
        names = importlib.import_module("sklearn.datasets").__all__
        known = [f"sklearn.datasets.{name}" for kind in ("load_", "fetch_") for name in names if name.startswith(kind)]
        if self.loader in known:
            return []
        told = f"dataset.loader is '{self.loader}', which is no loader of sklearn.datasets"
        return [f"{told}; there are {brief(known)}.{nearest(self.loader, known)}"]

    def _read(self) -> pd.DataFrame:
        load = getattr(importlib.import_module("sklearn.datasets"), self.loader.rpartition(".")[2])
        try:
            frame: pd.DataFrame = load(as_frame=True).frame
        except (TypeError, OSError, AttributeError) as error:
            raise DataError(f"dataset.loader '{self.loader}' gives no table ({error}); name another.") from error
        return frame.reset_index(drop=True)

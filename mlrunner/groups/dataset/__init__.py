"""Config group `dataset`: read a table, and define the roles of its columns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import PurePosixPath
from typing import Annotated, Any

import pandas as pd
from pydantic import Field

from mlrunner.core.build import NamedValues, dataclass
from mlrunner.core.column_dtypes import normalize
from mlrunner.core.column_roles import Roles, Task
from mlrunner.core.errors import ConfigError, ProblemsError
from mlrunner.core.score_settings import Label
from mlrunner.core.warning_names import Notice
from mlrunner.groups.dataset import bundled, database, files, formats, leading_zeros
from mlrunner.groups.dataset.dtypes import TEXT_TYPES, apply_dtypes, digest_table
from mlrunner.groups.dataset.files import Source
from mlrunner.groups.dataset.formats import Format
from mlrunner.groups.dataset.text_values import NumberFormat, convert_texts
from mlrunner.groups.dataset.validation import UNSET_PATH, UNSET_QUERY, UNSET_TARGET, UNSET_URL


@dataclass
class Dataset(ABC):
    """Base of the data sources.

    Args:
        name: Name of the data set in messages, runs and reports.
        target: Column to predict.
        task: Task; None: inferred from the target by `infer_task`.
        positive: Label of the positive class of two; None: the second label in sorted order.
        ignore: Columns that are never features.
        group: Column whose rows with equal values stay in one part of a split.
        time: Column that orders the rows.
        weight: Column with the weight of each row.
        dtypes: pandas dtype by column, where the source does not determine it.
        note: Remark shown after the name.
        rows: Number of rows to read, from the first; None: all.
    """

    name: str
    target: str | None = None
    task: Task | None = None
    positive: Label | None = None
    ignore: list[str] = Field(default_factory=list)
    group: str | None = None
    time: str | None = None
    weight: str | None = None
    dtypes: Annotated[dict[str, str], NamedValues] = Field(default_factory=dict)
    note: str | None = None
    rows: int | None = Field(default=None, gt=0)

    @property
    def roles(self) -> Roles:
        """Roles of the columns; raise `ConfigError` when no target is set."""
        if self.target is None:
            raise ConfigError(UNSET_TARGET)
        return Roles(self.target, tuple(self.ignore), self.group, self.time, self.weight)

    @property
    def label(self) -> str:
        """Name for people, with remarks about the data."""
        notes = [note for note in (*self._notes(), self.note) if note]
        return f"{self.name} ({', '.join(notes)})" if notes else self.name

    def problems(self) -> list[str]:
        """Return one sentence for each missing setting; nothing is read."""
        return [*self._unset_source(), *([UNSET_TARGET] if self.target is None else [])]

    def load(self) -> pd.DataFrame:
        """Read the table, with the dtypes of `mlrunner.core.column_kinds` and the index 0, 1, 2, ...

        Raises:
            MlrunnerError: When a setting is missing, or the source cannot be read or is of another kind.
        """
        return self.load_with_notices()[0]

    def load_with_notices(self) -> tuple[pd.DataFrame, tuple[Notice, ...]]:
        """Read the table like `load`, and say which values the reading has lost."""
        self._require_settings()
        table = self.read_raw()
        zeros = leading_zeros.warn_of_leading_zeros(table.attrs.pop(leading_zeros.ATTRIBUTE, {}), self.dtypes)
        table.columns = table.columns.map(str)
        table = apply_dtypes(table if self.rows is None else table.head(self.rows), self.dtypes)
        classes = self.target if self.task == "classification" else None  # a rare class is no mistake
        excluded = {*self.dtypes, *self.ignore, self.group, classes}
        table, misfits = convert_texts(table, excluded, self.number_format)
        return normalize(table), (*zeros, *misfits)

    @property
    def number_format(self) -> NumberFormat | None:
        """How numbers are written in a text file; None for a source with types."""
        return None

    def fingerprint(self) -> str:
        """Return a digest of the content, which does not depend on its name, place or date.

        Raises:
            MlrunnerError: When a setting is missing, or the source cannot be read.
        """
        self._require_settings()
        return self._digest()

    @abstractmethod
    def read_raw(self) -> pd.DataFrame:
        """Read the table without applying `dtypes`."""

    @abstractmethod
    def _unset_source(self) -> list[str]:
        """Return one sentence for each missing or impossible setting of the source."""

    def _digest(self) -> str:
        return digest_table(normalize(self.read_raw()))

    def _notes(self) -> list[str]:
        return []

    def _require_settings(self) -> None:
        problems = self.problems()
        if problems:
            raise ConfigError(problems[0]) if len(problems) == 1 else ProblemsError(problems)


@dataclass
class TableDataset(Dataset):
    """CSV or Parquet files, compressed or not, on disk or at any fsspec URL.

    Args:
        path: File, glob or URL.
        format: Format of the files; None: detected from the suffix.
        options: Arguments for `pandas.read_csv` or `pandas.read_parquet`.
    """

    path: str | None = None
    format: Format | None = None
    options: Annotated[dict[str, Any], NamedValues] = Field(default_factory=dict)

    def _unset_source(self) -> list[str]:
        return [] if self.path else [UNSET_PATH]

    @property
    def number_format(self) -> NumberFormat | None:
        """See `Dataset.number_format`."""
        is_csv = formats.is_csv(self.path or "", self.format)
        return NumberFormat(self.options.get("decimal", "."), self.options.get("thousands")) if is_csv else None

    def read_raw(self) -> pd.DataFrame:
        """See `Dataset.read_raw`."""
        as_text = tuple(name for name, dtype in self.dtypes.items() if dtype in TEXT_TYPES)
        return files.read_files(Source(self.path or "", self.format, self.options, as_text, self.target, self.rows))

    def _digest(self) -> str:
        return files.digest_files(self.path or "")

    def _notes(self) -> list[str]:
        """Return the file name, or "synthetic" for the embedded sample."""
        file = PurePosixPath(formats.redact_path(self.path or "")).name
        return ["synthetic"] if "synthetic" in file else [file] if file else []


@dataclass
class SqlDataset(Dataset):
    """Result of a query to any database that SQLAlchemy supports.

    Args:
        url: SQLAlchemy URL of the database; its password is never shown.
        query: SELECT statement; without ORDER BY, the order of the rows, and so the split, may differ between runs.
    """

    url: str | None = Field(default=None, repr=False)
    query: str | None = None

    def _unset_source(self) -> list[str]:
        settings = ((self.url, UNSET_URL), (self.query, UNSET_QUERY))
        return [sentence for value, sentence in settings if not value]

    def read_raw(self) -> pd.DataFrame:
        """See `Dataset.read_raw`."""
        return database.fetch(self.url or "", self.query or "", self.rows)


@dataclass
class BundledDataset(Dataset):
    """Data set of scikit-learn.

    Args:
        loader: Function of `sklearn.datasets` that supports `as_frame`; its target column is `target`.
    """

    loader: str

    def _unset_source(self) -> list[str]:
        return bundled.find_problems(self.loader)

    def read_raw(self) -> pd.DataFrame:
        """See `Dataset.read_raw`."""
        return bundled.fetch(self.loader)

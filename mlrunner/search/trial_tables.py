"""The tables that trials ask for: made by ZenML's steps once for each choice of data, read by workers as files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlrunner.core import arrow
from mlrunner.search.trial import Part
from mlrunner.search.trial_preparation import TABLES, data_key

if TYPE_CHECKING:
    from mlrunner.composition.checks import Checked
    from mlrunner.search.trial_preparation import Draft
    from pipelines.rows import Rows


@dataclass(frozen=True)
class Tables:
    """ZenML's artifacts for each repeat of a trial, and where a worker reads them."""

    rows: tuple[Rows, ...]
    files: tuple[tuple[str, str, str], ...]

    def parts(self, draft: Draft) -> list[Part]:
        """Tell a worker what to fit."""
        models = [one.composition["model"] for one in draft.repeats]
        return [Part(*files, model=model) for files, model in zip(self.files, models, strict=True)]


class Shelf:
    """The tables of one sweep."""

    def __init__(self, rows_of: Callable[..., Rows], cache: Path) -> None:
        self._rows_of, self._cache = rows_of, cache
        self._rows: dict[str, Rows] = {}
        self._files: dict[str, tuple[str, str, str]] = {}

    def tables_of(self, draft: Draft) -> Tables:
        """Find the tables of a trial, or have them made.

        Raises:
            MlrunnerError: When the data do not fit the composition after all.
        """
        keys = [self._made(one) for one in draft.repeats]
        return Tables(tuple(self._rows[key] for key in keys), tuple(self._files[key] for key in keys))

    def _made(self, checked: Checked) -> str:
        composition = checked.composition
        key = data_key(*[composition[group] for group in TABLES], checked.data.fingerprint)
        if key not in self._rows:
            groups = [composition[group] for group in TABLES]
            blueprint = composition.settings.blueprint
            rows = self._rows_of(*groups, checked.data.fingerprint, checked.code, blueprint)
            self._files[key] = self._files_of(rows)
            self._rows[key] = rows
        return key

    def _files_of(self, rows: Rows) -> tuple[str, str, str]:
        has_folds = len(rows.folds.load()) > 0
        validation = "" if has_folds else self._file(rows.validation)
        return self._file(rows.train), validation, self._file(rows.folds) if has_folds else ""

    def _file(self, artifact: Any) -> str:
        """Find the file of a table on this disk; a copy of one that ZenML keeps elsewhere."""
        path = Path(artifact.uri) / arrow.NAME
        if path.exists():
            return str(path)
        copy = self._cache / f"{artifact.id}.arrow"
        if not copy.exists():
            self._cache.mkdir(parents=True, exist_ok=True)
            with copy.open("wb") as sink:
                arrow.write_table(artifact.load(), sink)
        return str(copy)

"""SHAP values from Python."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from mlrunner.api.preparation import prepare_home
from mlrunner.api.results import name_of

if TYPE_CHECKING:
    import pandas as pd

    from mlrunner.api.results import Run, Sweep


def explain(
    run: str | Run | Sweep,
    rows: pd.DataFrame | Path | str | None = None,
    *,
    top: int | None = None,
    home: Path | None = None,
) -> pd.DataFrame:
    """Compute what each column adds to the predictions of a tree model (SHAP values), as `mlrunner explain` does.

    Args:
        run: Run (id, name or folder), sweep (DAY/TIME; its winner), `latest`, `best`, or result of `run` or `sweep`.
        rows: Raw rows, or their CSV, Parquet or JSON file; None explains a sample of the test rows.
        top: Number of columns to list; None or 0 lists all.
        home: Folder that holds `.mlrunner/` and `multirun/`, see `run`.

    Returns:
        Without rows, a line for each column; with rows, a line for the base and each column of each row. The attribute
        `attrs["unit"]` says what the contributions are measured in.

    Raises:
        MlrunnerError: When there is no such run, it saved no model of trees, or the rows cannot be read.
    """
    folder = prepare_home(home)
    import pandas as pd

    from mlrunner.execution import explanation
    from mlrunner.history import explanation_tables

    source = str(rows) if isinstance(rows, Path) else rows
    explained = explanation.explain(name_of(run), source, folder)
    make = explanation_tables.make_summary if rows is None else explanation_tables.make_row_table
    table = pd.DataFrame(json.loads(make(explained, top or 0).to_json()))
    table.attrs["unit"] = explained.contributions.unit
    return table

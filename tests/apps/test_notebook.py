"""The notebook of the documentation, executed by a kernel."""

from __future__ import annotations

import os
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from tests.support.front_door import PROJECT, RUN_SECONDS

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """Return the code cells of the notebook with their outputs."""
    home = tmp_path_factory.mktemp("notebook")
    book = nbformat.read(PROJECT / "docs" / "notebooks" / "start.ipynb", as_version=4)
    variables = {"MLRUNNER_HOME": str(home), "PYTHONPATH": str(PROJECT), "JUPYTER_PLATFORM_DIRS": "1"}
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name.startswith(("MLRUNNER_", "ZENML_", "MLFLOW_", "HYDRA_")):
                patch.delenv(name)
        for name, value in variables.items():
            patch.setenv(name, value)
        NotebookClient(book, timeout=RUN_SECONDS, resources={"metadata": {"path": str(home)}}).execute()
    return [cell for cell in book.cells if cell.cell_type == "code"]


def html(cell: Any) -> str:
    """Return the table that a cell shows."""
    return str(next(output.data["text/html"] for output in cell.outputs if "text/html" in output.get("data", {})))


def test_results_are_tables(cells: list[Any]) -> None:
    run, search, difference, table = map(html, cells[:4])
    assert "model=ridge" in run
    assert search.count("FINISHED") == 4
    assert "model.estimator.alpha" in difference
    assert table.count("<td>") == 6


def test_a_search_shows_its_progress(cells: list[Any]) -> None:
    text = "".join(output.get("text", "") for output in cells[1].outputs)
    assert "4/4" in text
    assert "r2 0." in text


def test_a_notebook_predicts(cells: list[Any]) -> None:
    assert "array([" in cells[4].outputs[-1].data["text/plain"]

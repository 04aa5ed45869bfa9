"""Queries and addresses of data from a store: M9 of the attack findings."""

from __future__ import annotations

import pytest

from mlrunner.composition.foreign_sources import refuse_foreign_sources
from mlrunner.core.errors import ProblemsError


def test_a_query_and_addresses_are_shown_and_have_to_be_trusted() -> None:
    dataset = {"url": "postgresql://me:secret@host/db", "query": "select 1", "path": "s3://bucket/a", "note": "://"}
    with pytest.raises(ProblemsError) as refused:
        refuse_foreign_sources(dataset)
    shown = ["dataset.url", "postgresql://me:***@host/db", "dataset.query", "select 1", "dataset.path", "s3://bucket/a"]
    assert all(text in str(refused.value) for text in shown)
    assert "note" not in str(refused.value)
    with pytest.raises(ProblemsError, match=r"^dataset\.query comes from the run .*: select 1; .* add --trust\.$"):
        refuse_foreign_sources(dataset, ["dataset.url=sqlite:///mine.db", "dataset.path=mine.csv"])


@pytest.mark.parametrize("path", ["https://host/a.csv", "simplecache::/a.csv", "file:///a"])
def test_an_address_in_a_path_has_to_be_trusted(path: str) -> None:
    with pytest.raises(ProblemsError, match="add --trust"):
        refuse_foreign_sources({"path": path})


def test_files_of_this_machine_are_read() -> None:
    refuse_foreign_sources({"path": "/data/*.csv", "url": None, "loader": "sklearn.datasets.load_wine"})
    with pytest.raises(ProblemsError, match="loader"):
        refuse_foreign_sources({"loader": "sklearn.datasets.fetch_covtype"})


def test_an_address_behind_an_interpolation_has_to_be_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ProblemsError, match=r"dataset\.path .*: \$\{\.note\};"):
        refuse_foreign_sources({"path": "${.note}", "note": "http://evil/a.csv"})
    monkeypatch.setenv("MLRUNNER_PROJECT", "/project")
    refuse_foreign_sources({"path": "${oc.env:MLRUNNER_PROJECT}/data/a.csv"})

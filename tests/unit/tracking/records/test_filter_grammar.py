"""Filters and sort keys: what MLflow rejects is rejected, and everything else is read as MLflow reads it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mlflow.exceptions import MlflowException
from mlflow.utils.search_utils import SearchUtils

from mlrunner.core.errors import ConfigError
from mlrunner.tracking.records import filter_grammar
from tests.support.run_stores import SearchableRuns


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("metrics.r2", "cannot be read at 'metrics.r2'"),
        ("metrics.r2 >", "cannot be read"),
        ("metrics.r2 > 0.3 or status = 'FAILED'", "at 'or status = 'FAILED'': clauses are joined by and"),
        ("metrics.r2 > 0x10", "cannot be read"),
        ("metrics.r2 > 0.3;", "cannot be read at ';'"),
        ("(metrics.r2 > 0.3)", "cannot be read"),
        ("not metrics.r2 > 0.3", "cannot be read"),
        ("0.3 < metrics.r2", "cannot be read"),
        ("metrics.r2 > nan", "cannot be read"),
        ("metrics.r2 > '5'", "metric r2 needs a number, got '5'"),
        ("metrics.r2 IN (1, 2)", "metric r2 cannot be compared by IN"),
        ("metrics.r2 IS NULL", "metric r2 cannot be compared by IS NULL"),
        ("params.model = rf", "cannot be read"),
        ("params.model = 5", "needs a text in quotes, like '5', got 5"),
        ("params.model > 'a'", "param model cannot be compared by >"),
        ("params.model NOT LIKE 'a'", "param model cannot be compared by NOT LIKE"),
        ("params.model IN ('a')", "param model cannot be compared by IN"),
        ("attributes.status IN ('FAILED')", "attribute status cannot be compared by IN"),
        ("attributes.run_id IN ()", r"needs a list like \('a', 'b'\), got \(\)"),
        ("attributes.run_id IN (a)", "needs a list"),
        ("attributes.start_time > '5'", "start_time needs a number of milliseconds since 1970, got '5'"),
        ("attributes.stauts = 'FAILED'", "runs have no attribute 'stauts'; .* Did you mean 'status'"),
        ("r2 > 0.3", "Metrics are written metrics.r2, parameters params.r2"),
        ("metrcs.r2 > 0.3", "'metrcs' is not a kind of key; .* Did you mean 'metrics'"),
        ("METRICS.r2 > 0.3", "'METRICS' is not a kind of key"),
        ("dataset.profile = 'x'", "runs have no dataset 'profile'; there are name, digest, context"),
        ("dataset.name > 'x'", "dataset name cannot be compared by >"),
    ],
)
def test_filter_that_mlflow_rejects(runs: SearchableRuns, where: str, message: str) -> None:
    with pytest.raises(MlflowException):
        runs.search_by_mlflow(where, [])
    for store in (runs.ours, runs.theirs):
        with pytest.raises(ConfigError, match=message):
            store.search(where)


@pytest.mark.parametrize(
    "sort",
    [
        ["metrics.r2 DOWN"],
        ["metrics.r2, params.model"],
        [""],
        ["foo.bar"],
        ["attributes.experiment_id"],
        ["dataset.name"],
        ["metrics.r2", "metrics.r2 DESC"],
    ],
    ids=", ".join,
)
def test_sort_key_that_mlflow_rejects(runs: SearchableRuns, sort: list[str]) -> None:
    with pytest.raises(MlflowException):
        runs.search_by_mlflow("", sort)
    for store in (runs.ours, runs.theirs):
        with pytest.raises(ConfigError, match=r"--sort|is not a kind of key|runs have no attribute"):
            store.search(sort=sort)


@settings(max_examples=300, deadline=None)
@given(st.text("metricspa.r2 '\"`()=<>!%and0123456789-_/é", max_size=40))
def test_any_text_is_rejected_or_read_as_by_mlflow(where: str) -> None:
    try:
        ours = filter_grammar.parse(where)
    except ConfigError:
        return
    theirs = SearchUtils.parse_search_filter(" and ".join(map(str, ours)))
    assert [clause["key"] for clause in theirs] == [clause.field.key for clause in ours]
    assert [clause["comparator"].upper() for clause in theirs] == [clause.comparator for clause in ours]


@pytest.mark.parametrize("where", ["metrics.test/r2 > 0.1", "metrics.test/r2 > +1E-1", "metrics.test/r2 < 1e+2"])
def test_key_with_slash_needs_no_quotes(runs: SearchableRuns, where: str) -> None:
    with pytest.raises(MlflowException):
        runs.search_by_mlflow(where, [])
    assert runs.ours.search(where) == runs.theirs.search(where) != []

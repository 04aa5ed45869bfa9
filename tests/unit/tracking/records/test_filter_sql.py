"""SQL of filters and sort keys: the same runs in the same order as MLflow's own client."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.run_stores import SearchableRuns

FILTERS = [
    "",
    "metric.r2 < 0.3",
    "metrics.`r2` = 0.2",
    "metrics.r2 = 0",
    "metrics.r2>-1e3",
    "metrics.r2 > 1E300",
    "metrics.loss < 2.",
    "metrics.loss > .5",
    "metrics.`test/r2` > 0.1",
    'metrics."test/r2" > 0.1',
    "metrics.`recall:5` = 1",
    "metrics.nothing > 0",
    'params.model = "rf"',
    "param.model != 'rf'",
    "parameters.model LIKE 'r%'",
    "params.model ilike 'R%'",
    "params.model.estimator.max_depth = '6'",
    "params.`a b` = 'x'",
    "params.model = 'and'",
    'tags.note = "it\'s"',
    "tags.note = 'a \"b\" c'",
    "tags.note = 'a and b'",
    "tags.note = '(a, b)'",
    "tags.note = 'a;b -- c'",
    "tags.note LIKE '50% of_it'",
    "tags.note LIKE '%of_it'",
    "tags.note ILIKE 'Ü%'",
    "tag.`x.y` = '1'",
    "tags.x.y IS NOT NULL",
    "tags.`mlrunner.sweep_id` = 'day/one' and metrics.r2 > 0",
    "attributes.status != 'FINISHED'",
    "attributes.`Run name` LIKE 'model%'",
    "attributes.run_id = 'ID0'",
    "attributes.run_id IN ('ID0', 'ID1')",
    'run_id in ("ID0")',
    "attributes.run_id NOT IN ('ID0',)",
    "created <= 5000.5",
    "attributes.end_time > 3000",
    "attributes.artifact_uri LIKE '%/artifacts'",
    "attributes.user_id != ''",
    "datasets.digest LIKE 'ab%'",
    "dataset.context = 'training'",
    "dataset.name IN ('orders', 'wine') AND dataset.context != 'testing'",
    "metrics.r2 > 0.1 AND params.model = 'rf' and status = 'FINISHED'",
]


@pytest.mark.parametrize("where", FILTERS)
def test_filter(runs: SearchableRuns, where: str) -> None:
    text = runs.fill(where)
    records = runs.ours.search(text)
    assert records == runs.theirs.search(text)
    assert [record.run_id for record in records] == runs.search_by_mlflow(text, [])


def test_filters_select_different_runs(runs: SearchableRuns) -> None:
    selected = {tuple(record.run_id for record in runs.ours.search(runs.fill(where))) for where in FILTERS}
    assert len(selected) > 25


ORDERS = [
    ["metrics.r2"],
    ["metrics.r2 DESC"],
    ["metrics.`test/r2` desc"],
    ["metrics.loss ASC"],
    ["metrics.loss DESC", "metrics.r2"],
    ["params.model", "metrics.r2 DESC"],
    ['tags."note" DESC'],
    ["status", "run_name DESC"],
    ["attributes.start_time"],
    ["start_time DESC"],
    ["Created"],
    ["attributes.end_time DESC"],
    ["run_id DESC"],
]


@pytest.mark.parametrize("sort", ORDERS, ids=", ".join)
def test_order(runs: SearchableRuns, sort: list[str]) -> None:
    records = runs.ours.search(sort=sort)
    assert records == runs.theirs.search(sort=sort)
    assert [record.run_id for record in records] == runs.search_by_mlflow("", sort)
    assert runs.ours.search(sort=sort, limit=3) == runs.theirs.search(sort=sort, limit=3) == records[:3]


COMPARED = st.sampled_from(["=", "!=", ">", ">=", "<", "<="])
MATCHED = st.sampled_from(["=", "!=", "LIKE", "ILIKE", "like"])
NUMBER = st.one_of(st.sampled_from([0.0, 0.2, 0.31, -0.5, 2.0]), st.floats(-2, 2, allow_nan=False)).map(repr)
WORD = st.sampled_from(["rf", "RF", "r%", "%", "_f", "ridge", "x", "", "FINISHED", "model=rf", "ü%"])
KEYS = st.sampled_from(["params.model", "tags.note", "attributes.status", "status", "run_name", "dataset.name"])
METRICS = st.sampled_from(["metrics.r2", "metrics.loss", "metric.`test/r2`", "attributes.start_time"])
CLAUSES = st.one_of(
    st.tuples(METRICS, COMPARED, NUMBER).map(" ".join),
    st.tuples(KEYS, MATCHED, WORD.map(repr)).map(" ".join),
    st.tuples(st.sampled_from(["params.model", "tags.note"]), st.sampled_from(["IS NULL", "is not null"])).map(
        " ".join
    ),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(CLAUSES, max_size=3).map(" and ".join), st.sampled_from(ORDERS))
def test_any_filter_in_any_order(runs: SearchableRuns, where: str, sort: list[str]) -> None:
    assert [record.run_id for record in runs.ours.search(where, sort)] == runs.search_by_mlflow(where, sort)

"""The methods that all stores share, read without MLflow and with it."""

from __future__ import annotations

import pytest

from mlrunner.tracking.records import Store
from mlrunner.tracking.records.store import match_labels, quote, separate_stack_overrides
from tests.support.run_stores import SearchableRuns


@pytest.fixture(params=["ours", "theirs"])
def store(request: pytest.FixtureRequest, runs: SearchableRuns) -> Store:
    selected: Store = getattr(runs, request.param)
    return selected


def test_runs_are_read_in_the_order_of_their_ids(store: Store, runs: SearchableRuns) -> None:
    ids = [runs.ids[3], "0" * 32, runs.ids[1]]
    assert [record.name for record in store.read_runs(ids)] == ["nan", "model=rf"]
    assert store.read_runs([]) == []


def test_search_without_parents_keeps_the_limit(store: Store) -> None:
    records = store.search(parents=False)
    assert "failed" not in [record.name for record in records]
    assert len(records) == len(store.search()) - 1
    assert store.search(parents=False, limit=9) == records[:9]


def test_labels_start_with_the_prefix_and_need_no_quotes(store: Store, runs: SearchableRuns) -> None:
    assert store.list_labels("model", 10) == ["model=RF", "model=rf"]
    assert store.list_labels("day/", 10) == ["day/one"]
    assert store.list_labels("", 10, sweeps=True) == ["day/one"]
    assert store.list_labels(runs.ids[0][:10], 10) == [runs.ids[0][:10]]
    assert "same start" not in store.list_labels("", 100)
    assert len(store.list_labels("", 3)) == 3


def test_labels_of_a_trial_are_its_place_its_id_and_its_name() -> None:
    run_id = "ab12" * 8
    runs = [(run_id, "ab-name", "ab/time", "3")]
    assert match_labels(runs, "ab", 5, sweeps=False) == ["ab/time/3", "ab12ab12", "ab-name"]
    assert match_labels(runs, "", 5, sweeps=False) == ["ab/time/3"]
    assert match_labels(runs, "ab", 5, sweeps=True) == []


@pytest.mark.parametrize(
    ("text", "value"), [("plain", "'plain'"), ("it's", '"it\'s"'), ('a "b"', "'a \"b\"'"), ('it\'s "b"', '"it\'s ?b?"')]
)
def test_quote(text: str, value: str) -> None:
    assert quote(text) == value


def test_overrides_of_the_stack_are_separated_from_names_of_runs() -> None:
    words = ["model=rf", "stack=local", "stack.tracking_uri=x", "stacked=1", "latest"]
    names, overrides = separate_stack_overrides(words)
    assert names == ["model=rf", "stacked=1", "latest"]
    assert overrides == ["stack=local", "stack.tracking_uri=x"]

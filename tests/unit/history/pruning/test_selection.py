"""Which runs a prune selects."""

from __future__ import annotations

from typing import Any

import pytest

from mlrunner.history.pruning.criteria import DAY, Criteria
from mlrunner.history.pruning.selection import score, select
from mlrunner.tracking.records import DATA_TAG, FOLDER_TAG, REOPENED_TAG, REPRODUCES_TAG, WINNER_OF_TAG, Record
from mlrunner.tracking.records.record import INVALID_TAG, PRUNING_TAG, TEST_ROWS_TAG, VALIDATION_ROWS_TAG
from tests.support.records import NOW, make_id, make_run, make_sweep

Selection = tuple[list[Record], dict[str, str]]


def choose(records: list[Record], protected: dict[str, str] | None = None, **criteria: Any) -> Selection:
    """Select runs; the names of runs stand for their ids."""
    for name in criteria.keys() & {"named", "matching"}:
        criteria[name] = frozenset(map(make_id, criteria[name]))
    reasons = {make_id(name): reason for name, reason in (protected or {}).items()}
    return select(records, Criteria(**criteria), reasons, NOW)


def selected(selection: Selection) -> list[str]:
    return [run.name for run in selection[0]]


def excluded(selection: Selection) -> dict[str, str]:
    return {run_id.rstrip("0"): reason for run_id, reason in selection[1].items()}


SINGLE = [
    make_run("a", days=40, score=0.5),
    make_run("b", days=20, score=0.7),
    make_run("c", days=1, score=0.6),
    make_run("d", days=40, status="FAILED"),
    make_run("e", days=2, status="KILLED"),
    make_run("f", days=30.5, score=0.1, tags={DATA_TAG: "other"}),
    make_run("g", days=3, score=1.0, metric="rmse"),
    make_run("h", days=4, score=2.0, metric="rmse"),
]


@pytest.mark.parametrize(
    ("criteria", "names"),
    [
        pytest.param({}, "", id="no criterion selects nothing"),
        pytest.param({"older": 30 * DAY}, "adf", id="age"),
        pytest.param({"older": 0.0}, "abcdefgh", id="any age"),
        pytest.param({"status": ("FAILED", "KILLED")}, "de", id="status"),
        pytest.param({"older": 30 * DAY, "status": ("FAILED",)}, "d", id="both must hold"),
        pytest.param({"worse_than": 1}, "acdeh", id="best of each group in the metric's direction"),
        pytest.param({"worse_than": 2}, "ade", id="two of each"),
        pytest.param({"worse_than": 3}, "de", id="a run without a score ranks last"),
        pytest.param({"worse_than": 0}, "abcdefgh", id="not even the best"),
        pytest.param({"keep": 3}, "abdfh", id="newest"),
        pytest.param({"keep": 100}, "", id="more than there are"),
        pytest.param({"keep": 3, "worse_than": 2}, "ad", id="neither among the newest nor the best"),
        pytest.param({"matching": ["b", "c"]}, "bc", id="filter"),
        pytest.param({"named": ["b", "c"], "matching": ["c", "d"]}, "c", id="named and filter"),
        pytest.param({"named": []}, "", id="no name matches"),
    ],
)
def test_criteria_all_hold(criteria: dict[str, Any], names: str) -> None:
    assert sorted(selected(choose(SINGLE, **criteria))) == list(names)


def test_runs_compete_only_where_the_same_rows_judge_them() -> None:
    """Tips and fares of one file have a best each, and so have trials that were scored on the same validation rows."""
    runs = [
        make_run(name, score=score, tags={TEST_ROWS_TAG: target})
        for name, score, target in (("a", 3, "tip"), ("b", 2, "tip"), ("c", 9, "fare"), ("d", 8, "fare"))
    ]
    assert sorted(selected(choose(runs, worse_than=1))) == ["b", "d"]
    tags = [{TEST_ROWS_TAG: "t", VALIDATION_ROWS_TAG: rows} for rows in ("one", "one", "two")]
    trials = [make_run(f"run{number}", score=1, part="validation", tags=tag) for number, tag in enumerate(tags)]
    assert len(selected(choose(trials, worse_than=1))) == 1


def test_an_invalid_run_is_not_among_the_best() -> None:
    runs = [
        make_run("a", score=0.9, tags={INVALID_TAG: "it leaks"}),
        make_run("b", score=0.5),
        make_run("c", score=0.1),
    ]
    assert sorted(selected(choose(runs, worse_than=1))) == ["a", "c"]


class TestRank:
    def test_score_prefers_test_rows_to_validation_to_folds(self) -> None:
        assert score(make_run("a", score=0.1)) == 0.1
        assert score(make_run("a", score=0.1, part="validation")) == 0.1
        assert score(make_run("a", score=0.1, part="cv")) == 0.1
        both = make_run("a", score=0.1)
        both.metrics["validation/r2"] = 0.9
        assert score(both) == 0.1
        assert score(make_run("a")) is None

    def test_running_run_is_not_ranked(self) -> None:
        records = [make_run("a", score=0.1), make_run("b", days=2, status="RUNNING", score=0.9)]
        assert selected(choose(records, worse_than=1)) == []

    def test_reproduction_is_not_counted(self) -> None:
        again = {REPRODUCES_TAG: "a"}
        records = [make_run("a", score=0.9), make_run("b", days=1, score=0.9, tags=again), make_run("c", score=0.8)]
        records.append(make_run("d", score=0.1, tags=again))
        assert selected(choose(records, worse_than=2)) == ["d"]
        assert sorted(selected(choose(records, worse_than=1))) == ["c", "d"]

    def test_scores_on_other_rows_are_ranked_apart(self) -> None:
        records = [make_run("a", score=0.5), make_run("b", score=0.4)]
        records += [make_run("c", score=0.9, part="validation"), make_run("d", score=0.8, part="validation")]
        assert sorted(selected(choose(records, worse_than=1))) == ["b", "d"]

    def test_older_of_equal_runs_is_selected(self) -> None:
        assert selected(choose([make_run("a", days=3, score=0.1), make_run("b", days=2, score=0.1)], worse_than=1)) == [
            "a"
        ]


class TestProtection:
    def test_protected_run_stays_although_named(self) -> None:
        selection = choose(SINGLE, protected={"b": "serves as olist v2"}, named=["a", "b"])
        assert selected(selection) == ["a"]
        assert excluded(selection) == {"b": "serves as olist v2"}

    def test_protected_run_without_match_is_not_reported(self) -> None:
        assert choose(SINGLE, protected={"c": "serves as olist v2"}, older=30 * DAY)[1] == {}

    @pytest.mark.parametrize(
        ("criteria", "days", "is_selected"),
        [
            pytest.param({"older": 0.0}, 5, False, id="not by age"),
            pytest.param({"named": ["a"]}, 5, False, id="not by name"),
            pytest.param({"status": ("RUNNING",)}, 5, True, id="by its status"),
            pytest.param({"status": ("RUNNING",)}, 0.5, False, id="not while it is young"),
            pytest.param({"status": ("RUNNING",), "named": ["a"]}, 5, True, id="by both"),
        ],
    )
    def test_running_run_needs_its_status(self, criteria: dict[str, Any], days: float, is_selected: bool) -> None:
        selection = choose([make_run("a", days=days, status="RUNNING")], **criteria)
        assert selected(selection) == ["a"] * is_selected
        assert all("is running" in reason for reason in excluded(selection).values())
        assert len(selection[1]) == (not is_selected)

    def test_trials_of_a_running_sweep_stay(self) -> None:
        records = make_sweep("s", make_run("a"), make_run("b", days=3), days=0.5, status="RUNNING")
        selection = choose(records, older=DAY)
        assert selected(selection) == []
        assert excluded(selection) == dict.fromkeys("ab", "belongs to a sweep that is running")

    def test_trials_of_a_killed_sweep_are_selected(self) -> None:
        records = make_sweep("s", make_run("a"), make_run("b"), days=9, status="RUNNING")
        selection = choose(records, older=DAY)
        assert selected(selection) == ["a", "b"]
        assert list(excluded(selection)) == ["s"]

    @pytest.mark.parametrize(
        ("criteria", "newest", "resumed", "is_searched", "names"),
        [
            pytest.param({"older": DAY / 20}, 0.1, None, False, "", id="a trial of today"),
            pytest.param({"status": ("FINISHED", "RUNNING")}, 8, 1 / 9, False, "", id="resumed today"),
            pytest.param({"worse_than": 1}, 8, None, True, "", id="one trial takes days"),
            pytest.param({"older": DAY / 20}, 8, None, False, "ab", id="killed, by age"),
            pytest.param({"worse_than": 1}, 8, None, False, "a", id="killed, by rank"),
            pytest.param({"status": ("FINISHED", "RUNNING")}, 8, 8, False, "abcs", id="killed after it was resumed"),
        ],
    )
    def test_search_of_several_days(
        self, criteria: dict[str, Any], newest: float, resumed: float | None, is_searched: bool, names: str
    ) -> None:
        reopened = "" if resumed is None else str(int((NOW - resumed * DAY) * 1000))
        trials = (
            make_run("a", days=8, score=0.2),
            make_run("b", days=newest, score=0.3),
            make_run("c", days=9, status="RUNNING"),
        )
        records = make_sweep("s", *trials, days=9, status="RUNNING", **{REOPENED_TAG: reopened})
        selection = select(records, Criteria(**criteria), {}, NOW, lambda _: is_searched)
        assert sorted(selected(selection)) == list(names)

    @pytest.mark.parametrize(("is_searched", "names"), [(True, []), (False, ["a", "s"])])
    def test_search_continued_by_another_process(self, is_searched: bool, names: list[str]) -> None:
        records = make_sweep("s", make_run("a", days=0.2), days=0.1, status="KILLED")
        selection = select(records, Criteria(status=("FINISHED", "KILLED")), {}, NOW, lambda _: is_searched)
        assert selected(selection) == names

    def test_run_of_another_program_must_be_named(self) -> None:
        theirs = make_run("a", tags={FOLDER_TAG: None})
        assert selected(choose([theirs], older=0.0)) == []
        assert selected(choose([theirs], named=["a"])) == ["a"]


class TestSweep:
    def test_parent_is_last(self) -> None:
        records = [*make_sweep("s", make_run("a"), make_run("b", days=11)), make_run("c")]
        assert selected(choose(records, older=0.0)) == ["a", "c", "b", "s"]

    def test_parent_stays_with_a_run(self) -> None:
        selection = choose(make_sweep("s", make_run("a", days=1), make_run("b")), older=5 * DAY)
        assert selected(selection) == ["b"]
        assert excluded(selection) == {"s": "has 1 run that stays"}

    def test_serving_winner_keeps_the_parent_but_no_trial(self) -> None:
        winner = make_run("w", tags={WINNER_OF_TAG: "a"})
        selection = choose(
            make_sweep("s", make_run("a"), make_run("b"), winner),
            protected={"w": "serves as x v1"},
            named=["s", "a", "b", "w"],
        )
        assert selected(selection) == ["a", "b"]
        assert excluded(selection) == {"w": "serves as x v1", "s": "has 1 run that stays"}

    @pytest.mark.parametrize(
        ("criteria", "names"),
        [
            pytest.param({"worse_than": 1}, ["a", "b", "s"], id="all of its runs are worse"),
            pytest.param({"worse_than": 2}, ["b"], id="one is not"),
            pytest.param({"keep": 1}, ["a", "b", "s"], id="all of its runs are older"),
            pytest.param({"keep": 1, "older": 10.5 * DAY}, [], id="the other criterion does not hold"),
        ],
    )
    def test_parent_follows_its_runs(self, criteria: dict[str, Any], names: list[str]) -> None:
        records = [
            *make_sweep("s", make_run("a", score=0.4), make_run("b", score=0.3)),
            make_run("c", days=1, score=0.5),
        ]
        assert selected(choose(records, **criteria)) == names

    def test_parent_without_runs_is_not_ranked(self) -> None:
        assert selected(choose(make_sweep("s"), worse_than=0)) == []
        assert selected(choose(make_sweep("s"), older=DAY)) == ["s"]


def test_interrupted_removal_is_selected_whatever_the_criteria() -> None:
    records = [make_run("a", days=0.1, tags={PRUNING_TAG: "begun"}), make_run("b", days=1)]
    assert selected(choose(records, older=100 * DAY)) == ["a"]
    assert selected(choose(records)) == ["a"]
    assert selected(choose(records, protected={"a": "serves as x v1"})) == []

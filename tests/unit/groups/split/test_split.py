"""Every option of conf/split, held to one contract; then what each strategy does and refuses."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hydra.utils import instantiate
from hypothesis import given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from mlrunner.core.errors import ConfigError, DataError
from mlrunner.groups.split import (
    DataDivideStrategy,
    Division,
    GroupedDivide,
    GroupedKFoldDivide,
    KFoldDivide,
    RandomDivide,
    StratifiedDivide,
    StratifiedKFoldDivide,
    TimeOrderedDivide,
)
from tests.support.front_door import PROJECT

CONF = PROJECT / "conf" / "split"
OPTIONS = sorted(path.stem for path in CONF.glob("*.yaml"))
FOLDED = [name for name in OPTIONS if name.endswith("kfold")]
HELD_OUT = [name for name in OPTIONS if name not in FOLDED]
ROLES = {"target": "y", "group": None, "time": "when", "task": "regression"}
BY_CLASS = {"target": "label", "task": "classification"}
BY_GROUP = {"group": "customer"}
NOT_GROUPED = [name for name in OPTIONS if not name.startswith("grouped")]
SHARES = {"70_15_15": (0.7, 0.15, 0.15)}
GROUP_MESSAGE = (
    "split.group is not set, but this split keeps groups together; "
    "name the column in dataset.group, or choose split=80_20 or split=kfold."
)


def option(name: str, roles: dict[str, Any] | None = None, seed: int = 0, **settings: Any) -> DataDivideStrategy:
    """Build an option as Hydra would."""
    group = OmegaConf.merge(OmegaConf.load(CONF / f"{name}.yaml"), settings)
    root = OmegaConf.create({"seed": seed, "dataset": {**ROLES, **(roles or {})}, "split": group})
    built: DataDivideStrategy = instantiate(root.split, _convert_="all")
    return built


def table(rows: int = 400) -> pd.DataFrame:
    """A cleaned table: some rows a customer, three classes of unlike size, a moment every other row."""
    random = np.random.default_rng(3)
    number = np.arange(rows)
    moments = pd.Timestamp("2020-01-01") + pd.to_timedelta(random.permutation(number) // 2, unit="h")
    return pd.DataFrame(
        {
            "x": number * 1.0,
            "y": random.normal(size=rows),
            "label": np.where(number % 10 == 0, "rare", np.where(number % 3 == 0, "some", "most")),
            "customer": random.integers(0, max(rows // 4, 1), rows),
            "when": moments.astype(str),
        },
        index=number * 2 + 5,
    )


def division(name: str, roles: dict[str, Any] | None = None, **settings: Any) -> Division:
    """Divide the usual table."""
    return option(name, {**BY_GROUP, **(roles or {})}, **settings).handle_data(table())


def parts(found: Division) -> list[pd.DataFrame]:
    """The parts that have rows."""
    return [part for part in (found.train, found.validation, found.test) if len(part)]


everywhere = pytest.mark.parametrize("name", OPTIONS)
tasks = pytest.mark.parametrize("roles", [pytest.param({}, id="regression"), pytest.param(BY_CLASS, id="classes")])


def test_the_options_are_those_of_the_documentation() -> None:
    assert OPTIONS == [
        "70_15_15",
        "80_20",
        "grouped",
        "grouped_kfold",
        "kfold",
        "stratified",
        "stratified_kfold",
        "time_ordered",
    ]


@everywhere
def test_every_key_of_an_option_is_commented(name: str) -> None:
    first, *lines = (CONF / f"{name}.yaml").read_text().splitlines()
    assert first.startswith("# ")
    assert [line for line in lines if "#" not in line and not line.startswith("_target_")] == []


@tasks
@everywhere
def test_each_row_is_in_one_part_in_its_order(name: str, roles: dict[str, Any]) -> None:
    whole, found = table(), division(name, roles)
    labels = [label for part in parts(found) for label in part.index]
    assert sorted(labels) == whole.index.tolist()
    for part in parts(found):
        pd.testing.assert_frame_equal(part, whole[whole.index.isin(part.index)])


@tasks
@everywhere
def test_same_seed_same_division(name: str, roles: dict[str, Any]) -> None:
    for one, two in zip(parts(division(name, roles)), parts(division(name, roles)), strict=True):
        pd.testing.assert_frame_equal(one, two)
    if name in FOLDED:
        first, again = (pd.Series(division(name, roles).folds) for _ in range(2))
        pd.testing.assert_series_equal(first, again)


@pytest.mark.parametrize("name", [name for name in OPTIONS if name != "time_ordered"])
def test_another_seed_is_another_division(name: str) -> None:
    assert not division(name).test.index.equals(division(name, seed=1).test.index)


@everywhere
def test_the_input_stays_as_it_was(name: str) -> None:
    whole = table()
    found = option(name, BY_GROUP).handle_data(whole)
    found.train["x"] = 0.0
    pd.testing.assert_frame_equal(whole, table())


@tasks
@pytest.mark.parametrize("name", [name for name in OPTIONS if name != "time_ordered"])
def test_a_group_stays_on_one_side(name: str, roles: dict[str, Any]) -> None:
    found = division(name, roles)
    sides = pd.concat(part.assign(side=number)[["customer", "side"]] for number, part in enumerate(parts(found)))
    assert (sides.groupby("customer")["side"].nunique() == 1).all()
    if found.folds is not None:
        assert (found.folds.groupby(found.train["customer"]).nunique() == 1).all()


@tasks
@pytest.mark.parametrize("name", HELD_OUT)
def test_a_hold_out_has_its_shares(name: str, roles: dict[str, Any]) -> None:
    whole = len(table())
    found = division(name, roles)
    shares = [len(part) / whole for part in parts(found)]
    np.testing.assert_allclose(shares, SHARES.get(name, (0.64, 0.16, 0.2)), atol=0.02)
    assert found.folds is None


@pytest.mark.parametrize(("rows", "sizes"), [(10, [6, 2, 2]), (100, [64, 16, 20]), (1000, [640, 160, 200])])
def test_row_by_row_the_sizes_are_exact(rows: int, sizes: list[int]) -> None:
    found = option("80_20").handle_data(table(rows))
    assert [len(part) for part in parts(found)] == sizes


@tasks
@pytest.mark.parametrize("name", FOLDED)
@pytest.mark.parametrize("folds", [2, 5])
def test_folds_share_all_but_the_test(name: str, folds: int, roles: dict[str, Any]) -> None:
    found = division(name, roles, folds=folds)
    assert found.folds is not None
    assert found.folds.index.equals(found.train.index)
    assert str(found.folds.dtype) == "int64"
    assert sorted(found.folds.unique()) == list(range(folds))
    np.testing.assert_allclose(found.folds.value_counts() / len(found.train), 1 / folds, atol=0.03)
    assert len(found.test) == pytest.approx(80, abs=8)


@pytest.mark.parametrize("name", FOLDED)
def test_with_folds_the_validation_has_columns_and_no_row(name: str) -> None:
    found = division(name)
    assert len(found.validation) == 0
    pd.testing.assert_series_equal(found.validation.dtypes, table().dtypes)


@everywhere
def test_sizes_can_be_overridden(name: str) -> None:
    found = division(name, test=0.5)
    assert len(found.test) == pytest.approx(200, abs=8)


@pytest.mark.parametrize("name", NOT_GROUPED)
def test_without_a_group_rows_go_one_by_one(name: str) -> None:
    found = option(name).handle_data(table())
    assert len(found.test) == pytest.approx(400 * SHARES.get(name, (0, 0, 0.2))[2], abs=2)


@pytest.mark.parametrize("name", ["grouped", "grouped_kfold"])
def test_a_grouped_split_is_refused_without_a_group(name: str) -> None:
    assert option(name).problems(400, None, None) == [GROUP_MESSAGE]
    with pytest.raises(ConfigError) as caught:
        option(name).handle_data(table())
    assert str(caught.value) == GROUP_MESSAGE


@settings(max_examples=25, deadline=None)
@given(
    rows=st.integers(120, 200),
    count=st.integers(12, 60),
    seed=st.integers(0, 2**32 - 1),
    name=st.sampled_from(OPTIONS),
)
def test_the_contract_holds_for_any_groups(rows: int, count: int, seed: int, name: str) -> None:
    groups = np.random.default_rng(seed).integers(0, count, rows)
    whole = pd.DataFrame({"customer": groups, "y": np.arange(len(groups)), "when": groups})
    found = option(name, BY_GROUP, seed=seed).handle_data(whole)
    assert sorted(label for part in parts(found) for label in part.index) == list(range(len(groups)))
    column = "when" if name == "time_ordered" else "customer"
    sides = [set(part[column]) for part in parts(found)]
    assert sum(map(len, sides)) == len(set().union(*sides))


@pytest.mark.parametrize("name", NOT_GROUPED)
def test_a_large_table_is_divided_in_a_moment(name: str) -> None:
    """The target is 0.1 s for 100,000 rows; what a busy machine adds is not held against it."""
    whole = table(100_000)
    strategy = option(name, BY_CLASS if "stratified" in name else BY_GROUP)
    start = time.perf_counter()
    strategy.handle_data(whole)
    assert time.perf_counter() - start < 1


# Refusals


@pytest.mark.parametrize(
    ("name", "settings", "rows", "message"),
    [
        pytest.param(
            "80_20",
            {"train": 0.7},
            400,
            "split.train, split.validation and split.test are 0.7, 0.16 and 0.2, which sum to 1.06; "
            "they must sum to 1, or one can be null to take the rest.",
            id="sum",
        ),
        pytest.param("kfold", {"test": 0}, 400, "split.test is 0; a share must be above 0 and below 1.", id="no test"),
        pytest.param(
            "70_15_15",
            {},
            3,
            "split.validation is 0.15, which is less than one of 3 rows; raise it to at least 0.334, or read more rows.",
            id="an empty part",
        ),
        pytest.param(
            "time_ordered",
            {},
            2,
            "split needs at least 3 rows, one each for train, validation and test, but the data has 2.",
            id="few rows",
        ),
        pytest.param(
            "kfold",
            {"folds": 10},
            9,
            "split.folds is 10, but of 9 rows split.test=0.2 leaves 7; choose at most 7 folds, or read more rows.",
            id="fewer rows than folds",
        ),
        pytest.param(
            "kfold",
            {"test": 0.001},
            40,
            "split.test is 0.001, which is less than one of 40 rows; raise it to at least 0.025, or read more rows.",
            id="an empty test",
        ),
        pytest.param(
            "80_20",
            {"group": "custommer"},
            400,
            "split.group is 'custommer', but the cleaned table has no such column; set dataset.group."
            " Did you mean 'customer'?",
            id="unknown group",
        ),
        pytest.param(
            "stratified",
            {"target": "lable"},
            400,
            "split.target is 'lable', but the cleaned table has no such column; set dataset.target."
            " Did you mean 'label'?",
            id="unknown target",
        ),
        pytest.param(
            "time_ordered",
            {"time": "date"},
            400,
            "split.time is 'date', but the cleaned table has no such column; set dataset.time.",
            id="unknown time",
        ),
        pytest.param(
            "time_ordered",
            {"time": None},
            400,
            "split.time is not set, but this split goes by time; name the column in dataset.time, "
            "or choose split=80_20.",
            id="no time",
        ),
    ],
)
def test_what_is_impossible_is_refused_with_the_numbers(
    name: str, settings: dict[str, Any], rows: int, message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        option(name, **settings).handle_data(table(rows))
    assert str(caught.value) == message


@pytest.mark.parametrize(("name", "parts", "told"), [("stratified", 3, "train, validation and test")])
def test_a_rare_class_is_refused(name: str, parts: int, told: str) -> None:
    whole = table(40).assign(label=["only"] * 38 + ["rare"] * 2)
    with pytest.raises(ConfigError) as caught:
        option(name, BY_CLASS).handle_data(whole)
    assert str(caught.value) == (
        f"the rarest class of the target has 2 members (rows or whole groups), but {told} need at least {parts}; "
        "choose split=80_20 or split=kfold, or leave that class out."
    )


def test_a_rare_class_is_refused_for_folds() -> None:
    whole = table(40).assign(label=["only"] * 35 + ["rare"] * 5)
    with pytest.raises(ConfigError, match=r"has 5 members .*, but 5 folds and the test need at least 6; "):
        option("stratified_kfold", BY_CLASS).handle_data(whole)
    assert option("stratified_kfold", BY_CLASS, folds=4).handle_data(whole).folds is not None


def test_a_class_counts_by_its_groups_when_these_stay_together() -> None:
    whole = table(40).assign(label=["only"] * 34 + ["rare"] * 6, customer=[*range(34), 90, 90, 90, 91, 91, 91])
    with pytest.raises(ConfigError, match="has 2 members"):
        option("stratified", {**BY_CLASS, **BY_GROUP}).handle_data(whole)


def test_folds_that_only_large_groups_rule_out_are_refused() -> None:
    whole = pd.DataFrame({"customer": [0] * 2 + [1] * 2 + [2] * 2 + [3] * 2 + [4] * 60, "y": 0.0})
    strategy = KFoldDivide(test=0.2, folds=4, seed=0, group="customer")
    assert strategy.problems(68, 5, None) == []
    for seed in range(20):
        try:
            found = KFoldDivide(test=0.2, folds=4, seed=seed, group="customer").handle_data(whole)
        except DataError as error:
            assert str(error).startswith("split.folds is 4, but beside the test only ")  # noqa: PT017
        else:
            assert found.folds is not None
            assert found.folds.nunique() == 4


@pytest.mark.parametrize("name", NOT_GROUPED)
def test_the_start_up_check_ignores_what_does_not_limit_an_option(name: str) -> None:
    """Groups count where they stay together, classes where they are shared out alike."""
    strategy = option(name)
    assert strategy.problems(400, 1, None) == []
    assert bool(strategy.problems(400, 1, 1)) is name.startswith("stratified")


def test_the_start_up_check_counts_groups_that_stay_together() -> None:
    message = "split needs at least 3 groups, one each for train, validation and test, but the data has 2."
    assert option("80_20", BY_GROUP).problems(400, 2, None) == [message]


# What each does


def test_stratified_keeps_the_classes_alike() -> None:
    found = option("stratified", BY_CLASS).handle_data(table())
    whole = table()["label"].value_counts(normalize=True)
    for part in parts(found):
        np.testing.assert_allclose(part["label"].value_counts(normalize=True)[whole.index], whole, atol=0.02)


def test_stratified_folds_have_every_class() -> None:
    found = option("stratified_kfold", BY_CLASS).handle_data(table())
    assert found.folds is not None
    counts = found.train.groupby(found.folds)["label"].value_counts().unstack()
    assert (counts.max() - counts.min() <= 1).all()


def test_stratified_keeps_a_numeric_target_alike() -> None:
    spread = [part["y"].mean() for part in parts(option("stratified").handle_data(table()))]
    assert np.ptp(spread) < 0.1


def test_stratified_infers_the_task() -> None:
    assert option("stratified", {"target": "label", "task": None}).handle_data(table()).folds is None


@pytest.mark.parametrize("rows", [10, 13, 24])
def test_stratified_fills_every_part_of_a_small_table(rows: int) -> None:
    assert len(parts(option("stratified").handle_data(table(rows)))) == 3


@pytest.mark.parametrize(
    "when",
    [
        pytest.param(lambda whole: whole["when"], id="text"),
        pytest.param(lambda whole: pd.to_datetime(whole["when"]), id="timestamps"),
        pytest.param(lambda whole: pd.to_datetime(whole["when"]).dt.hour + 0.0, id="numbers"),
    ],
)
def test_time_ordered_trains_on_the_past(when: Any) -> None:
    whole = table().assign(when=when)
    found = option("time_ordered").handle_data(whole)
    train, validation, test = (part["when"] for part in (found.train, found.validation, found.test))
    assert train.max() < validation.min()
    assert validation.max() < test.min()


def test_time_ordered_reads_a_format() -> None:
    whole = pd.DataFrame({"when": ["31/01/2020", "01/02/2020", "02/02/2020"] * 2, "y": 0.0})
    found = option("time_ordered", validation=0.3, test=0.3, date_format="%d/%m/%Y").handle_data(whole)
    assert [part["when"].unique().tolist() for part in parts(found)] == [["31/01/2020"], ["01/02/2020"], ["02/02/2020"]]


def test_time_ordered_refuses_too_few_moments_and_gaps() -> None:
    whole = table(40).assign(when=["2020-01-01", "2020-01-02"] * 20)
    with pytest.raises(DataError) as caught:
        option("time_ordered").handle_data(whole)
    assert str(caught.value) == (
        "split.time is 'when', which has 2 different moments, but 3 parts need one each; "
        "name a finer column in dataset.time or choose another split."
    )
    with pytest.raises(DataError, match=r"^split.time is 'when', which is not a date in 20 of 40 rows, first 'soon'; "):
        option("time_ordered").handle_data(whole.assign(when=["2020-01-01", "soon"] * 20))


def test_a_row_without_a_group_goes_alone() -> None:
    whole = table().assign(customer=np.nan)
    found = option("80_20", BY_GROUP).handle_data(whole)
    assert [len(part) for part in parts(found)] == [256, 64, 80]


@pytest.mark.parametrize(
    "cls",
    [
        RandomDivide,
        StratifiedDivide,
        GroupedDivide,
        TimeOrderedDivide,
        KFoldDivide,
        StratifiedKFoldDivide,
        GroupedKFoldDivide,
    ],
)
def test_every_strategy_belongs_to_the_family(cls: type) -> None:
    assert issubclass(cls, DataDivideStrategy)

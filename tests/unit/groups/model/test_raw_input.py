"""Raw rows, as clients send them, through the cleaning of a model."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from mlrunner.core.column_kinds import Kind, infer_kind
from mlrunner.core.errors import DataError
from mlrunner.groups.cleaning import DataPreprocess, KeepAll
from mlrunner.groups.model.packaging import find_trusted_types
from mlrunner.groups.model.raw_input import CleaningTransformer, restore_kind
from mlrunner.groups.strategy import CleaningStrategy
from tests.support.pipelines import fit_pipeline, raw_rows


@dataclasses.dataclass(frozen=True)
class Halved(CleaningStrategy):
    """Strategy of a user, outside the package."""

    by: float = 2.0

    def handle_data(self, table: pd.DataFrame) -> pd.DataFrame:
        return self.transform_rows(table)

    def transform_rows(self, table: pd.DataFrame) -> pd.DataFrame:
        return table / self.by


class TestCleaningTransformer:
    def test_it_gives_the_training_columns_in_order(self) -> None:
        cleaning = fit_pipeline(KeepAll(), "state", "price")["cleaning"]
        assert list(cleaning.transform(raw_rows()).columns) == ["state", "price"]
        assert list(cleaning.get_feature_names_out()) == ["state", "price"]

    def test_the_pipeline_knows_its_raw_columns(self) -> None:
        model = fit_pipeline(KeepAll(), "price", "state")
        assert model.feature_names_in_.tolist() == ["price", "items", "gift", "state", "bought"]
        assert model.n_features_in_ == 5

    def test_target_group_and_ignored_columns_are_not_required(self) -> None:
        cleaning = fit_pipeline(KeepAll(), "price")["cleaning"]
        assert list(cleaning.kinds) == ["price", "items", "gift", "state", "bought"]

    def test_it_predicts_as_the_fitted_part_does(self) -> None:
        model = fit_pipeline(KeepAll(), "price", "state")
        expected = model[1:].predict(raw_rows()[["price", "state"]])
        np.testing.assert_array_equal(model.predict(raw_rows()), expected)
        np.testing.assert_array_equal(model.predict(raw_rows().drop(columns=["score", "id", "order"])), expected)

    def test_rows_in_any_order_of_columns_and_rows(self) -> None:
        model, raw = fit_pipeline(KeepAll(), "price", "state"), raw_rows()
        mixed = raw[sorted(raw.columns)].iloc[::-1]
        np.testing.assert_allclose(model.predict(mixed), model.predict(raw)[::-1])

    def test_one_row_alone_equals_the_row_among_others(self) -> None:
        model, raw = fit_pipeline(DataPreprocess(), "price", "items", "gift"), raw_rows(10)
        alone = [model.predict(raw.iloc[[at]])[0] for at in range(10)]
        np.testing.assert_allclose(alone, model.predict(raw))

    @pytest.mark.parametrize("strategy", [KeepAll(), DataPreprocess()], ids=["none", "preprocess"])
    def test_json_rows_with_a_null_are_accepted(self, strategy: Any) -> None:
        model = fit_pipeline(strategy, "price", "items", "gift")
        rows = pd.DataFrame([{"price": None, "items": 2, "gift": None, "state": "SP"}])
        typed = pd.DataFrame({"price": [np.nan], "items": [2.0], "gift": [np.nan], "state": ["SP"]})
        assert rows["price"].dtype == object
        assert np.isfinite(model.predict(rows)).all()
        np.testing.assert_array_equal(model.predict(rows), model.predict(typed))

    def test_absent_column_counts_as_missing_and_unknown_column_is_ignored(self) -> None:
        model, raw = fit_pipeline(KeepAll(), "price", "state"), raw_rows(3)
        lacking = model.predict(raw.drop(columns="state"))
        np.testing.assert_array_equal(lacking, model.predict(raw.assign(state=None)))
        np.testing.assert_array_equal(model.predict(raw.assign(more=1)), model.predict(raw))

    def test_rows_of_another_table_are_refused(self) -> None:
        message = r"^The rows have none of the model's columns; it needs price, items, gift, state, bought\.$"
        with pytest.raises(DataError, match=message):
            fit_pipeline(KeepAll(), "price").predict(pd.DataFrame({"x": [1]}))

    def test_text_for_a_number_is_refused_by_name(self) -> None:
        with pytest.raises(DataError, match=r"^Column 'price' holds numbers in training, but: could not convert"):
            fit_pipeline(KeepAll(), "price").predict(raw_rows(2).assign(price=["1", "dear"]))

    def test_no_row_stays_no_row(self) -> None:
        cleaned = fit_pipeline(KeepAll(), "price", "state")["cleaning"].transform(raw_rows().iloc[:0])
        assert cleaned.shape == (0, 2)

    def test_the_input_is_never_changed(self) -> None:
        raw = raw_rows()
        fit_pipeline(KeepAll(), "price").predict(raw)
        pd.testing.assert_frame_equal(raw, raw_rows())

    def test_it_can_be_cloned_and_needs_no_fit(self) -> None:
        cleaning = CleaningTransformer(KeepAll(), {"a": "number"}, ["a"])
        assert clone(cleaning).fit(None).transform(pd.DataFrame({"a": [1]})).shape == (1, 1)

    @pytest.mark.parametrize("strategy", [KeepAll(drop=["gift"]), DataPreprocess(fill={"price": 0.5}), Halved(by=4)])
    def test_skops_restores_the_strategy(self, strategy: Any) -> None:
        model = fit_pipeline(strategy, "price", "items")
        raw = raw_rows()[["price", "items"]]
        cleaning = CleaningTransformer(strategy, {"price": "number", "items": "number"}, ["price", "items"])
        model = Pipeline([("cleaning", cleaning), *model.steps[1:]])
        back = skops.io.loads(skops.io.dumps(model), trusted=find_trusted_types(model))
        assert back["cleaning"].strategy == strategy
        np.testing.assert_array_equal(back.predict(raw), model.predict(raw))


@pytest.mark.parametrize("name", ["price", "gift", "state", "bought"])
def test_a_column_of_its_kind_is_returned_itself(name: str) -> None:
    column = raw_rows()[name]
    assert restore_kind(column, infer_kind(column)) is column


@pytest.mark.parametrize(
    ("values", "kind", "dtype", "expected"),
    [
        pytest.param([1.5, None], Kind.NUMBER, "float64", [1.5, np.nan], id="null among numbers"),
        pytest.param([None, None], Kind.NUMBER, "float64", [np.nan, np.nan], id="nulls for numbers"),
        pytest.param([True, None], Kind.NUMBER, "float64", [1.0, np.nan], id="truth values for numbers"),
        pytest.param(["2.5", None], Kind.NUMBER, "float64", [2.5, np.nan], id="digits as text"),
        pytest.param([True, None], Kind.BOOLEAN, "boolean", [True, None], id="null among true and false"),
        pytest.param([None, None], Kind.BOOLEAN, "boolean", [None, None], id="nulls for true and false"),
        pytest.param([1.0, 0.0], Kind.BOOLEAN, "bool", [True, False], id="numbers for true and false"),
        pytest.param([7, None], Kind.TEXT, "str", ["7", None], id="a number for a text"),
        pytest.param([None, None], Kind.TEXT, "str", [None, None], id="nulls for texts"),
        pytest.param(["a", None], Kind.CATEGORY, "str", ["a", None], id="texts for categories"),
    ],
)
def test_restore_kind(values: list[Any], kind: Kind, dtype: str, expected: list[Any]) -> None:
    result = restore_kind(pd.Series(values, dtype=object), kind)
    assert str(result.dtype) == dtype
    pd.testing.assert_series_equal(result, pd.Series(expected, dtype=dtype))


def test_dates_as_text_are_read() -> None:
    result = restore_kind(pd.Series(["2020-01-02 03:04:05", None]), Kind.MOMENT)
    assert result.tolist()[0] == pd.Timestamp("2020-01-02 03:04:05")
    assert infer_kind(result) is Kind.MOMENT


def test_text_for_a_date_is_refused_by_name() -> None:
    with pytest.raises(DataError, match=r"^Column 'day' holds dates in training, but: "):
        restore_kind(pd.Series(["soon"], name="day"), Kind.MOMENT)


class TestDates:
    """Dates for plain MLflow, which knows no format: in another one they are refused, as by the model server."""

    @staticmethod
    def transform(*values: Any) -> pd.Series:
        strategy = DataPreprocess(date_formats={"day": "%d.%m.%Y"})
        rows = pd.DataFrame({"day": pd.Series(values, dtype=object), "x": 1.0})
        return CleaningTransformer(strategy, {"day": "text", "x": "number"}, ["day_days", "x"]).transform(rows)[
            "day_days"
        ]

    def test_dates_in_the_format_of_the_training_are_read(self) -> None:
        assert self.transform("02.01.1970", None).fillna(-1).tolist() == [1.0, -1.0]

    @pytest.mark.parametrize("value", ["1970-01-02", "01/02/1970", "13.13.1970", "soon"])
    def test_dates_in_another_format_are_refused(self, value: str) -> None:
        count = "1 of 2 values have another format"
        expected = f"Column 'day' holds dates in %d.%m.%Y, but {count}, first '{value}'; correct them."
        with pytest.raises(DataError) as refused:
            self.transform(value, "02.01.1970")
        assert str(refused.value) == expected

    def test_one_in_a_hundred_counts_as_missing_with_a_warning(self) -> None:
        with pytest.warns(
            UserWarning, match="but 1 of 100 values have another format, first 'soon'; they count as missing"
        ):
            days = self.transform("soon", *["02.01.1970"] * 99)
        assert days.isna().tolist() == [True, *[False] * 99]

    def test_pickled_dates_of_another_type_are_read(self) -> None:
        assert self.transform(pd.Timestamp("1970-01-02")).tolist() == [1.0]

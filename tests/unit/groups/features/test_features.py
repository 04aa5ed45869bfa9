"""Options of conf/features, and the kinds of columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pydantic
import pytest
import yaml

from mlrunner.core.build import build
from mlrunner.core.errors import DataError
from mlrunner.groups.features import Features
from tests.support.feature_rows import TARGETS, messy
from tests.support.front_door import PROJECT

CONF = PROJECT / "conf" / "features"
OPTIONS = sorted(file.stem for file in CONF.glob("*.yaml"))


def option(name: str, **changed: Any) -> Features:
    settings = yaml.safe_load((CONF / f"{name}.yaml").read_text())
    result = build({**settings, "seed": 0, **changed}, "model.features")
    assert isinstance(result, Features)
    return result


@pytest.mark.parametrize("task", TARGETS)
@pytest.mark.parametrize("name", OPTIONS)
class TestOptions:
    def test_dense_floats_of_the_same_width_for_any_rows(self, name: str, task: str) -> None:
        table, before = messy(), messy()
        chosen = option(name).build(table, task)
        trained = chosen.fit_transform(table, TARGETS[task](len(table)))
        again = chosen.transform(messy(7, seed=9))
        assert {*trained.dtypes, *again.dtypes} == {np.dtype(np.float64)}
        assert trained.shape[1] == again.shape[1] == len(chosen.get_feature_names_out())
        assert np.isnan(trained.to_numpy()).any() == (option(name).impute is None)
        pd.testing.assert_frame_equal(table, before)

    def test_rows_alone_with_other_dtypes_or_unseen_values_are_encoded(self, name: str, task: str) -> None:
        table = messy(40)
        chosen = option(name).build(table, task).fit(table, TARGETS[task](len(table)))
        whole = chosen.transform(table)
        np.testing.assert_allclose(
            np.vstack([chosen.transform(table.iloc[[at]]) for at in range(0, 40, 4)]), whole[::4]
        )
        loose = table.astype(object).where(table.notna(), None)
        loose["bought"] = table["bought"]
        np.testing.assert_allclose(chosen.transform(loose), whole)
        unseen = {"state": ["XX", None, "SP"], "city": [None, "Atlantis", "city 1"], "comment": [None] * 3}
        assert chosen.transform(table.iloc[:3].assign(price=np.nan, **unseen)).shape[0] == 3


def test_kinds_follow_the_training_rows() -> None:
    chosen = option("linear", low_cardinality=3, text_features=8)
    assert chosen.kinds(messy()) == {
        "price": "number",
        "items": "number",
        "gift": "number",
        "nothing": "number",
        "state": "low",
        "city": "high",
        "comment": "text",
        "bought": "number",
    }


@pytest.mark.parametrize(
    ("changed", "kind"),
    [({"low_cardinality": 0}, "high"), ({"low_cardinality": 2}, "high"), ({"low_cardinality": 3}, "low")],
    ids=["none", "a gap counts as one", "just enough"],
)
def test_low_cardinality_is_inclusive(changed: dict[str, Any], kind: str) -> None:
    assert option("linear", **changed).kinds(messy()[["state"]]) == {"state": kind}


def test_free_text_may_be_taken_as_categories() -> None:
    assert option("linear", text_features=0).kinds(messy()[["comment"]]) == {"comment": "high"}


def test_numbers_alone_need_one_part_only() -> None:
    table = messy()[["price", "items"]]
    assert [part[0] for part in option("native").build(table, "regression").transformers] == ["number"]
    encoded = option("native").build(table, "regression").fit_transform(table)
    np.testing.assert_array_equal(encoded, table.to_numpy(dtype=float))


def test_missing_value_is_flagged() -> None:
    table = messy()[["price", "items"]]
    names = option("linear").build(table, "regression").fit(table).get_feature_names_out()
    assert list(names) == ["price", "items", "missingindicator_price"]


def test_linear_scales_and_robust_differs() -> None:
    table = messy()[["items"]]
    scaled = option("linear").build(table, "regression").fit_transform(table).to_numpy()
    assert scaled.mean() == pytest.approx(0)
    assert scaled.std() == pytest.approx(1)
    robust = option("linear", scale="robust").build(table, "regression").fit_transform(table)
    assert np.median(robust) == pytest.approx(0)


def test_ordinal_gives_unknown_categories_minus_one() -> None:
    table = pd.DataFrame({"city": [f"c{at}" for at in range(30)]})
    chosen = option("native", high_cardinality="ordinal").build(table, "regression").fit(table)
    unknown = chosen.transform(pd.DataFrame({"city": ["c0", "elsewhere", None]}))
    assert unknown.to_numpy().ravel().tolist() == [0, -1, -1]


def test_no_column_is_refused() -> None:
    with pytest.raises(
        DataError, match=r"^Cleaning leaves no column to learn from; keep text columns with cleaning=full.$"
    ):
        option("linear").build(pd.DataFrame(index=range(3)), "regression")


def test_flags_without_imputation_are_refused() -> None:
    problems = option("native", indicate_missing=True).problems()
    assert problems == ["model.features.indicate_missing=true needs model.features.impute; set it to median or mean."]


@pytest.mark.parametrize(
    "wrong", [{"impute": "mode"}, {"low_cardinality": -1}, {"scale": "log"}, {"text_features": -1}]
)
def test_wrong_settings_are_refused(wrong: dict[str, Any]) -> None:
    settings = {"impute": "mean", "indicate_missing": False, "scale": None, "low_cardinality": 1}
    settings |= {"high_cardinality": "target", "text_features": 0, "seed": 0}
    with pytest.raises(pydantic.ValidationError):
        Features(**{**settings, **wrong})

"""Names and source columns of the features that estimators are fitted on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from mlrunner.core.build import build
from mlrunner.core.estimators import make_safe, unwrap
from mlrunner.groups.features import Features
from mlrunner.groups.features.named_columns import NamedColumnTransformer
from tests.support.front_door import PROJECT
from tests.support.models import OPTIONS, build_small_option

AGE = make_safe("age [y]")
LINEAR = Path(PROJECT, "conf/features/linear.yaml")
TABLE = pd.DataFrame(
    {
        "sex": ["<m>", "f", "f", None] * 3,  # the first value is a name that XGBoost refuses
        "age [y]": [1.0, np.nan, 3.0, 4.0] * 3,
        "sex_f": np.arange(12.0),  # called as the feature of a category
        "note": [f"a long text number {at}" for at in range(12)],
        "city": [f"c{at}" for at in range(12)],
    }
)


def encoders(**changed: Any) -> NamedColumnTransformer:
    settings = {**yaml.safe_load(LINEAR.read_text()), "seed": 0, "low_cardinality": 4, "text_features": 2, **changed}
    features = build(settings, "model.features")
    assert isinstance(features, Features)
    return features.build(TABLE, "classification")


def test_each_feature_has_a_name_of_its_own_and_its_source_column() -> None:
    fitted = encoders(indicate_missing=True, impute="median", high_cardinality="target").fit(
        TABLE, np.repeat([0, 1, 2], 4)
    )
    assert dict(zip(fitted.feature_names_out_, fitted.source_columns_, strict=True)) == {
        AGE: "age [y]",
        "sex_f": "sex_f",
        f"missingindicator_{AGE}": "age [y]",
        "sex_(missing)": "sex",
        make_safe("sex_<m>"): "sex",
        "sex_f_2": "sex",
        "city_0": "city",
        "city_1": "city",
        "city_2": "city",
        "note#0": "note",
        "note#1": "note",
    }
    assert fitted.transform(TABLE).columns.tolist() == fitted.get_feature_names_out().tolist()


def test_the_table_keeps_the_index_and_is_read_only() -> None:
    rows = TABLE.set_index(pd.Index(range(100, 112)))
    encoded = encoders(high_cardinality="ordinal").fit(TABLE).transform(rows)
    assert encoded.index.tolist() == rows.index.tolist()
    with pytest.raises(ValueError, match="WRITEABLE"):
        encoded.to_numpy().setflags(write=True)


@pytest.mark.parametrize("name", sorted(set(OPTIONS) - {"dummy", "custom", "linear_regression"}))
def test_the_names_reach_every_estimator(name: str) -> None:
    rows, target = TABLE[["age [y]", "sex"]], pd.Series(np.tile([0, 1], 6))
    fitted = build_small_option(name, "classification").build(rows, "classification").fit(rows, target)
    inner = unwrap(fitted[-1])
    names = inner.feature_names_ if name == "catboost" else inner.feature_names_in_
    expected = [text.replace(" ", "_") if name == "lightgbm" else text for text in fitted[0].feature_names_out_]
    assert list(names) == expected
    assert AGE.replace(" ", "_") in [text.replace(" ", "_") for text in names]

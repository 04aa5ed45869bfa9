"""The signature of a saved model: its types, its optional columns, and integers that may be missing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from mlflow.models.utils import _enforce_schema
from omegaconf import DictConfig
from sklearn.dummy import DummyClassifier, DummyRegressor

from mlrunner.composition.resolve import resolve_group
from mlrunner.core.build import build
from mlrunner.core.column_roles import Roles
from mlrunner.groups.cleaning import DataPreprocess, DateFeatures, KeepAll
from mlrunner.groups.cleaning.controller import DataCleaning, select_inputs
from mlrunner.groups.features import Features
from mlrunner.groups.model.packaging import assemble
from mlrunner.groups.strategy import CleaningStrategy
from mlrunner.steps import model_signature
from tests.support.front_door import PROJECT

OPTIONS = sorted(path.stem for path in (PROJECT / "conf" / "cleaning").glob("*.yaml"))
ROLES = Roles("y", ignore=("id",), group="order")
ALL = {"whole", "real", "flag", "text", "bought_at", "stamp"}
NATIVE = Features(
    impute=None,
    indicate_missing=False,
    scale=None,
    low_cardinality=4,
    high_cardinality="ordinal",
    text_features=0,
    seed=0,
)
Compose = Callable[[list[str]], DictConfig]


def raw(rows: int = 12) -> pd.DataFrame:
    number = np.arange(rows)
    days = pd.Timestamp("2020-02-27") + pd.to_timedelta(number, unit="D")
    return pd.DataFrame(
        {
            "id": number,
            "order": number // 2,
            "whole": number % 5,
            "real": np.where(number % 4 == 1, np.nan, number / 3),
            "flag": number % 2 == 0,
            "text": [f"t{value % 3}" for value in number],
            "bought_at": pd.Series(days.strftime("%Y-%m-%d"), dtype="str"),
            "stamp": days,
            "y": number / 2,
        }
    )


def strategy(option: str, compose: Compose) -> CleaningStrategy:
    built: CleaningStrategy = build(
        resolve_group(compose([f"cleaning={option}", "dataset=csv"]), "cleaning"), "cleaning"
    )
    return built


def fitted(cleaning: CleaningStrategy, estimator: Any, target: pd.Series[Any] | None = None) -> Any:
    """Fit the model that a run would save: from raw rows to predictions."""
    from sklearn.pipeline import Pipeline

    rows = raw()
    cleaned = DataCleaning(rows, cleaning, ROLES).handle_data().drop(columns=["y", "order"])
    task = "regression" if target is None else "classification"
    pipeline = Pipeline([("features", NATIVE.build(cleaned, task)), ("estimator", estimator)])
    pipeline.fit(cleaned, rows["y"] if target is None else target)
    return assemble(pipeline, cleaning, ROLES, cleaned, rows)


def example() -> pd.DataFrame:
    return model_signature.convert_integers(select_inputs(raw().head(5), ROLES))


# --- convert_integers ---------------------------------------------------------------------------------------------


def test_only_integers_that_may_be_missing_become_doubles() -> None:
    rows = pd.DataFrame(
        {
            "int64": [1, 2],
            "int8": np.array([1, 2], np.int8),
            "uint16": np.array([1, 2], np.uint16),
            "uint64": np.array([1, 2**64 - 1], np.uint64),
            "nullable": pd.array([1, None], "Int64"),
            "float32": np.array([1, 2], np.float32),
            "bool": [True, False],
            "text": ["a", "b"],
        }
    )
    before = rows.copy()
    kinds = model_signature.convert_integers(rows).dtypes.astype(str).to_dict()
    assert {kinds.pop(name) for name in ("uint64", "nullable")} == {"float64"}
    assert {name: kind for name, kind in kinds.items() if name != kind} == {"text": "str"}
    pd.testing.assert_frame_equal(rows, before)


# --- used_columns -------------------------------------------------------------------------------------------


USED = {
    "none": ALL,
    "preprocess": {"whole", "real", "flag"},
    "robust": {"whole", "real", "flag"},
    "dates": {"whole", "real", "flag", "bought_at", "stamp"},
    "full": ALL,
}


def test_every_option_of_cleaning_is_tested() -> None:
    assert set(USED) == set(OPTIONS)


@pytest.mark.parametrize("option", OPTIONS)
def test_used_columns_of_every_option(option: str, compose: Compose) -> None:
    assert model_signature.find_used_columns(example(), strategy(option, compose)) == USED[option]


@pytest.mark.parametrize(
    ("cleaning", "used"),
    [
        (KeepAll(drop=["text"]), ALL - {"text"}),
        (DataPreprocess(drop=["whole"]), {"real", "flag"}),
        (DataPreprocess(dates=["bought_at"]), {"whole", "real", "flag", "bought_at"}),
        (DataPreprocess(fill={"real": 0.0, "text": "none"}), {"whole", "real", "flag"}),
        (DataPreprocess(keep_numeric=False), ALL),
        (
            DateFeatures(dates=[], durations={"waited": ("stamp", "bought_at")}),
            {"whole", "real", "flag", "stamp", "bought_at"},
        ),
        (DateFeatures(dates=["stamp"], parts=["hour"], durations=None), {"whole", "real", "flag", "stamp"}),
    ],
    ids=["drop", "drop-number", "dates", "fill", "keep-text", "durations", "parts"],
)
def test_used_columns_follow_the_settings(cleaning: CleaningStrategy, used: set[str]) -> None:
    assert model_signature.find_used_columns(example(), cleaning) == used


# --- signature ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("option", OPTIONS)
def test_the_signature_of_every_option(option: str, compose: Compose) -> None:
    cleaning = strategy(option, compose)
    model = fitted(cleaning, DummyRegressor())
    signature = model_signature.build_signature(model, example(), cleaning)
    assert [column.name for column in signature.inputs] == ["whole", "real", "flag", "text", "bought_at", "stamp"]
    assert [column.type.name for column in signature.inputs] == [
        "long",
        "double",
        "boolean",
        "string",
        "string",
        "datetime",
    ]
    assert {column.name for column in signature.inputs if column.required} == USED[option]
    assert [(column.name, column.type.name) for column in signature.outputs] == [("prediction", "double")]


@pytest.mark.parametrize("option", [name for name in OPTIONS if USED[name] != ALL])
def test_optional_columns_do_not_change_the_features(option: str, compose: Compose) -> None:
    features = fitted(strategy(option, compose), DummyRegressor())[:-1]
    rows = example()
    optional = [name for name in rows if name not in USED[option]]
    np.testing.assert_array_equal(features.transform(rows.drop(columns=optional)), features.transform(rows))


@pytest.mark.parametrize(
    ("labels", "kind"),
    [(["no", "yes"], "string"), ([0, 1], "long"), ([False, True], "boolean"), ([1.0, 2.0], "double")],
    ids=["text", "whole", "yes-or-no", "fraction"],
)
def test_type_of_the_prediction(labels: list[Any], kind: str) -> None:
    cleaning = DataPreprocess()
    model = fitted(cleaning, DummyClassifier(), pd.Series(labels * 6))
    assert [column.type.name for column in model_signature.build_signature(model, example(), cleaning).outputs] == [
        kind
    ]


class CountingCleaning(KeepAll):
    """Cleaning that counts how often it is used."""

    cleaned = 0

    def transform_rows(self, table: pd.DataFrame) -> pd.DataFrame:
        """Count, and keep the columns."""
        type(self).cleaned += 1
        return super().transform_rows(table)


def test_many_columns_are_cleaned_a_few_times() -> None:
    names = [f"c{number}" for number in range(200)]
    rows = pd.DataFrame(np.ones((3, 200)), columns=names)
    used = model_signature.find_used_columns(rows, CountingCleaning(drop=["c7", "c190"]))
    assert used == set(names) - {"c7", "c190"}
    assert CountingCleaning.cleaned == 3


def test_columns_that_were_nearly_empty_in_training_are_optional() -> None:
    rows = pd.DataFrame(
        {"full": np.arange(100.0), "rare": [1.0] * 5 + [np.nan] * 95, "some": [1.0] * 6 + [np.nan] * 94}
    )
    empty = model_signature.find_nearly_empty(rows)
    assert empty == {"rare"}
    signature = model_signature.build_signature(
        DummyRegressor().fit(rows, rows["full"]), rows.head(5), KeepAll(), empty
    )
    assert {column.name: column.required for column in signature.inputs} == {"full": True, "rare": False, "some": True}


def test_mlflow_accepts_the_raw_table_of_the_training() -> None:
    """Its signature takes integers of 64 bits as `long`, and where the training table has a gap, with a gap as well."""
    gaps = pd.Series([1, None, 3] * 4, dtype="Int64")
    rows = raw()[["whole", "real", "y"]].assign(gaps=gaps)
    served = model_signature.convert_integers(rows.drop(columns="y"))
    signature = model_signature.build_signature(DummyRegressor().fit(served, rows["y"]), served.head(5), KeepAll())
    assert {column.name: column.type.name for column in signature.inputs} == {
        "whole": "long",
        "real": "double",
        "gaps": "double",
    }
    accepted = _enforce_schema(rows.drop(columns=["y"]).astype({"gaps": "float64"}), signature.inputs)
    assert accepted["whole"].tolist() == rows["whole"].tolist()
    assert accepted["gaps"].isna().sum() == 4

"""The embedded sample: its script writes it, it looks like the real table, and it can be learned."""

from __future__ import annotations

import gzip
import hashlib
import itertools
import runpy
import subprocess
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.support.front_door import PROJECT

DATA = PROJECT / "data"
FILE = DATA / "olist_synthetic.csv.gz"
REAL = DATA.parents[1] / "shared" / "data" / "olist_customers_dataset.csv"
NOT_FEATURES = ["customer_id", "customer_unique_id", "product_id", "customer_zip_code_prefix", "review_score"]
PURCHASE = "order_purchase_timestamp"


@pytest.fixture(scope="module")
def sample() -> pd.DataFrame:
    return pd.read_csv(FILE)


@pytest.fixture(scope="module")
def real() -> pd.DataFrame:
    if not REAL.exists():
        pytest.skip(f"{REAL} is not there")
    return pd.read_csv(REAL)


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(DATA))
        return runpy.run_path(str(DATA / "make_olist.py"))


@pytest.fixture(scope="module")
def moments(sample: pd.DataFrame) -> pd.DataFrame:
    names = [name for name in sample if name.endswith(("_at", "_date", "_timestamp"))]
    return sample[names].apply(pd.to_datetime)


def test_the_script_writes_the_file_in_the_repository(script: dict[str, Any]) -> None:
    if not np.__version__.startswith(f"{script['WRITTEN_WITH']}."):
        pytest.skip(f"the file was drawn with numpy {script['WRITTEN_WITH']}, this is {np.__version__}")
    packed = script["packed"](script["make_table"]())
    assert packed[4:8] == b"\0\0\0\0"  # no time in the header of gzip
    assert digest(packed) == digest(FILE.read_bytes())  # the packed bytes may differ with the zlib


def digest(packed: bytes) -> str:
    return hashlib.sha256(gzip.decompress(packed)).hexdigest()


def test_another_seed_gives_another_table(script: dict[str, Any], sample: pd.DataFrame) -> None:
    other = script["make_table"](seed=1)
    assert list(other) == list(sample)
    assert not set(other["order_id"]) & set(sample["order_id"])


def test_the_file_is_small_and_kept_by_git() -> None:
    assert FILE.stat().st_size < 3_000_000
    command = ["git", "check-ignore", "--quiet", "--no-index"]
    kept = ["README.md", "make_olist.py", "olist_words.py", FILE.name, ".gitignore"]
    assert all(subprocess.run([*command, str(DATA / name)], check=False).returncode == 1 for name in kept)
    assert subprocess.run([*command, str(DATA / "mine.csv")], check=False).returncode == 0


def test_the_schema_is_that_of_the_real_table(sample: pd.DataFrame, real: pd.DataFrame) -> None:
    pd.testing.assert_series_equal(sample.dtypes, real.dtypes)


def test_no_row_and_no_id_is_copied(sample: pd.DataFrame, real: pd.DataFrame) -> None:
    for name in ("order_id", "customer_id", "customer_unique_id", "product_id", "seller_id", "review_comment_message"):
        assert not set(sample[name].dropna()) & set(real[name].dropna()), name


def test_the_gaps_are_in_the_same_columns_at_similar_rates(sample: pd.DataFrame, real: pd.DataFrame) -> None:
    ours, theirs = sample.isna().mean(), real.isna().mean()
    assert set(ours[ours > 0].index) == set(theirs[theirs > 0].index)
    assert (ours - theirs).abs().max() < 0.05


def test_an_order_has_several_rows_and_one_score(sample: pd.DataFrame) -> None:
    orders = sample.groupby("order_id")
    assert 19_900 <= len(sample) <= 20_000
    assert 0.1 < (orders.size() > 1).mean() < 0.3
    constant = ["review_score", "customer_id", PURCHASE, "payment_type", "order_status"]
    assert (orders[constant].nunique() == 1).all(axis=None)
    assert not sample.duplicated(["order_id", "order_item_id", "payment_sequential"]).any()


def test_scores_are_one_to_five_in_the_shares_of_the_real_table(sample: pd.DataFrame) -> None:
    shares = sample["review_score"].value_counts(normalize=True)
    assert set(shares.index) == {1, 2, 3, 4, 5}
    assert shares.idxmax() == 5
    assert shares[1] > 0.2
    assert shares.min() > 0.03


@pytest.mark.parametrize("name", ["order_id", "customer_id", "customer_unique_id", "product_id", "seller_id"])
def test_ids_are_32_hex_characters(sample: pd.DataFrame, name: str) -> None:
    assert sample[name].str.fullmatch("[0-9a-f]{32}").all()


def test_dates_are_text_of_one_form_and_follow_each_other(sample: pd.DataFrame, moments: pd.DataFrame) -> None:
    for name in moments:
        assert sample[name].dropna().str.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d").all(), name
    stages = [PURCHASE, "order_approved_at", "order_delivered_carrier_date", "order_delivered_customer_date"]
    for earlier, later in itertools.pairwise(stages):
        gaps = moments[later].isna()
        assert ((moments[earlier] <= moments[later]) | gaps).all(), later
    assert (sample["order_status"] == "delivered").equals(moments["order_delivered_customer_date"].notna())


def test_numbers_are_plausible(sample: pd.DataFrame) -> None:
    numbers = sample.select_dtypes("number")
    assert (numbers.min() >= 0).all()
    assert (sample[["price", "product_weight_g", "product_length_cm"]] > 0).all(axis=None)
    assert sample["price"].skew() > 2  # a few dear products
    assert (sample.loc[sample["payment_type"] != "credit_card", "payment_installments"] == 1).all()


def test_comments_are_messy_and_speak_of_the_score(sample: pd.DataFrame) -> None:
    comments = sample.dropna(subset="review_comment_message")
    text = comments["review_comment_message"]
    assert text.str.contains("\n").any()
    assert text.str.contains(",").any()
    assert text.str.contains('"').any()
    assert text.str.contains("ã").any()
    praise = text.str.contains("recomendo a loja|parabéns")
    assert comments.loc[praise, "review_score"].mean() > comments.loc[~praise, "review_score"].mean() + 1


def linear() -> Any:
    from sklearn.linear_model import LinearRegression

    return LinearRegression()


def booster() -> Any:
    from xgboost import XGBRegressor

    return XGBRegressor(n_estimators=100, max_depth=5, learning_rate=0.1, n_jobs=1)


def held_out_r2(features: pd.DataFrame, sample: pd.DataFrame, model: Any) -> float:
    """Score on orders that the model has not seen."""
    held_out = sample["order_id"].str[0].isin(["0", "1", "2"])
    features = features.fillna(features[~held_out].median())
    model.fit(features[~held_out], sample.loc[~held_out, "review_score"])
    return float(model.score(features[held_out], sample.loc[held_out, "review_score"]))


@pytest.mark.parametrize(("model", "least"), [(linear, 0.05), (booster, 0.08)])
def test_numeric_features_predict_the_score(sample: pd.DataFrame, model: Callable[[], Any], least: float) -> None:
    numbers = sample.drop(columns=NOT_FEATURES).select_dtypes("number")
    assert least < held_out_r2(numbers, sample, model()) < 0.3


@pytest.mark.parametrize(("model", "least"), [(linear, 0.1), (booster, 0.2)])
def test_delay_improves_the_prediction(
    sample: pd.DataFrame, moments: pd.DataFrame, model: Callable[[], Any], least: float
) -> None:
    days = moments.sub(moments[PURCHASE], axis=0).drop(columns=PURCHASE).apply(lambda part: part.dt.total_seconds())
    numbers = sample.drop(columns=NOT_FEATURES).select_dtypes("number")
    delay = (moments["order_delivered_customer_date"] - moments["order_estimated_delivery_date"]).dt.total_seconds()
    table = numbers.join(days / 86400).assign(delay=delay / 86400, arrived=delay.notna().astype(float))
    assert least < held_out_r2(table, sample, model()) < 0.4

"""Write data/olist_synthetic.csv.gz: synthetic orders in the schema of Olist's merged orders table.

    python data/make_olist.py

No row is copied from the real table: only its columns, their order, types and missing values are imitated.
The same NumPy release writes the same bytes each time.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import olist_words as olist
import pandas as pd
from numpy.typing import ArrayLike, NDArray

SEED = 20180903
ROWS, ORDERS, PRODUCTS, SELLERS = 20_000, 16_500, 4_000, 900
OUTPUT = Path(__file__).with_name("olist_synthetic.csv.gz")
WRITTEN_WITH = "2.4"  # NumPy release that generated the file in the repository

Array = NDArray[Any]
Rng = np.random.Generator
SCORE_SHARES = [0.24, 0.05, 0.09, 0.17]  # of the scores 1 to 4; the rest are 5


def hex_ids(rng: Rng, count: int) -> Array:
    """Draw ids of 32 hex characters with two equal halves, which gzip compresses to half the size."""
    digits = rng.bytes(8 * count).hex()
    return np.array([digits[16 * i : 16 * i + 16] * 2 for i in range(count)])


def pick(rng: Rng, weights: Sequence[float], count: int) -> Array:
    """Draw indices of a list by weight."""
    return np.asarray(rng.choice(len(weights), count, p=np.array(weights) / sum(weights)))


def skewed(rng: Rng, median: ArrayLike, sigma: float, low: float, high: float) -> Array:
    """Draw one log-normal number for each median, clipped to a range."""
    centre = np.asarray(median, dtype=float)
    return np.clip(centre * np.exp(sigma * rng.standard_normal(centre.shape)), low, high)


def make_products(rng: Rng) -> pd.DataFrame:
    """Generate the catalogue: one row per product, with its hidden appeal."""
    kind = pick(rng, olist.CATEGORY_WEIGHTS, PRODUCTS)
    name, english, liking, price, grams = (np.array(part)[kind] for part in zip(*olist.CATEGORIES, strict=True))
    photos = rng.geometric(0.45, PRODUCTS).clip(1, 12)
    words = skewed(rng, np.full(PRODUCTS, 600), 0.75, 30, 3900).round()
    weight = skewed(rng, grams, 0.8, 50, 30_000).round()
    length, height, width = (skewed(rng, cm * (weight / 1000) ** 0.3, 0.35, 7, 105) for cm in (28, 13, 21))
    appeal = liking + 0.4 * (photos - 2.2) + 0.6 * np.log(words / 600) + 0.2 * rng.standard_normal(PRODUCTS)
    table = pd.DataFrame({
        "product_id": hex_ids(rng, PRODUCTS), "seller": rng.zipf(1.25, PRODUCTS) % SELLERS,
        "list_price": skewed(rng, price, 0.7, 3, 4500), "product_category_name": name,
        "product_name_lenght": rng.normal(49, 9, PRODUCTS).clip(7, 69).round(),
        "product_description_lenght": words, "product_photos_qty": photos.astype(float),
        "product_weight_g": weight, "product_length_cm": length, "product_height_cm": height,
        "product_width_cm": width, "product_category_name_english": english, "appeal": appeal,
    })  # fmt: skip
    described = table.filter(regex="lenght|photos|category").columns
    table.loc[rng.random(PRODUCTS) < 0.02, described] = np.nan
    return table.replace({"product_category_name_english": {"": np.nan}})


def make_orders(rng: Rng, products: pd.DataFrame) -> pd.DataFrame:
    """Generate the orders: buyer, first product, payment and hidden seller quality, one row per order."""
    code, shares, zips, road, cities = zip(*olist.STATES, strict=True)
    state = pick(rng, shares, ORDERS)
    town = zip(state, rng.integers(0, 60, ORDERS), strict=True)
    people = hex_ids(rng, ORDERS)
    product = (rng.beta(0.6, 1.6, ORDERS) * PRODUCTS).astype(int)
    quality = rng.standard_normal(SELLERS)[products["seller"].to_numpy()[product]]
    return pd.DataFrame({
        "order_id": hex_ids(rng, ORDERS), "customer_id": hex_ids(rng, ORDERS),
        "customer_unique_id": np.where(rng.random(ORDERS) < 0.03, np.roll(people, 1), people),
        "customer_zip_code_prefix": np.array(zips)[state] + rng.integers(0, 5000, ORDERS),
        "customer_city": [cities[s][n % len(cities[s])] for s, n in town],
        "customer_state": np.array(code)[state],
        "road": np.array(road)[state], "product": product, "quality": quality,
        "payment_type": np.array(olist.PAYMENTS)[pick(rng, [74, 19, 5.5, 1.5], ORDERS)],
        "items": np.array([1, 2, 3, 4, 6])[pick(rng, [890, 75, 20, 10, 5], ORDERS)],
        "payments": np.array([1, 2, 3, 8])[pick(rng, [950, 35, 10, 5], ORDERS)],
    })  # fmt: skip


def add_dates(rng: Rng, orders: pd.DataFrame) -> pd.DataFrame:
    """Add the dates of each order's stages as text, without the stages that were not reached, and the delay in days."""
    day = (700 * np.sqrt(rng.random(ORDERS))).astype(int)  # sales grow over the 700 days
    bought = np.datetime64("2016-10-02T00:00:00") + (day * 86400 + rng.integers(25_000, 86_000, ORDERS))
    approval = skewed(rng, np.full(ORDERS, 0.1), 1.6, 0.005, 20)
    handling = approval + skewed(rng, 2.2 * np.exp(-0.25 * orders["quality"]), 0.7, 0.1, 50)
    arrival = handling + skewed(rng, orders["road"], 0.55, 0.5, 120)
    promise = np.ceil(skewed(rng, orders["road"] + 13, 0.25, 3, 90))
    status = late_status(rng, arrival - promise)
    sent, never = np.isin(status, ["delivered", "shipped"]), np.datetime64("NaT")
    stages = {
        "order_purchase_timestamp": bought,
        "order_approved_at": later(bought, approval),
        "order_delivered_carrier_date": np.where(sent, later(bought, handling), never),
        "order_delivered_customer_date": np.where(status == "delivered", later(bought, arrival), never),
        "order_estimated_delivery_date": bought.astype("datetime64[D]") + promise.astype(int),
        "shipping_limit_date": later(bought, approval + rng.integers(3, 8, ORDERS)),
    }
    dates = {name: as_text(moments) for name, moments in stages.items()}
    return orders.assign(order_status=status, delay=arrival - promise, **dates)


def late_status(rng: Rng, delay: Array) -> Array:
    """Draw the status of each order: late ones are more often not delivered."""
    stuck = rng.random(ORDERS) < 0.26 / (1 + np.exp(-(delay + 9) / 4)) + 0.16
    return np.where(stuck, rng.choice(olist.UNDELIVERED, ORDERS, p=olist.UNDELIVERED_SHARES), "delivered")


def later(start: Array, days: Array) -> Array:
    """Add days with fractions to moments, rounded to seconds."""
    return np.add(start, (np.asarray(days) * 86400).astype("timedelta64[s]"))


def as_text(moments: Array) -> Array:
    """Format moments as in the real table, `2017-07-09 21:57:05`, with None for NaT."""
    text = np.char.replace(np.datetime_as_string(moments.astype("datetime64[s]"), unit="s"), "T", " ")
    return np.where(np.isnat(moments), np.array(None), text.astype(object))


def score(rng: Rng, orders: pd.DataFrame, products: pd.DataFrame) -> pd.DataFrame:
    """Compute the score of each order, 1 to 5, from delay, price, freight, product, seller and noise."""
    bought = products.iloc[orders["product"]].reset_index(drop=True)
    price = bought["list_price"].round(2)
    carriage = 6 + 0.55 * orders["road"] + 3.5 * (bought["product_weight_g"] / 1000) ** 0.7
    freight = (carriage * np.exp(0.2 * rng.standard_normal(ORDERS))).clip(0, 260).round(2)
    dearness = np.log(price / 80) + 2.0 * (freight / (price + freight) - 0.22)
    waiting = np.maximum(orders["delay"] + 9, 0) / 9 + 1.0 * (orders["order_status"] != "delivered")
    pleasure = 0.8 * bought["appeal"] + 0.5 * orders["quality"] - 0.6 * dearness - 0.35 * orders["items"]
    mood = (pleasure - waiting + 1.1 * rng.standard_normal(ORDERS)).to_numpy()
    cuts = np.quantile(mood, np.cumsum(SCORE_SHARES))
    stars = 1 + np.searchsorted(cuts, mood)
    return orders.assign(review_score=stars, freight_value=freight, first_price=price)


def add_comments(rng: Rng, orders: pd.DataFrame) -> pd.DataFrame:
    """Add a comment to about half of the orders, more often to those with low scores."""
    happy = orders["review_score"].to_numpy() > rng.integers(2, 5, ORDERS) - 0.5
    bad, end, good, good_end, joint = (
        rng.choice(np.array(words, dtype=object), ORDERS)
        for words in (olist.BAD, olist.BAD_ENDS, olist.GOOD, olist.GOOD_ENDS, olist.JOINTS)
    )
    text = np.where(happy, good + joint + good_end, bad + joint + end)
    silent = rng.random(ORDERS) < np.where(orders["review_score"] > 3, 0.66, 0.3)
    return orders.assign(review_comment_message=np.where(silent, np.array(None), text))


def spread(rng: Rng, orders: pd.DataFrame, products: pd.DataFrame) -> pd.DataFrame:
    """Repeat each order for each of its items and payments, and join the product of each item."""
    rows = orders.loc[orders.index.repeat(orders["items"] * orders["payments"])].reset_index(drop=True)
    item, payment = (part + 1 for part in divmod(rows.groupby("order_id").cumcount(), rows["payments"]))
    other = (item > 1) & (rng.random(len(rows)) < 0.3)
    rows["product"] = np.where(other, rng.integers(0, PRODUCTS, len(rows)), rows["product"])
    rows = rows.join(products, on="product")
    price = rows["first_price"].where(~other, rows["list_price"].round(2))
    by_card = rows["payment_type"] == "credit_card"
    return rows.assign(
        order_item_id=item,
        payment_sequential=payment,
        seller_id=hex_ids(rng, SELLERS)[rows["seller"]],
        price=price,
        payment_value=((price + rows["freight_value"]) * rows["items"] / rows["payments"]).round(2),
        payment_installments=np.where(by_card, rng.geometric(0.28, len(rows)).clip(1, 21), 1),
    )


def make_table(seed: int = SEED) -> pd.DataFrame:
    """Generate the whole table, cut after the last complete order within `ROWS` rows."""
    rng = np.random.default_rng(seed)
    products = make_products(rng)
    orders = score(rng, add_dates(rng, make_orders(rng, products)), products)
    rows = spread(rng, add_comments(rng, orders), products)
    whole = rows["order_id"].iloc[:ROWS] != rows["order_id"].iloc[ROWS]
    table = rows[olist.COLUMNS].iloc[:ROWS][whole]
    return table.astype({name: "int64" for name in olist.COLUMNS if name.endswith(("_cm", "_g"))})


def packed(table: pd.DataFrame) -> bytes:
    """Write the table as gzipped CSV without time stamp, file name or platform-specific line ends."""
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=buffer, mtime=0) as file:
        file.write(table.to_csv(index=False, lineterminator="\n").encode())
    return buffer.getvalue()


if __name__ == "__main__":
    OUTPUT.write_bytes(packed(make_table()))

"""The data set of a batch prediction."""

from __future__ import annotations

from mlrunner.execution.prediction import compose_dataset


def test_the_suffix_chooses_the_format() -> None:
    assert compose_dataset("a b.parquet", [])[0]["format"] == "parquet"
    dataset = compose_dataset("s3://bucket/a.csv.gz", ["dataset.rows=3"])[0]
    assert (dataset["format"], dataset["path"], dataset["rows"]) == ("csv", "s3://bucket/a.csv.gz", 3)


def test_a_chosen_data_set_keeps_its_settings() -> None:
    dataset, cfg = compose_dataset("new.csv", ["dataset=olist"])
    assert dataset["path"] == "new.csv"
    assert cfg.dataset.target == dataset["target"]

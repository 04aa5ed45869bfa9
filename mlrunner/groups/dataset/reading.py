"""What reading a table needs, kept with the model: its server and `predict` read CSV like the training did."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from mlrunner.groups.dataset import Dataset, TableDataset, formats

OPTIONS = (
    *("sep", "delimiter", "skipinitialspace", "decimal", "thousands"),
    *("na_values", "keep_default_na", "na_filter", "true_values", "false_values"),
)
# A table with types has no words for gaps; in CSV of its rows, only an empty value is one.
TYPED = {"keep_default_na": False, "na_values": [""]}


def describe_reading(dataset: Dataset) -> dict[str, Any]:
    """Return the options of `pandas.read_csv` that tell how the values of CSV with the rows of a data set are read."""
    if not isinstance(dataset, TableDataset) or dataset.number_format is None:
        return dict(TYPED)
    options = formats.csv_options(dataset.path or "", dataset.options)
    return {name: options[name] for name in OPTIONS if name in options}


def apply_reading(dataset: Dataset, reading: Mapping[str, Any]) -> Dataset:
    """Add the reading of a model to a data set of CSV files; options of the data set take precedence."""
    if not isinstance(dataset, TableDataset) or dataset.number_format is None:
        return dataset
    return dataclasses.replace(dataset, options={**reading, **dataset.options})

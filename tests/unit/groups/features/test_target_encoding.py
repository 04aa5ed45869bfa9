"""Smoothed means of the target."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io

from mlrunner.groups.features.target_encoding import TargetMeanEncoder
from tests.support.feature_rows import TARGETS, messy


class TestTargetMeanEncoder:
    table = pd.DataFrame({"city": ["a", "a", "b", "b", "b", None]})
    numbers = np.array([1.0, 3.0, 10.0, 10.0, 10.0, 2.0])

    def test_means_are_shrunk_to_the_overall_mean(self) -> None:
        encoder = TargetMeanEncoder(smoothing=2.0).fit(self.table, self.numbers)
        overall = self.numbers.mean()
        expected = [(4 + 2 * overall) / 4, (30 + 2 * overall) / 5, overall, overall]  # the gap is a single row
        cities = pd.DataFrame({"city": ["a", "b", "elsewhere", None]})
        np.testing.assert_allclose(encoder.transform(cities).ravel(), expected)

    def test_training_rows_are_not_encoded_by_their_own_target(self) -> None:
        alone = pd.DataFrame({"id": [f"id{at}" for at in range(50)]})
        target = np.random.default_rng(0).normal(size=50)
        encoder = TargetMeanEncoder(smoothing=0.5)
        np.testing.assert_allclose(encoder.fit_transform(alone, target), target.mean())
        np.testing.assert_allclose(encoder.transform(alone), target.mean())
        twice = pd.concat([alone, alone], ignore_index=True)
        encoder.fit(twice, np.concatenate([target, target]))
        assert np.corrcoef(encoder.transform(alone).ravel(), target)[0, 1] == pytest.approx(1)

    def test_odd_texts_are_categories_too(self) -> None:
        table = pd.DataFrame({"city": ["", "a\x00b", '"', "é\n"] * 2})
        encoded = TargetMeanEncoder(smoothing=1e-12).fit(table, np.arange(8) % 4).transform(table)
        np.testing.assert_allclose(encoded.ravel(), np.arange(8) % 4, atol=1e-9)

    def test_saving_is_quick_for_many_categories(self) -> None:
        table = pd.DataFrame({"id": [f"id{at // 2}" for at in range(20_000)]})
        saved = skops.io.dumps(TargetMeanEncoder().fit(table, np.arange(20_000.0)))
        with zipfile.ZipFile(io.BytesIO(saved)) as archive:
            assert len(archive.namelist()) < 10

    @pytest.mark.parametrize(
        ("labels", "names"),
        [(["n", "y"], ["city"]), (["a", "b", "c"], ["city_a", "city_b", "city_c"]), ([False, True], ["city"])],
        ids=["two", "three", "true and false"],
    )
    def test_classes(self, labels: list[Any], names: list[str]) -> None:
        target = np.array((labels * 6)[:6])
        encoder = TargetMeanEncoder(classes=True).fit(self.table, target)
        encoded = encoder.transform(self.table)
        assert encoded.shape == (6, len(names))
        assert list(encoder.get_feature_names_out()) == names
        assert ((encoded >= 0) & (encoded <= 1)).all()

    @pytest.mark.parametrize("rows", [1, 2, 3])
    def test_fewer_rows_than_folds(self, rows: int) -> None:
        encoded = TargetMeanEncoder().fit_transform(self.table[:rows], self.numbers[:rows])
        assert encoded.shape == (rows, 1)
        assert np.isfinite(encoded).all()

    def test_a_class_of_one_row_is_no_trouble(self) -> None:
        assert TargetMeanEncoder(classes=True).fit_transform(self.table, np.array(list("aabbbc"))).shape == (6, 3)

    def test_the_seed_decides_the_folds(self) -> None:
        table, target = messy()[["city"]], TARGETS["regression"](120)
        first, same, other = (TargetMeanEncoder(seed=seed).fit_transform(table, target) for seed in (0, 0, 1))
        np.testing.assert_array_equal(first, same)
        assert not np.array_equal(first, other)

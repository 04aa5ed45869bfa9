"""LightGBM's aliases, compared with what its constructor accepts."""

from __future__ import annotations

import lightgbm.basic
import numpy as np
import pytest
from lightgbm import LGBMRegressor

from mlrunner.groups.model.estimator_arguments import accepts_argument
from mlrunner.groups.model.lightgbm_private import parameter_aliases


@pytest.mark.parametrize(("alias", "argument", "value"), [("num_trees", "n_estimators", 3), ("max_bins", "max_bin", 4)])
def test_alias_has_the_effect_of_its_argument(alias: str, argument: str, value: float) -> None:
    assert {alias, argument} <= (parameter_aliases() or set())
    table, target = np.arange(60.0).reshape(-1, 1), np.arange(60.0) ** 2
    fits = [LGBMRegressor(**{name: value}, verbosity=-1, n_jobs=1).fit(table, target) for name in (alias, argument)]
    np.testing.assert_array_equal(fits[0].predict(table), fits[1].predict(table))


def test_without_the_private_table_every_argument_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not accepts_argument(LGBMRegressor, "no_such_argument")
    monkeypatch.delattr(lightgbm.basic, "_ConfigAliases")
    assert parameter_aliases() is None
    assert accepts_argument(LGBMRegressor, "no_such_argument")

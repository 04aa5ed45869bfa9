"""Names from a store: where they may lead, and which types a saved model may hold."""

from __future__ import annotations

from typing import Any

import pytest
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold

from mlrunner.core import allowed_classes
from mlrunner.core.allowed_classes import LIBRARIES, find, find_untrusted, is_fitted_part, is_within


def test_a_package_holds_itself_and_what_lies_in_it() -> None:
    assert is_within("a.b", ["a.b"])
    assert is_within("a.b.c", ["x", "a.b"])
    assert not is_within("a.bc", ["a.b"])
    assert not is_within("a", ["a.b"])


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("sklearn.linear_model.Ridge", Ridge),  # defined in sklearn.linear_model._ridge
        ("sklearn.linear_model.Nothing", None),
        ("sklearn.nothing.Ridge", None),
    ],
)
def test_what_a_library_defines_is_found(path: str, found: Any) -> None:
    assert find(path, LIBRARIES) is found


@pytest.mark.parametrize(
    ("path", "module"),
    [
        ("subprocess.Popen", "subprocess"),
        ("subprocess", "subprocess"),
        ("sklearnx.Evil", "sklearnx"),
        ("sklearn.linear_model._base.warnings", "builtins"),
        ("sklearn.utils.validation.Parameter", "inspect"),
        ("sklearn.svm.__loader__", "_frozen_importlib_external"),
        ("sklearn.datasets._covtype.GzipFile", "sklearn.datasets._covtype"),  # not even imported
        ("sklearn.datasets.load_files", "sklearn.datasets"),
    ],
)
def test_what_is_defined_elsewhere_is_refused(path: str, module: str) -> None:
    with pytest.raises(LookupError) as refused:
        find(path, LIBRARIES)
    assert refused.value.args == (module,)


def test_of_a_trusted_module_all_is_found_but_what_it_imports() -> None:
    assert find(f"{__name__}.test_what_a_library_defines_is_found", (), (__name__,)) is not None
    with pytest.raises(LookupError):
        find(f"{__name__}.Ridge", (), (__name__,))


def test_parts_of_estimators() -> None:
    from xgboost.callback import EarlyStopping

    assert all(map(is_fitted_part, (Ridge, KFold, EarlyStopping)))
    assert not any(map(is_fitted_part, (Ridge(), allowed_classes.find, dict)))


@pytest.mark.parametrize(
    "name",
    [
        "mlrunner.groups.model.raw_input.CleaningTransformer",
        "numpy.dtype",
        "sklearn.tree._tree.Tree",
        "sklearn.metrics._dist_metrics.EuclideanDistance64",
        "sklearn.feature_selection._univariate_selection.f_classif",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "xgboost.core.Booster",
        "xgboost.sklearn.XGBRegressor",
        "lightgbm.sklearn.LGBMRegressor",
    ],
)
def test_a_model_may_hold_what_fitted_estimators_hold(name: str) -> None:
    assert find_untrusted([name]) == []


@pytest.mark.parametrize(
    "name",
    [
        "builtins.eval",
        "functools.partial",
        "operator.methodcaller",
        "numpy.load",  # of pickles
        "numpy.lib._datasource.DataSource",  # removes a folder when it ends
        "sklearn.datasets._base.load_files",
        "sklearn.datasets._covtype.GzipFile",
        "sklearn.svm._base.Ridge.predict",
        "sklearn.tree._export.export_graphviz",  # writes a file
        "sklearn.utils.Bunch.get",
        "xgboost.core.DataIter",
        "xgboost.tracker.RabitTracker",
        "mlrunner.tracking.records.mlflow_store.MlflowStore",
        "mlrunner.groups.deployer.local.LocalDeployer",
        "sklearn.linear_model.Nothing",
        "",
    ],
)
def test_a_model_may_hold_nothing_else(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLRUNNER_TRUSTED", "env:X")
    assert find_untrusted([name]) == [name]


def test_the_user_and_the_caller_can_trust_further_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"{__name__}.test_parts_of_estimators"
    assert find_untrusted([name], [__name__]) == []
    monkeypatch.setenv("MLRUNNER_TRUSTED", __name__)
    assert find_untrusted([name]) == []

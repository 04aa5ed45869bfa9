"""Overrides from a store: what is used, what the user types again, and what is refused."""

from __future__ import annotations

import pytest

from mlrunner.core.errors import ProblemsError
from mlrunner.search.foreign_overrides import separate_overrides


@pytest.mark.parametrize(
    "text",
    [
        "model=xgboost,rf", "model=glob(r*)", "sweep=optuna", "split='80_20',kfold", "seed=3", "~model.search",
        "model.estimator.alpha=tag(log,interval(0.1,10))", "model.estimator.max_features=choice(0.5,sqrt)",
        "+model.estimator.n_estimators=int(interval(10,50))", "objective.metric=[r2,fit_seconds]",
        "features@model.features=trees",
        "dataset.path=data/table.csv", "hydra/sweeper/sampler=random", "hydra.sweeper.n_trials=40",
        "hydra.sweeper.sampler.seed=1",
        "hydra.sweeper.exclude=['model=rf,cleaning=full']",
        "+hydra.sweeper.params.model.estimator.alpha='interval(0,1)'",
        "+hydra.sweeper.params.size='zip(cleaning=choice(none,full),split=choice(\\'80_20\\',kfold))'",
        "model.estimator._target_=choice(sklearn.linear_model.Ridge,sklearn.linear_model.Lasso)",
    ],
)  # fmt: skip
def test_what_is_searched_is_used(text: str) -> None:
    assert separate_overrides([text]) == ([text], [])


@pytest.mark.parametrize(
    "text",
    [
        "executor=dask", "executor.address=tcp://10.0.0.1:8786", "stack=team", "stack.tracking_uri=http://evil",
        "deployer.host=0.0.0.0",
        "gate=none", "home=/tmp", "hydra.sweeper.storage=sqlite:///other.db",
        "hydra.sweeper.custom_search_space=os.system",
        "hydra.sweeper.warm_start=/tmp", "hydra.job.env_set.LD_PRELOAD=evil.so", "hydra/launcher=joblib",
        "hydra.launcher._target_=os.system",
        "hydra.sweeper={storage:x}", "hydra.sweeper.params={model.estimator.memory:x}",
        "dataset.url=postgresql://host/db",
        "dataset.query='select 1'", "dataset.path=choice(a.csv,s3://bucket/b.csv)", "dataset={url:x}",
        "tracking.name=***",
    ],
)  # fmt: skip
def test_machines_logins_and_files_are_left_out(text: str) -> None:
    assert separate_overrides([text, "seed=1"]) == (["seed=1"], [text])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("model.estimator._target_=subprocess.Popen", "model.estimator._target_=subprocess.Popen comes from the run"),
        ("model.estimator._target_=choice(sklearn.linear_model.Ridge,os.system)", "=os.system comes from the run"),
        ("model.estimator={_target_:os.system}", "model.estimator._target_=os.system comes from the run"),
        ("model.estimator=choice({_target_:os.system},{_target_:a.B})", "._target_=os.system comes from"),
        ("model.estimator.memory=/tmp/pickles", "model.estimator.memory names a folder of pickles"),
        ("model.estimator.x='${oc.env:SECRET}'", "reads the variable SECRET"),
        ("tracking.name='${stack.password}'", "refers to ${stack.password}"),
        ("model=../../tmp/evil", "model=../../tmp/evil comes from the run and names no option."),
        ("model=ridge,'../evil'", "model=../evil comes from the run and names no option."),
        ("hydra.sweeper.sampler._target_=os.system", "hydra.sweeper.sampler._target_=os.system comes from the run"),
        ("+hydra.sweeper.params.model.estimator.memory='choice(a,b)'", "model.estimator.memory names a"),
        ("+hydra.sweeper.params.x='zip(seed=choice(1,2),model.estimator._target_=choice(os.system,c))'", "os.system"),
        ("-cd=/tmp", "-cd=/tmp comes from the run and is no override."),
        ("no override", "'no override' is not an override"),
    ],
)  # fmt: skip
def test_what_a_store_must_not_set_is_refused(text: str, words: str) -> None:
    with pytest.raises(ProblemsError) as caught:
        separate_overrides(["seed=1", text])
    assert words in str(caught.value)


def test_a_module_of_ones_own_is_trusted_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "model.estimator._target_=team_models.Slow"
    with pytest.raises(ProblemsError, match="MLRUNNER_TRUSTED=team_models"):
        separate_overrides([text])
    monkeypatch.setenv("MLRUNNER_TRUSTED", "team_models")
    assert separate_overrides([text]) == ([text], [])

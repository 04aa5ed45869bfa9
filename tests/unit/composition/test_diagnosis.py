# ruff: noqa: E501  (a message is one line, as it is printed)
"""Each mistake of a command line that Hydra refuses is explained in one sentence."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mlrunner.cli.hydra_app import register_sweeper
from mlrunner.composition.config_source import ConfigSource
from mlrunner.composition.diagnosis import diagnose, diagnose_hydra_keys

MODELS = (
    "catboost, custom, dummy, hist_gradient_boosting, lightgbm, linear_regression, logistic_regression, rf, ridge, "
    "xgboost"
)
SPLITS = (
    "70_15_15, 80_20, expanding, grouped, grouped_kfold, kfold, rolling, stratified, stratified_kfold, time_ordered"
)
TYPED = (
    "blueprint, cleaning, dataset, deployer, executor, experiment, features, gate, home, metric, model, objective, output, project, "
    "resources, seed and 6 more"
)
# Overrides, and the sentences about them.
COMMAND_LINES: dict[str, tuple[str, list[str]]] = {
    "option of numbers": ("split='70_15_16'", [f"split=70_15_16 is not an option; split has {SPLITS}. Did you mean '70_15_15'?"]),
    "empty option": ("model=", [f"model= is not an option; model has {MODELS}."]),
    "null option": ("model=null", [f"model=null is not an option; model has {MODELS}."]),
    "option of a nested group": (
        "features@model.features=tree",
        ["features=tree is not an option; features has linear, native, trees. Did you mean 'trees'?"],
    ),
    "option of hydra": (
        "hydra/launcher=jolib", ["hydra/launcher=jolib is not an option; hydra/launcher has basic, joblib, submitit_local, submitit_slurm. Did you mean 'joblib'?"],
    ),
    "group without that option": ("gate=treshold", ["gate=treshold is not an option; gate has all_of, champion, min_accuracy, none, threshold. Did you mean 'threshold'?"]),
    "key of a group without keys": (
        "gate.threshold=0.3",
        ["gate.threshold is not a key, for the chosen gate has none; choose gate=all_of or champion or min_accuracy or threshold with it."],
    ),
    "key of an executor without keys": (
        "executor.address=x", ["executor.address is not a key, for the chosen executor has none; choose executor=dask or ray with it."],
    ),
    "argument": (
        "model=ridge model.estimator.alhpa=2",
        ["model.estimator.alhpa is not a key; model.estimator has alpha, random_state. Did you mean 'alpha'?"],
    ),
    "key to add": (
        "model=ridge model.estimator.zzz=2",
        ["model.estimator.zzz is not a key; model.estimator has alpha, random_state. To add it on purpose, write +model.estimator.zzz=VALUE."],
    ),
    "key of a value": ("seed.a=1", ["seed.a is not a key; seed holds a value and no keys."]),
    "names of a mapping": (
        "cleaning.fill={nosuch:1}",
        ["cleaning.fill has no key nosuch; to add it on purpose, write '+cleaning.fill={nosuch:1}'."],
    ),
    "key of a key without keys": (
        "dataset.options.engine.x=1", ["dataset.options.engine is not a key; dataset.options has none. To add it on purpose, write +dataset.options.engine=VALUE."],
    ),
    "no key": ("=3", ["'=3' is not an override; write GROUP=OPTION or key.subkey=value, in quotes where the shell would split it."]),
    "deleted key": ("~modle", [f"modle is not a key; the composition has {TYPED}. Did you mean 'model'?"]),
    "list without multirun": ("model=rf,ridge", ["model=rf,ridge holds several values, which only a grid takes; add --multirun."]),
    "not an override": ("model=[rf", ["'model=[rf' is not an override; write GROUP=OPTION or key.subkey=value, in quotes where the shell would split it."]),
    "several": (
        "cleaning=ful model=rfx split.tset=1 sed=3",
        ["cleaning=ful is not an option; cleaning has dates, full, none, preprocess, robust. Did you mean 'full'?",
         f"model=rfx is not an option; model has {MODELS}. Did you mean 'rf'?",
         "split.tset is not a key; split has group, seed, test, train, validation. Did you mean 'test'?",
         f"sed is not a key; the composition has {TYPED}. Did you mean 'seed'?"],
    ),
    "nothing wrong": ("model=rf seed=3 +model.estimator.max_depth=3 ~cleaning.drop", []),
}  # fmt: skip


@pytest.mark.parametrize("case", COMMAND_LINES)
def test_a_bad_command_line_is_refused(case: str) -> None:
    typed, expected = COMMAND_LINES[case]
    assert diagnose(typed.split()) == expected


def test_folders_of_the_command_line_are_known(tmp_path: Path) -> None:
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "mine.yaml").write_text("# @package _global_\ndefaults: [{override /model: ridge}]\n")
    (tmp_path / "experiment" / "broken.yaml").write_text("defaults: [nosuch]\n")
    source = ConfigSource(folders=(str(tmp_path),))
    assert diagnose(["experiment=mine"], source) == []
    assert diagnose(["experiment=mine", "model.estimator.q=3"], source) == [
        "model.estimator.q is not a key; model.estimator has alpha, random_state. To add it on purpose, write "
        "+model.estimator.q=VALUE."
    ]
    assert diagnose(["experiment=broken", "model=rf,ridge"], source, "name one of them") == [
        "model=rf,ridge holds several values, which only a grid takes; name one of them."
    ]  # Hydra's own message tells what is wrong with the file


def test_each_option_of_a_grid_is_checked() -> None:
    assert diagnose(["model=rf,ridge"], remedy=None) == []
    assert diagnose(["split=kfold,'80_20'"], remedy=None) == []
    assert diagnose(["model=rf,hist_gradient_boosting", "model.estimator.min_samples_leaf=3"], remedy=None) == [
        "model.estimator.min_samples_leaf is not a key of the default, where Hydra's own grid looks for it; write "
        "++model.estimator.min_samples_leaf=3, or add sweep=grid."
    ]
    (sentence,) = diagnose(["model=rf,ridge", "model.estimator.alpha=1"], remedy=None)
    assert sentence.startswith("with model=rf, model.estimator.alpha is not a key; model.estimator has max_depth,")
    assert diagnose(["model=rf,rigde"], remedy=None) == [
        f"model=rigde is not an option; model has {MODELS}. Did you mean 'ridge'?"
    ]


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (["hydra.swep.dir=x"], "hydra.swep is not a key; hydra has .* Did you mean 'sweep'\\?"),
        (["hydra.job.nmae=x", "seed=1"], "hydra.job.nmae is not a key; hydra.job has .* Did you mean 'name'\\?"),
        (
            ["sweep=optuna", "hydra.sweeper.n_trial=3"],
            "hydra.sweeper.n_trial is not a key; hydra.sweeper has .* Did you mean 'n_trials'\\?",
        ),
        (
            ["hydra.sweeper.n_trials=3"],
            "hydra.sweeper.n_trials is not a key; hydra.sweeper has max_batch_size, params. To add it on purpose, write "
            "\\+hydra.sweeper.n_trials=VALUE. For a search, add sweep=optuna\\.",
        ),
    ],
)
def test_keys_of_hydra_itself_are_looked_up_where_it_has_them(overrides: list[str], sentence: str) -> None:
    register_sweeper()
    assert diagnose(overrides, remedy=None) == []
    (problem,) = diagnose_hydra_keys(overrides, ConfigSource())
    assert re.fullmatch(sentence, problem), problem

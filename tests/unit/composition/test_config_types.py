"""Values that a key of Hydra's own configuration cannot hold."""

from __future__ import annotations

import pytest
from hydra import compose
from hydra.errors import HydraException

from mlrunner.cli.hydra_app import register_sweeper
from mlrunner.composition.compose import open_hydra
from mlrunner.composition.config_types import describe_wrong_type
from mlrunner.composition.error_translation import translate

SWEEPER = "hydra.sweeper"
SENTENCES = {
    f"{SWEEPER}.n_trials=x": f"{SWEEPER}.n_trials=x should be a whole number.",
    f"{SWEEPER}.timeout=[1]": f"{SWEEPER}.timeout=[1] should be a number.",
    f"{SWEEPER}.refit=maybe": f"{SWEEPER}.refit=maybe should be true or false.",
    f"{SWEEPER}.study_name=[1]": f"{SWEEPER}.study_name=[1] should be text.",
    f"{SWEEPER}.exclude=3": f"{SWEEPER}.exclude=3 should be a list, like [a,b].",
    f"{SWEEPER}.params=3": f"{SWEEPER}.params=3 should be keys with values, like {{a: 1}}.",
    f"{SWEEPER}.params=[1]": f"{SWEEPER}.params=[1] should be keys with values, like {{a: 1}}.",
    f"{SWEEPER}.n_trials.x=1": f"{SWEEPER}.n_trials.x is not a key; {SWEEPER}.n_trials holds a value and no keys.",
    f"{SWEEPER}.sampler=tpe": (
        f"{SWEEPER}.sampler=tpe would replace all of its keys; choose an option, like hydra/sweeper/sampler=OPTION."
    ),
    "hydra.mode=BOTH": "hydra.mode=BOTH should be RUN or MULTIRUN.",
    "dataset.options=[1]": "dataset.options=[1] should be keys with values, like {a: 1}.",
}


@pytest.fixture(scope="module", autouse=True)
def _sweeper() -> None:
    register_sweeper()


@pytest.mark.parametrize("override", SENTENCES)
def test_a_value_of_another_type_is_answered_with_the_key_and_what_is_possible(override: str) -> None:
    words = ["hydra/sweeper=optuna", override]
    with open_hydra(), pytest.raises(HydraException) as caught:
        compose("mlrunner", words, return_hydra_config=True)
    assert describe_wrong_type(caught.value) == [SENTENCES[override]]
    assert str(translate(caught.value, ["--multirun", *words])) == SENTENCES[override]


def test_other_errors_are_none_of_these() -> None:
    assert describe_wrong_type(HydraException("Error merging override a=1")) == []
    assert describe_wrong_type(ValueError("x")) == []

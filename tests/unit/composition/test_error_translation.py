"""Errors of libraries and of the file system become one sentence, when the user can correct them."""

from __future__ import annotations

import errno

from hydra.errors import HydraException
from omegaconf.errors import ConfigKeyError

from mlrunner.composition.error_translation import translate
from mlrunner.core.errors import ConfigError, DataError, ProblemsError


def test_our_own_error_is_its_own_translation() -> None:
    error = DataError("no rows")
    assert translate(error, []) is error


def test_an_error_of_hydra_is_explained_by_the_overrides() -> None:
    known = translate(HydraException("Could not find 'model/rfx'"), ["-v", "model=rfx", "seeed=1"])
    assert isinstance(known, ProblemsError)
    assert [problem.split()[0] for problem in known.problems] == ["model=rfx", "seeed"]


def test_a_wrong_key_of_hydra_is_explained() -> None:
    error = HydraException("Could not override 'hydra.job.nmae'. To append to your config use +hydra.job.nmae=x")
    assert "hydra.job.nmae is not a key" in str(translate(error, ["hydra.job.nmae=x"]))


def test_the_names_of_a_verb_are_no_overrides() -> None:
    known = translate(ConfigKeyError("broken\n  twice"), ["deploy", "latest", "gate=none"])
    assert isinstance(known, ConfigError)
    assert str(known) == "broken twice"


def test_several_values_are_for_a_grid_or_a_search() -> None:
    remedies = {"": "add --multirun.", "--cfg job": "name one of them.", "hydra.mode=MULTIRUN": None}
    for words, remedy in remedies.items():
        known = translate(HydraException("several values"), ["model=rf,ridge", *words.split()])
        assert str(known).rpartition("; ")[2] == (remedy or "several values")
    known = translate(AssertionError("Unexpected type"), ["+hydra.sweeper.params.size='zip(a=1)'"])
    assert str(known) == "hydra.sweeper.params.size='zip(a=1)': only a search takes such ranges; add sweep=optuna."


def test_a_failed_write_is_explained() -> None:
    assert str(translate(OSError(errno.ENOSPC, "full"), [])).startswith("No disk space left while writing ")
    assert translate(ValueError("ours"), []) is None

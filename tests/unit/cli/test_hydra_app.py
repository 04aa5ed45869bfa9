"""Command lines as Hydra takes them, and exceptions of Hydra as ours."""

from __future__ import annotations

import pytest
from hydra.errors import HydraException

from mlrunner.cli import hydra_app
from mlrunner.core.errors import ConfigError, MlrunnerError


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["-m", "model=rf,ridge"], ["model=rf,ridge", "-m"]),
        (["sweep=optuna"], ["sweep=optuna", "--multirun"]),
        (["sweep=optuna", "--multirun"], ["sweep=optuna", "--multirun"]),
        (["--cfg", "job", "model=rf"], ["model=rf", "--cfg", "job"]),
        (["--cfg", "job", "sweep=optuna"], ["sweep=optuna", "--cfg", "job"]),
        (["sweep=optuna", "model=rf,ridge", "model.x=3"],
         ["sweep=optuna", "model=rf,ridge", "model.x=choice(3)", "--multirun"]),
        (["sweep=optuna", "model=rf", "model.x=3"], ["sweep=optuna", "model=rf", "model.x=3", "--multirun"]),
    ],
)  # fmt: skip
def test_a_command_line_is_written_for_hydra(arguments: list[str], expected: list[str]) -> None:
    assert hydra_app.hydra_arguments(arguments) == expected


@pytest.mark.parametrize("text", ["hydra.job.chdir=true", "++hydra.job.chdir=True", "hydra.job.chdir=1"])
def test_another_working_folder_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"relative paths such as dataset\.path=table\.csv would lead nowhere"):
        hydra_app.hydra_arguments(["model=rf", text])
    assert hydra_app.hydra_arguments(["hydra.job.chdir=false"]) == ["hydra.job.chdir=false"]


def test_a_zipped_dimension_goes_to_the_sweeper_as_a_text() -> None:
    zipped = hydra_app.quote_zip("pair=zip(split=choice(80_20,'a'),seed=choice(1,2))")
    assert zipped.startswith("+hydra.sweeper.params.pair='zip(split=choice(")
    assert hydra_app.quote_zip("split=80_20").partition("=")[0] == "split"


def test_a_translated_exception_keeps_its_notes() -> None:
    error = HydraException("broken")
    error.add_note("go on with mlrunner resume x")
    with pytest.raises(MlrunnerError) as caught:
        hydra_app.raise_translated(error, ["seeed=1"])
    assert "seeed is not a key" in str(caught.value)
    assert caught.value.__notes__ == error.__notes__
    assert caught.value.__cause__ is error


@pytest.mark.parametrize("error", [ConfigError("no"), KeyboardInterrupt(), ValueError("x")], ids=repr)
def test_another_exception_stays_as_it_is(error: BaseException) -> None:
    with pytest.raises(type(error)) as caught:
        hydra_app.raise_translated(error, [])
    assert caught.value is error

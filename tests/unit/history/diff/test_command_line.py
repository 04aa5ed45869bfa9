"""The command line of a composition that is compared."""

from __future__ import annotations

import pytest

from mlrunner.core.errors import ConfigError, ProblemsError
from mlrunner.history.diff.sides import compose_side


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--trust"], "--trust is not an override; after -- give overrides, like model=rf"),
        (["-cd"], "-cd names nothing, which is not a folder"),
        (["--config-dir="], "--config-dir names nothing, which is not a folder"),
        (
            ["-cd", "/not/there", "seed=1"],
            "-cd names /not/there, which is not a folder; name a folder of configuration files",
        ),
    ],
)
def test_missing_folder_is_refused(words: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        compose_side(words)


def test_all_wrong_overrides_are_explained() -> None:
    with pytest.raises(ProblemsError) as error:
        compose_side(["modle=rf", "model=rff", "seed=1,2"])
    option, key, values = sorted(error.value.problems)
    assert values == "seed=1,2 holds several values, which only a grid takes; name one of them."
    assert "modle is not a key" in key
    assert "Did you mean 'model'?" in key
    assert "model=rff is not an option" in option
    assert "Did you mean 'rf'?" in option

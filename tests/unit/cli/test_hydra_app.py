"""Hydra for our command line."""

from __future__ import annotations

import pytest

from mlrunner.cli.hydra_app import quote_zip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("model=ridge", "model=ridge"),
        ("split=80_20", "split='80_20'"),
        ("split=80_20,kfold", "split='80_20',kfold"),
        ("split='80_20'", "split='80_20'"),
        ("split=choice(80_20,70_15_15)", "split=choice('80_20','70_15_15')"),
        ("seed=80_20", "seed=80_20"),
        (
            "size=zip(a=choice(1,2),b=choice(3,4))",
            "+hydra.sweeper.params.size='zip(a=choice(1,2),b=choice(3,4))'",
        ),
        (
            "size=zip(split=choice(80_20,kfold),seed=choice(1,2))",
            "+hydra.sweeper.params.size='zip(split=choice(\\'80_20\\',kfold),seed=choice(1,2))'",
        ),
    ],
)
def test_options_and_zips_are_quoted_for_hydra(text: str, expected: str) -> None:
    assert quote_zip(text) == expected

"""A composer of today's configuration files."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mlrunner.composition.compose import ConfigComposer, open_composer


@pytest.fixture(scope="module")
def hydra() -> Iterator[ConfigComposer]:
    with open_composer() as composer:
        yield composer

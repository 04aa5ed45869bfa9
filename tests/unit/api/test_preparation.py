"""What the Python API does first; homes are set in `test_api.py`."""

from __future__ import annotations

import pytest

from mlrunner.api.preparation import to_list
from mlrunner.core.errors import ConfigError


def test_overrides_are_a_list_of_texts() -> None:
    assert to_list(("model=rf", "seed=1")) == ["model=rf", "seed=1"]
    with pytest.raises(ConfigError, match=r"overrides must be a list of texts, like \['model=rf'\]"):
        to_list("model=rf")

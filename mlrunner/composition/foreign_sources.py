"""Refuse a query or an address of data that was read from a store: it would be read with the user's rights."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from omegaconf import OmegaConf

from mlrunner.composition.resolve import resolve_group
from mlrunner.core.errors import ProblemsError
from mlrunner.core.redaction import redact

ADDRESS = re.compile(r"://|::|\bfetch_")  # in a path of fsspec, and in the name of a loader that downloads


def refuse_foreign_sources(dataset: dict[str, Any], overrides: Sequence[str] = ()) -> None:
    """Refuse a query and addresses of a data set from a store.

    Args:
        dataset: Configuration of the data set, which has passed `trust.refuse_foreign`.
        overrides: Overrides of today, whose keys are the user's own.

    Raises:
        ConfigError: When an interpolation cannot be resolved.
        ProblemsError: With one sentence for each.
    """
    own = {text.lstrip("+").partition("=")[0] for text in overrides}
    resolved = resolve_group(OmegaConf.create({"dataset": dataset}), "dataset")
    problems = [
        f"dataset.{key} comes from the run and would be read with your rights: {redact(str(dataset[key]))}; if you "
        "trust it, add --trust."
        for key, value in resolved.items()
        if f"dataset.{key}" not in own and value is not None
        if key in ("url", "query") or (key in ("path", "loader") and ADDRESS.search(str(value)))
    ]
    if problems:
        raise ProblemsError(problems)

"""Search spaces over four small model groups, without Hydra."""

from __future__ import annotations

from typing import Any

from mlrunner.search.dimension import Dimension
from mlrunner.search.grammar import parse_override, read_dimension
from mlrunner.search.settings import GRID_SAMPLER
from mlrunner.search.space import Space
from mlrunner.search.space_reader import read_space
from tests.support.sweeps import build_settings

MODEL_GROUPS: dict[str, dict[str, Any]] = {
    "forest": {
        "estimator": {"trees": 1, "depth": 2, "rate": 0},
        "search": {"estimator.depth": "int(interval(4,6))", "estimator.rate": "range(1,5)"},
    },
    "line": {
        "estimator": {"alpha": 1, "rate": 0, "nested": {"deep": 1}},
        "search": {"estimator.alpha": "tag(log,interval(0.1,10))", "estimator.rate": "interval(0,1)"},
    },
    "mean": {"estimator": {}, "search": {}},
    "bare": {"estimator": {}, "search": None},
}
DEPTH, RATE, ALPHA = "model.estimator.depth", "model.estimator.rate", "model.estimator.alpha"


def build_space(
    *overrides: str,
    params: dict[str, Any] | None = None,
    uses_model_spaces: bool = True,
    exclude: tuple[str, ...] = (),
    groups: dict[str, dict[str, Any]] = MODEL_GROUPS,
) -> Space:
    """Read a space over the model groups, of which forest is the default."""
    grid = {} if uses_model_spaces else {"sampler": {"_target_": GRID_SAMPLER}}
    settings = build_settings(params=params, exclude=list(exclude), **grid)
    return read_space(
        list(overrides), settings, lambda _, options: {name: groups[name] for name in options or ["forest"]}
    )


def read_range(text: str) -> Dimension:
    """Read a range of the key `a`."""
    return read_dimension(parse_override(f"a={text}"))


def list_grid(*overrides: str, **options: Any) -> list[tuple[str, ...]]:
    """Write all combinations of a grid."""
    space = build_space(*overrides, uses_model_spaces=False, **options)
    return [space.overrides(params) for params in space.grid()]


def list_names(space: Space) -> list[str]:
    """List the names of the dimensions."""
    return [dimension.name for dimension in space.dimensions]


def get_distributions(space: Space) -> dict[str, Any]:
    """Return the distributions by the names of the dimensions."""
    return {dimension.name: dimension.distribution for dimension in space.dimensions}

"""The options of `hydra/sweeper/sampler`."""

from __future__ import annotations

from dataclasses import fields

import pytest

from mlrunner.search import sweeper_config

SETTINGS = [(group, name) for group, options in sweeper_config.SWEEPER_OPTIONS.items() for name in options]


def test_the_samplers() -> None:
    assert sorted(sweeper_config.SWEEPER_OPTIONS["hydra/sweeper/sampler"]) == [
        "cmaes",
        "gp",
        "grid",
        "nsgaii",
        "qmc",
        "random",
        "tpe",
    ]


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        (
            "tpe",
            {"seed", "prior_weight", "n_startup_trials", "n_ei_candidates", "multivariate", "group", "constant_liar"},
        ),
        ("random", {"seed"}),
        ("cmaes", {"seed", "x0", "sigma0", "n_startup_trials", "independent_sampler", "use_separable_cma"}),
        ("nsgaii", {"seed", "population_size", "mutation_prob", "crossover_prob", "swapping_prob"}),
    ],
)
def test_the_keys_of_the_official_samplers_are_accepted(name: str, keys: set[str]) -> None:
    assert keys <= {field.name for field in fields(sweeper_config.SWEEPER_OPTIONS["hydra/sweeper/sampler"][name])}  # type: ignore[arg-type]

# ruff: noqa: E501  (a message is one line, as it is printed)
"""A group that cannot be chosen in this way is explained, with the override that chooses it."""

from __future__ import annotations

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from mlrunner.composition.compose import open_hydra
from mlrunner.composition.group_diagnosis import check_group, list_places, sweep_values


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("features=trees", "features=trees: the defaults list has no features; write features@model.features=trees."),
        ("model@m2=rf", "model@m2=rf: the defaults list has no model@m2; write model=rf."),
        ("+experiment=five_stars", "+experiment=five_stars: the defaults list has experiment already; write experiment=five_stars."),
        ("++dataset=wine", "++dataset=wine: the defaults list has dataset already; write dataset=wine."),
        ("++model@m2=rf", "++model@m2=rf: a group is added with a single +; write +model@m2=rf."),
        ("+model@m2=rf", None),
        ("~dataset=wine", "~dataset=wine: the default dataset is olist; leave this override out."),
        ("~model@m2", "~model@m2: the defaults list has no model@m2; leave this override out."),
        ("~metric", None),
        ("hydra/launcher=joblib", None),
    ],
)  # fmt: skip
def test_a_group_is_chosen_at_its_place(typed: str, sentence: str | None) -> None:
    (override,) = OverridesParser.create().parse_overrides([typed])
    with open_hydra() as hydra:
        loader = hydra.config_loader()
        places = {"experiment": None, "dataset": "olist", "model": "xgboost", "features@model.features": "native"}
        places |= {"metric": None, "hydra/launcher": "basic"}
        assert places.items() <= list_places(loader, "mlrunner").items()
        assert list(check_group(override, loader, places)) == ([] if sentence is None else [sentence])


def test_quoted_options_of_a_grid_are_bare() -> None:
    (override,) = OverridesParser.create().parse_overrides(["split=kfold,'80_20'"])
    assert sweep_values(override) == ["kfold", "80_20"]

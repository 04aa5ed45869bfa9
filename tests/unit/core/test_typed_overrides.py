"""Overrides as users type them, and as Hydra's grammar reads the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hydra.core.override_parser.overrides_parser import OverridesParser

from mlrunner.core.errors import ConfigError
from mlrunner.core.project import CONF
from mlrunner.core.typed_overrides import MAPPINGS, TEXT_KEYS, prepare_override
from mlrunner.groups.dataset import SqlDataset, TableDataset

TEXTS = ("str | None", "list[str]", "str")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("dataset.target=2024", "2024"),
        ("dataset.target=1_000", "1_000"),
        ("dataset.target=1e5", "1e5"),
        ("dataset.target=-1.50", "-1.50"),
        ("dataset.target=true", "true"),
        ("dataset.target=NaN", "NaN"),
        ("dataset.target='1e5'", "1e5"),
        ("dataset.target=null", None),
        ("dataset.target=price", "price"),
        ("dataset.target='größe (cm)'", "größe (cm)"),
        ("dataset.ignore=[2024,true,x, 1e5 ]", ["2024", "true", "x", "1e5"]),
        ("dataset.ignore=['2024','a, 1']", ["2024", "a, 1"]),
        ("dataset.path=data/2020.csv", "data/2020.csv"),
        ("seed=7", 7),
    ],
)
def test_a_text_that_reads_as_a_number_stays_a_text(text: str, value: object) -> None:
    assert OverridesParser.create().parse_override(prepare_override(text)).value() == value


@pytest.mark.parametrize("text", ["dataset.target=2024,true", "dataset.target=choice(2024,true)"])
def test_texts_of_a_grid_stay_texts(text: str) -> None:
    override = OverridesParser.create().parse_override(prepare_override(text))
    assert [value.strip("'") for value in override.sweep_string_iterator()] == ["2024", "true"]


@pytest.mark.parametrize(
    ("text", "prepared"),
    [
        ("dataset.dtypes={code: str}", "++dataset.dtypes={code: str}"),
        ("dataset.dtypes.code=str", "++dataset.dtypes.code=str"),
        ("+dataset.dtypes.code=str", "+dataset.dtypes.code=str"),
        ("dataset.options.storage.key=1", "++dataset.options.storage.key=1"),
        ("executor.options.account=a", "++executor.options.account=a"),
        ("tracking.tags.team=a", "++tracking.tags.team=a"),
        ("dataset.dtypes={größe: str}", "++dataset.dtypes='{größe: str}'"),
        ("dataset.dtypes={'a b': str}", "++dataset.dtypes='{\\'a b\\': str}'"),
        ("metric.cost._target_=costs.total", "++metric.cost._target_=costs.total"),
        ("metric=pinball", "metric=pinball"),
        ("dataset.dtypes=null", "dataset.dtypes=null"),
        ("~dataset.dtypes", "~dataset.dtypes"),
        ("split=80_20", "split='80_20'"),
        ("model.estimator.alpha=1", "model.estimator.alpha=1"),
        ("--multirun", "--multirun"),
    ],
)
def test_new_names_of_an_empty_mapping_need_no_plus(text: str, prepared: str) -> None:
    assert prepare_override(text) == prepared
    assert prepare_override(prepared) == prepared


def test_a_name_with_dots_is_asked_for_in_braces() -> None:
    with pytest.raises(ConfigError, match=r"'dataset.dtypes=\{zip.code: str\}'"):
        prepare_override("dataset.dtypes.zip.code=str")


def test_the_tables_have_every_text_and_every_empty_mapping() -> None:
    fields = {**TableDataset.__annotations__, **SqlDataset.__annotations__, **TableDataset.__base__.__annotations__}
    texts = {f"dataset.{name}" for name, kind in fields.items() if kind in TEXTS} - {"dataset.url", "dataset.loader"}
    assert texts == {key for key in TEXT_KEYS if key.startswith("dataset.")}
    empty = {key for file in CONF.rglob("*.yaml") for key in _list_empty(file)}
    assert {key for key in empty if not key.startswith(("model.", "metric."))} == set(MAPPINGS)


def _list_empty(file: Path) -> list[str]:
    place = "" if file.parent == CONF else f"{file.parent.name}."
    return [f"{place}{key}" for key, value in _flatten(yaml.safe_load(file.read_text()) or {}) if value == {}]


def _flatten(node: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in node.items():
        yield name, value
        if isinstance(value, dict):
            yield from ((f"{name}.{key}", inner) for key, inner in _flatten(value))

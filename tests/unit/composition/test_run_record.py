"""The tags and files that record a composition."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as some
from omegaconf import DictConfig

from mlrunner.composition import run_record
from mlrunner.composition.composition import Launch, read_composition
from mlrunner.groups.cleaning.column_use import ColumnUse
from mlrunner.tracking.records.record import (
    CONFIG_HASH_TAG,
    DATA_TAG,
    LEFT_OUT_TAG,
    OVERRIDES_TAG,
    PARENT_TAG,
    SWEEP_TAG,
    TRIAL_TAG,
    USED_TAG,
)

Compose = Callable[[list[str]], DictConfig]


@given(some.lists(some.text(min_size=1), max_size=5))
def test_overrides_are_recorded_as_typed(values: list[str]) -> None:
    overrides = [f"key={value}" for value in values]
    assert json.loads(run_record.describe_overrides(Launch({}, overrides, Path()))) == overrides


def test_secrets_are_hidden_and_long_overrides_are_cut() -> None:
    overrides = ["output=json", "stack.password=secret", *[f"key{number}={'x' * 90}" for number in range(200)]]
    text = run_record.describe_overrides(Launch({}, overrides, Path()))
    recorded = json.loads(text)
    assert len(text) <= run_record.TAG_LENGTH
    assert recorded[0] == "stack.password=***"
    assert recorded[-1] == "…"
    assert recorded[1:3] == overrides[2:4]


def test_a_job_has_the_tags_of_its_sweep(compose: Compose, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MLRUNNER_HOME", str(tmp_path))
    cfg = compose(["dataset=diabetes", "dataset.task=regression", "+tracking.tags={team: 3}"])
    folder = tmp_path / "multirun" / "2026-01-31" / "12-00-00" / "4"
    composition = read_composition(cfg, Launch({}, ["model=rf"], folder, job=4, parent="parent"))
    tags = run_record.make_tags(composition, "digest")
    assert (
        tags.items()
        >= {
            PARENT_TAG: "parent",
            SWEEP_TAG: "2026-01-31/12-00-00",
            TRIAL_TAG: "4",
            DATA_TAG: "digest",
            CONFIG_HASH_TAG: composition.config_hash,
            OVERRIDES_TAG: '["model=rf"]',
            "team": "3",
        }.items()
    )
    single = run_record.make_tags(read_composition(cfg, Launch({}, [], folder)), "digest")
    assert not {PARENT_TAG, SWEEP_TAG, TRIAL_TAG} & set(single)


def test_a_configuration_is_yaml_with_paths_as_texts() -> None:
    text = run_record.write_yaml({"b": [1, {"c": None}], "a": Path("/x"), "d": "ä"})
    assert list(yaml.safe_load(text).items()) == [("b", [1, {"c": None}]), ("a", "/x"), ("d", "ä")]


def test_the_columns_are_tags_that_are_cut_at_a_name() -> None:
    few = ColumnUse(["a", "b"], {"id": "ignored", "y": "target"})
    assert run_record.describe_columns(few) == {USED_TAG: "a, b", LEFT_OUT_TAG: "id (ignored), y (target)"}
    assert run_record.describe_columns(ColumnUse()) == {USED_TAG: "", LEFT_OUT_TAG: ""}
    many = run_record.describe_columns(ColumnUse([f"column_{number:04}" for number in range(1000)]))[USED_TAG]
    assert len(many) <= run_record.TAG_LENGTH
    # 13 characters a name with its comma: 382 of them in 4,970 characters
    assert many.endswith(", column_0381 and 618 more")

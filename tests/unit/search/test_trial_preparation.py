"""Trials that are about to run: composed, checked once for each data and model, named by what differs."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hydra.errors import HydraException

from mlrunner.core.errors import ConfigError, ProblemsError
from mlrunner.search.trial_preparation import Drafts, data_key
from tests.unit.search.test_composer import Opened, opened

DATA = ("dataset=diabetes", "sweep=optuna")
RIDGE = (*DATA, "model=ridge")
ALPHA = "model.estimator.alpha"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLRUNNER_HOME", str(home))
        yield home


@pytest.fixture(scope="module")
def hydra(home: Path) -> Opened:  # noqa: ARG001 - set before Hydra reads it
    return opened()


@pytest.fixture
def drafts(hydra: Opened) -> Drafts:
    return Drafts(hydra.composer, 1, DATA)


def config(draft: Any) -> dict[str, Any]:
    found: dict[str, Any] = draft.composition.config
    return found


# One trial


def test_a_draft_holds_what_runs(drafts: Drafts, home: Path) -> None:
    found = drafts.draft((*RIDGE, f"{ALPHA}=2"), 7)
    assert (found.number, found.overrides) == (7, (*RIDGE, f"{ALPHA}=2"))
    assert config(found)["model"]["estimator"]["alpha"] == 2
    assert config(found)["dataset"]["name"] == "diabetes"
    assert found.composition.settings.home == home
    assert found.composition.settings.objective.metrics == ["r2"]
    assert found.folder.name == "7"
    assert home / "multirun" in found.folder.parents
    assert len(found.repeats) == 1


def test_a_draft_knows_how_it_was_started(drafts: Drafts) -> None:
    drafts.parent = "the-parent"
    launch = drafts.draft((*RIDGE, f"{ALPHA}=2"), 7).launch
    assert (launch.job, launch.parent, launch.shared) == (7, "the-parent", DATA)
    assert launch.overrides == [*RIDGE, f"{ALPHA}=2"]
    assert (launch.choices["model"], launch.choices["dataset"]) == ("ridge", "diabetes")


@pytest.mark.parametrize(
    ("more", "name"),
    [
        ((), "default"),
        (("model=ridge",), "model=ridge"),
        (("model=ridge", f"{ALPHA}=0.123456789"), "model=ridge,alpha=0.1235"),
        (("split='80_20'",), "split=80_20"),
        (("output=json", "seed=3"), "seed=3"),
    ],
    ids=["nothing", "choice", "value", "quoted", "untold"],
)
def test_a_draft_is_named_by_what_differs(drafts: Drafts, more: tuple[str, ...], name: str) -> None:
    assert drafts.draft((*DATA, *more), 0).composition.name == name


def test_a_look_has_no_number_no_folder_and_no_record(drafts: Drafts) -> None:
    found = drafts.draft(RIDGE)
    assert (found.number, found.folder, found.record) == (-1, Path(), {})
    with pytest.raises(KeyError):
        drafts.overrides_of(-1)


def test_the_overrides_of_a_trial_are_recalled(drafts: Drafts) -> None:
    drafts.draft(RIDGE, 3)
    drafts.draft((*RIDGE, f"{ALPHA}=2"), 4)
    assert drafts.overrides_of(3) == RIDGE
    assert drafts.overrides_of(4) == (*RIDGE, f"{ALPHA}=2")
    with pytest.raises(KeyError):
        drafts.overrides_of(5)


def test_a_draft_leaves_what_hydra_leaves(drafts: Drafts) -> None:
    found = drafts.draft((*RIDGE, "tracking.name='é'"), 11)
    found.write()
    found.write()  # again, for a trial that is run once more
    folder = found.folder / ".hydra"
    assert sorted(path.name for path in folder.iterdir()) == ["config.yaml", "hydra.yaml", "overrides.yaml"]
    assert {path.name: path.read_text() for path in folder.iterdir()} == found.record
    assert yaml.safe_load((folder / "overrides.yaml").read_text()) == [*RIDGE, "tracking.name='é'"]
    assert yaml.safe_load((folder / "config.yaml").read_text())["model"]["name"] == "ridge"


def test_drafts_lie_where_they_are_settled(hydra: Opened, tmp_path: Path) -> None:
    before = str(hydra.config.hydra.sweep.dir)
    drafts = Drafts(hydra.composer, 1, DATA)
    drafts.draft(RIDGE)
    try:
        drafts.settle(tmp_path)
        assert drafts.draft(RIDGE, 5).folder == tmp_path / "5"
        assert drafts.plain(RIDGE, 6).folder == tmp_path / "6"
    finally:
        drafts.settle(Path(before))


# Repeats


@pytest.mark.parametrize(("more", "first"), [((), 0), (("seed=5",), 5)], ids=["default", "another"])
@pytest.mark.parametrize("repeats", [1, 3])
def test_each_repeat_has_the_next_seed(hydra: Opened, more: tuple[str, ...], first: int, repeats: int) -> None:
    found = Drafts(hydra.composer, repeats, DATA).draft((*RIDGE, *more), 0)
    compositions = [one.composition for one in found.repeats]
    seeds = list(range(first, first + repeats))
    assert [one.settings.seed for one in compositions] == seeds
    assert [one["split"]["seed"] for one in compositions] == seeds
    assert [one["model"]["estimator"]["random_state"] for one in compositions] == seeds
    assert found.composition is compositions[0]


def test_repeats_are_one_trial(hydra: Opened) -> None:
    found = Drafts(hydra.composer, 3, DATA).draft((*RIDGE, f"{ALPHA}=2"), 4)
    assert {id(one.composition.launch) for one in found.repeats} == {id(found.launch)}
    assert found.launch.overrides == [*RIDGE, f"{ALPHA}=2"]
    assert yaml.safe_load(found.record["config.yaml"])["seed"] == 0
    assert {one.composition["model"]["estimator"]["alpha"] for one in found.repeats} == {2}


# Checks


def test_what_was_checked_once_is_not_read_again(drafts: Drafts) -> None:
    first, second = (drafts.draft((*RIDGE, f"{ALPHA}={alpha}"), alpha).repeats[0] for alpha in (1, 2))
    assert first.data is second.data
    assert first.stack is second.stack
    assert second.composition["model"]["estimator"]["alpha"] == 2


@pytest.mark.parametrize(
    "other",
    [
        ("model=dummy",),
        ("model=ridge", "split=kfold"),
        ("model=ridge", "cleaning=none"),
        ("model=ridge", "dataset.rows=100"),
        ("model=ridge", "split.test=0.3"),
        ("model=ridge", "seed=1"),
    ],
    ids=["model", "split", "cleaning", "rows", "share", "seed"],
)
def test_other_rows_and_another_model_are_checked_whole(drafts: Drafts, other: tuple[str, ...]) -> None:
    first, second = drafts.draft(RIDGE).repeats[0], drafts.draft((*DATA, *other)).repeats[0]
    assert first.data is not second.data


@pytest.mark.parametrize("known", [False, True], ids=["first", "later"])
@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (
            (f"+{ALPHA}s=3",),
            "model.estimator.alphas: Ridge has no such argument. Did you mean 'alpha'?",
        ),
        (("threads=0",), "threads=0 should be -1, which takes all, or at least 1."),
        (("output=xml",), "output=xml should be 'text' or 'json'."),
    ],
    ids=["argument", "threads", "setting"],
)
def test_the_values_of_every_draft_are_checked(
    drafts: Drafts, known: bool, more: tuple[str, ...], sentence: str
) -> None:
    if known:
        drafts.draft(RIDGE)
    with pytest.raises((ProblemsError, ConfigError)) as caught:
        drafts.draft((*RIDGE, *more), 1)
    assert str(caught.value) == sentence


def test_a_metric_of_a_later_draft_is_checked(drafts: Drafts) -> None:
    drafts.draft(RIDGE)
    with pytest.raises(ProblemsError, match="is not a metric of regression"):
        drafts.draft((*RIDGE, "objective.metric=accuracy"))


def test_a_model_that_does_not_fit_the_task_is_refused(drafts: Drafts) -> None:
    with pytest.raises((ProblemsError, ConfigError), match="logistic_regression"):
        drafts.draft((*DATA, "model=logistic_regression"))


def test_what_hydra_cannot_compose_is_refused_in_its_words(drafts: Drafts) -> None:
    with pytest.raises(HydraException, match=r"Could not override 'model\.estimator\.alhpa'"):
        drafts.draft((*RIDGE, "model.estimator.alhpa=3"))


def test_a_refused_draft_is_no_trial(drafts: Drafts) -> None:
    with pytest.raises((ProblemsError, ConfigError)):
        drafts.draft((*RIDGE, f"+{ALPHA}s=3"), 3)
    with pytest.raises(KeyError):
        drafts.overrides_of(3)


def test_an_inferred_task_is_that_of_every_draft(drafts: Drafts) -> None:
    found = [drafts.draft((*RIDGE, "dataset.task=null", f"{ALPHA}={alpha}")) for alpha in (1, 2)]
    assert [config(one)["dataset"]["task"] for one in found] == ["regression", "regression"]
    assert {config(one)["model"]["estimator"]["_target_"] for one in found} == {"sklearn.linear_model.Ridge"}


def test_the_data_sets_are_told_by_their_digests(drafts: Drafts) -> None:
    assert drafts.data == {}
    first = drafts.draft(RIDGE).repeats[0].data
    second = drafts.draft(("dataset=wine", "model=rf")).repeats[0].data
    assert drafts.data == {"diabetes": first.fingerprint, "wine": second.fingerprint}
    assert first.fingerprint != second.fingerprint


# What cannot run


def test_a_refused_trial_is_described_as_far_as_it_goes(drafts: Drafts) -> None:
    drafts.parent = "the-parent"
    overrides = (*RIDGE, f"+{ALPHA}s=3")
    found = drafts.plain(overrides, 4)
    assert (found.number, found.overrides, found.repeats) == (4, overrides, ())
    assert (found.launch.job, found.launch.parent, found.launch.shared) == (4, "the-parent", DATA)
    assert found.launch.choices["model"] == "ridge"
    assert yaml.safe_load(found.record["config.yaml"])["model"]["estimator"]["alphas"] == 3
    found.write()
    assert (found.folder / ".hydra" / "config.yaml").exists()


@pytest.mark.parametrize("more", ["model.estimator.alhpa=3", "model=rigde", "nothing.at.all=1"])
def test_what_cannot_be_composed_has_its_overrides_and_its_folder(drafts: Drafts, more: str) -> None:
    found = drafts.plain((*DATA, more), 21)
    assert (found.overrides, found.launch.overrides) == ((*DATA, more), [*DATA, more])
    assert (found.folder.name, found.record, found.repeats) == ("21", {}, ())
    found.write()
    assert list((found.folder / ".hydra").iterdir()) == []


# Keys


@pytest.mark.parametrize(
    "parts",
    [({"a": 1, "b": {"c": 2, "d": 3}}, "m"), ({"b": {"d": 3, "c": 2}, "a": 1}, "m")],
    ids=["in-order", "in-another"],
)
def test_the_order_of_keys_makes_no_difference(parts: tuple[Any, ...]) -> None:
    assert data_key(*parts) == '[{"a": 1, "b": {"c": 2, "d": 3}}, "m"]'


def test_different_settings_have_different_keys() -> None:
    parts = [({"a": 1},), ({"a": "1"},), ({"a": None},), ({"a": [1]},), ({"b": 1},), ({"a": 1}, None), ({"a": 1.5},)]
    for one, other in itertools.combinations(parts, 2):
        assert data_key(*one) != data_key(*other)


def test_what_json_does_not_know_is_written_as_text() -> None:
    assert data_key(Path("/a")) == '["/a"]'

"""Trials composed from files that are read once, compared with the compositions and records of Hydra."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hydra.core.override_parser.types import Quote, QuotedString
from hydra.errors import HydraException
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from mlrunner.composition.composition import GROUPS, Launch
from mlrunner.search.composer import Composer
from tests.support.search import CONF, HydraSweep, open_hydra

ALPHA = "model.estimator.alpha"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HydraSweep]:
    """One composer for the tests that neither edit a file nor put the folder elsewhere."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLRUNNER_HOME", str(tmp_path_factory.mktemp("home")))
        yield open_hydra()


def to_plain(cfg: DictConfig) -> Any:
    return OmegaConf.to_container(cfg, resolve=False, enum_to_str=True)


def resolve(cfg: DictConfig) -> Any:
    """Resolve, or return the error."""
    try:
        return OmegaConf.to_container(cfg, resolve=True)
    except OmegaConfBaseException as error:
        return type(error), str(error)


def remove_hydra(whole: DictConfig) -> DictConfig:
    task = copy.deepcopy(whole)
    with open_dict(task):
        del task["hydra"]
    return task


# The same as Hydra's, whatever the overrides

CHOICES = st.lists(
    st.sampled_from(
        ["model=ridge", "model=rf", "cleaning=full", "split='80_20'", "features@model.features=trees", "~gate"]
    ),
    max_size=2,
    unique_by=lambda text: text.partition("=")[0],
)
QUOTED = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=8).map(
    lambda text: QuotedString(text.replace("$", ""), Quote.single).with_quotes()
)
VALUES = st.lists(
    st.one_of(
        st.sampled_from(
            [
                "objective.metric=[r2,fit_seconds]",
                "cleaning.drop=[a,'b c',[d]]",
                "++cleaning.fill={a: 1, b: {c: null}}",
                "model.estimator.random_state=${seed}",
                "+model.estimator.new=${split.test}",
                "model.estimator.max_depth=null",
                "model.search={}",
                "~model.search",
                "~model.estimator.n_estimators",
                "+extra={x: [1, {y: true}]}",
                "++extra.deep=1",
                "dataset.name=${now:%H-%M-%S-%f}",
                "dataset.name=${nothing.here}",
                "+seed=1",
            ]
        ),
        st.integers(-3, 10**9).map(lambda seed: f"seed={seed}"),
        st.floats(allow_nan=False).map(lambda share: f"split.test={share}"),
        QUOTED.map(lambda text: f"tracking.name={text}"),
        st.lists(QUOTED, max_size=3).map(lambda texts: f"cleaning.drop=[{','.join(texts)}]"),
        st.lists(st.integers(0, 9), max_size=3).map(lambda ints: f"+tracking.tags={{a: {ints}, b: {{c: {ints}}}}}"),
    ),
    max_size=4,
)


REFUSALS = (HydraException, OmegaConfBaseException)


def summarize_hydra(hydra: HydraSweep, overrides: tuple[str, ...], number: int) -> Any:
    """Summarize a composition of Hydra, or its error."""
    try:
        whole = hydra.compose_with_hydra(overrides, number)
        folder = Path(whole.hydra.sweep.dir) / str(whole.hydra.sweep.subdir)
    except REFUSALS as error:
        return type(error), str(error)
    choices = {group: str(option) for group, option in whole.hydra.runtime.choices.items() if group in GROUPS}
    launch = Launch(choices, to_plain(whole.hydra.overrides.task), folder, number)
    task = remove_hydra(whole)
    whole.hydra.runtime.output_dir = str(folder)
    node = yaml.load(OmegaConf.to_yaml(whole.hydra), yaml.CSafeLoader)
    return to_plain(task), OmegaConf.to_yaml(task), resolve(task), OmegaConf.is_struct(task), launch, node


def summarize_ours(hydra: HydraSweep, overrides: tuple[str, ...], number: int) -> Any:
    try:
        composed = hydra.composer.compose(overrides, number, record=True)
    except REFUSALS as error:
        return type(error), str(error)
    cfg, node = composed.cfg, yaml.load(composed.record["hydra.yaml"], yaml.CSafeLoader)["hydra"]
    return to_plain(cfg), OmegaConf.to_yaml(cfg), resolve(cfg), OmegaConf.is_struct(cfg), composed.launch, node


# Without shrinking: what a failing example leaves in the one composer would fail in all that are smaller.
LIKE_HYDRA = settings(max_examples=6, deadline=None, phases=[Phase.explicit, Phase.generate])


@pytest.mark.slow
def test_any_overrides_compose_as_in_hydra(shared: HydraSweep) -> None:
    """One composer makes them all, so that none leaves a trace in the next."""

    @LIKE_HYDRA
    @given(choices=CHOICES, values=VALUES, number=st.integers(0, 99), place=st.integers(0, 4))
    @example(choices=[], values=[], number=0, place=0)
    @example(choices=["model=ridge", "~gate"], values=["+extra={x: 1}", "++extra.deep=1"], number=3, place=1)
    @example(choices=["model=rf"], values=["~model.search", "~model.search"], number=3, place=0)
    @example(choices=[], values=["model.estimator.alpha=1"], number=3, place=0)
    def same(choices: list[str], values: list[str], number: int, place: int) -> None:
        overrides = (*values[:place], *choices, *values[place:])
        assert summarize_ours(shared, overrides, number) == summarize_hydra(shared, overrides, number)

    same()


@pytest.mark.slow
def test_experiments_compose_as_in_hydra_and_leave_no_trace(shared: HydraSweep) -> None:
    experiments = [f"experiment={path.stem}" for path in (CONF / "experiment").glob("*.yaml")]
    for first in [*experiments, "sweep=multi_objective"]:
        overrides = (first, "model=ridge", "seed=3")
        assert summarize_ours(shared, overrides, 1) == summarize_hydra(shared, overrides, 1)
    overrides = ("dataset=diabetes", "cleaning=full")
    assert summarize_ours(shared, overrides, 1) == summarize_hydra(shared, overrides, 1)


@pytest.mark.parametrize(
    "text",
    [
        *(f"{ALPHA}=2", "model=rigde", "modle=ridge", "modle@x=ridge", "+model=ridge"),
        *("+seed=1", "~nothing", "~seed=7", "seed=[", "seed.deep=1"),
    ],
)
def test_errors_are_those_of_hydra_and_leave_no_trace(shared: HydraSweep, text: str) -> None:
    before = to_plain(shared.composer.compose(()).cfg)
    with pytest.raises(HydraException) as theirs:
        shared.compose_with_hydra(("seed=3", text), 0)
    with pytest.raises(HydraException) as ours:
        shared.composer.compose(("seed=3", text), 0)
    assert (type(ours.value), str(ours.value)) == (type(theirs.value), str(theirs.value))
    assert to_plain(shared.composer.compose(()).cfg) == before


def test_a_change_of_a_composition_changes_no_other(shared: HydraSweep) -> None:
    first = shared.composer.compose(("model=ridge",), 0)
    first.cfg.dataset.name = "changed"
    first.cfg.model.estimator.alpha = 99
    second = shared.composer.compose(("model=ridge", f"{ALPHA}=2"), 1)
    assert (second.cfg.dataset.name, second.cfg.model.estimator.alpha) == ("olist", 2)
    assert shared.composer.compose(("model=ridge",), 0).cfg.model.estimator.alpha == 1.0


def test_all_trials_share_the_time_stamp_of_the_sweep(shared: HydraSweep) -> None:
    """`now` is asked once a sweep, or the trials would lie in folders of their own."""
    folders = {shared.composer.compose((f"model={name}",), 0).launch.folder for name in ("ridge", "rf", "dummy")}
    assert folders == {Path(shared.config.hydra.sweep.dir) / "0"}


def test_a_launch_holds_choices_overrides_and_folder(shared: HydraSweep) -> None:
    composed = shared.composer.compose(("model=ridge", "split=kfold", f"{ALPHA}=2"), 7)
    assert composed.launch.overrides == ["model=ridge", "split=kfold", f"{ALPHA}=2"]
    choices = {"dataset": "olist", "cleaning": "full", "split": "kfold", "model": "ridge"}
    assert composed.launch.choices == {
        **choices,
        "stack": "local",
        "gate": "none",
        "deployer": "none",
        "executor": "local",
    }
    assert composed.launch.job == 7
    assert composed.launch.folder.name == "7"
    assert Path(shared.config.home) / "multirun" in composed.launch.folder.parents
    assert "hydra" not in composed.cfg
    assert composed.record == {}
    unnumbered = shared.composer.compose(("model=ridge", "split=kfold")).launch
    assert (unnumbered.job, unnumbered.folder) == (None, Path())


# Files


def edit(file: Path, before: str, after: str) -> None:
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after))


def test_each_file_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A change of a file after its first use changes nothing, also for new sets of choices; one before it does."""
    monkeypatch.setenv("MLRUNNER_HOME", str(tmp_path / "home"))
    conf = Path(shutil.copytree(CONF, tmp_path / "conf"))
    hydra = open_hydra(conf=conf)
    before = to_plain(hydra.composer.compose(("model=ridge", "split=kfold")).cfg)
    edit(conf / "model/ridge.yaml", "alpha: 1.0", "alpha: 9.0")
    edit(conf / "mlrunner.yaml", "seed: 0", "seed: 9")
    edit(conf / "model/rf.yaml", "n_estimators: 200", "n_estimators: 7")
    (conf / "features/linear.yaml").write_text("a: [")
    (conf / "split/kfold.yaml").unlink()
    assert to_plain(hydra.composer.compose(("model=ridge", "split=kfold")).cfg) == before
    again = hydra.composer.compose(("model=ridge", "split=kfold", "cleaning=full"))
    assert (again.cfg.model.estimator.alpha, again.cfg.seed, again.launch.choices["split"]) == (1.0, 0, "kfold")
    assert hydra.composer.compose(("model=rf", "split=kfold")).cfg.model.estimator.n_estimators == 7


# The folder of the sweep


def test_a_new_sweep_dir_moves_the_folders_of_known_and_new_choices(shared: HydraSweep, tmp_path: Path) -> None:
    """In a further sweep of the same process, whose composer wraps what the first has read."""
    composer = Composer(shared.context, shared.config.copy())
    composer.compose(("model=ridge",), 0)
    composer.set_sweep_dir(tmp_path / "earlier")
    composed = composer.compose(("model=ridge",), 5, record=True)
    assert composed.launch.folder == tmp_path / "earlier/5"
    node = yaml.safe_load(composed.record["hydra.yaml"])["hydra"]
    assert node["sweep"]["dir"] == str(tmp_path / "earlier")
    assert node["runtime"]["output_dir"] == str(tmp_path / "earlier/5")
    assert composer.compose(("model=rf",), 6).launch.folder == tmp_path / "earlier/6"


@pytest.mark.parametrize(
    ("subdir", "name"),
    [
        pytest.param("${hydra.job.override_dirname}", "model.estimator.alpha=2,model=ridge,seed=3", id="hydra-only"),
        pytest.param("${hydra.job.num}-${hydra.runtime.choices.model}-${seed}", "5-ridge-3", id="values-of-the-trial"),
    ],
)
@pytest.mark.usefixtures("shared")
def test_the_folder_of_a_trial_is_that_of_hydra(subdir: str, name: str) -> None:
    overrides = ("model=ridge", f"{ALPHA}=2", "seed=3")
    hydra = open_hydra("sweep=optuna", f"hydra.sweep.subdir={subdir}")
    assert str(hydra.compose_with_hydra(overrides, 5).hydra.sweep.subdir) == name
    assert hydra.composer.compose(overrides, 5).launch.folder.name == name


def test_the_variables_and_the_working_folder_of_a_trial_are_those_of_its_job(shared: HydraSweep) -> None:
    hydra = open_hydra("sweep=optuna", "+hydra.job.env_set={A: '${seed}', B: x}", "hydra.job.chdir=true")
    launch = hydra.composer.compose(("seed=3",), 5).launch
    assert (launch.env, launch.changes_folder) == ({"A": "3", "B": "x"}, True)
    plain = shared.composer.compose(("seed=3",), 5).launch
    assert (plain.env, plain.changes_folder) == ({}, False)


# The record

RECORDED = [
    pytest.param(("model=ridge", "split='80_20'", f"{ALPHA}=2"), id="choices"),
    pytest.param(("cleaning=full", "~gate", "+extra={x: [1, null, 'a b']}"), id="additions"),
    pytest.param(("tracking.name='é ü — 日本'", "tracking.tags={}", "cleaning.drop=[]"), id="texts"),
    pytest.param(("tracking.name='12:30'", "dataset.name='1e5'", "+a=['yes','0x1','~','']"), id="texts-like-values"),
    pytest.param(("tracking.name='# a: b, [c] {d} & * ! | > %'", f"dataset.name='{'word ' * 60}'"), id="long-texts"),
]


@pytest.mark.parametrize("overrides", RECORDED)
def test_the_record_is_that_of_a_job_of_hydra(shared: HydraSweep, overrides: tuple[str, ...]) -> None:
    """The same values in all three files; byte for byte in the two that hold nothing of Hydra's own."""
    ours = shared.composer.compose(overrides, 3, record=True)
    job = shared.run_empty_job(overrides, 3)
    theirs = {path.name: path.read_text() for path in (ours.launch.folder / ".hydra").iterdir()}
    assert {name: yaml.safe_load(text) for name, text in ours.record.items()} == {
        name: yaml.safe_load(text) for name, text in theirs.items()
    }
    for name in ("config.yaml", "overrides.yaml"):
        assert ours.record[name] == theirs[name]
    assert ours.record["config.yaml"] == OmegaConf.to_yaml(ours.cfg)
    assert ours.record["overrides.yaml"] == OmegaConf.to_yaml(OmegaConf.create(list(overrides)))
    assert job.overrides == ours.launch.overrides


def test_a_record_has_the_number_of_its_trial(shared: HydraSweep) -> None:
    texts = [shared.composer.compose(("model=ridge",), number, record=True).record["hydra.yaml"] for number in (4, 5)]
    jobs = [yaml.safe_load(text)["hydra"]["job"] for text in texts]
    assert [(job["num"], job["id"]) for job in jobs] == [(4, "4"), (5, "5")]


# Choices


@pytest.mark.parametrize(
    ("expected", "texts"),
    [
        (True, ["model=ridge", "split='80_20'", "~gate", "+experiment=five_stars", "features@model.features=trees"]),
        (False, ["model=ridge,rf", "model=choice(ridge,rf)", "seed=1", "+extra=1", "s=zip(model=choice(a,b),b=1,2)"]),
    ],
)
def test_a_fixed_choice_is_recognized(shared: HydraSweep, expected: bool, texts: list[str]) -> None:
    assert [text for text in texts if shared.composer.is_fixed_choice(text) is not expected] == []


def test_model_groups_are_unresolved(shared: HydraSweep) -> None:
    composed = shared.composer.compose_models(["dataset=diabetes", f"{ALPHA}=2"], ["ridge", "rf"])
    assert list(composed) == ["ridge", "rf"]
    assert composed["ridge"]["search"]["estimator.alpha"] == "tag(log, interval(0.001, 1000))"
    assert composed["rf"]["estimator"]["_target_"] == "${model.targets.${dataset.task}}"


@pytest.mark.parametrize(("choices", "model"), [([], "xgboost"), (["model=ridge", "seed=1"], "ridge")])
def test_no_option_stands_for_the_chosen_model(shared: HydraSweep, choices: list[str], model: str) -> None:
    (name,) = shared.composer.compose_models(choices, [])
    assert name == model


def test_an_unknown_model_is_refused(shared: HydraSweep) -> None:
    with pytest.raises(HydraException, match="Could not find 'model/rigde'"):
        shared.composer.compose_models([], ["ridge", "rigde"])

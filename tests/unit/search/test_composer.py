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

from mlrunner.composition import GROUPS, Launch
from mlrunner.search.composer import Composer
from tests.support.search import CONF, HydraSweep, open_hydra

ALPHA = "model.estimator.alpha"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MLRUNNER_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def hydra(home: Path) -> HydraSweep:  # noqa: ARG001 - set before Hydra reads it
    return open_hydra()


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
        [
            "model=ridge",
            "model=rf",
            "dataset=diabetes",
            "cleaning=full",
            "split='80_20'",
            "split=kfold",
            "features@model.features=trees",
            "~gate",
        ]
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
                "threads=2",
                "output=json",
                "objective.metric=[r2,fit_seconds]",
                "objective={metric: mae, direction: minimize}",
                "cleaning.drop=[a,'b c',[d]]",
                "+cleaning.fill.note='No review'",
                "++cleaning.fill={a: 1, b: {c: null}}",
                "model.estimator.random_state=${seed}",
                "+model.estimator.new=${split.test}",
                "model.estimator.alpha=0.5",
                "model.estimator.max_depth=null",
                "model.search={}",
                "~model.search",
                "~tracking.name",
                "~model.estimator.n_estimators",
                "+extra={x: [1, {y: true}]}",
                "+extra=3",
                "++extra.deep=1",
                "+more=[]",
                "dataset.name=${now:%H-%M-%S-%f}",
                "dataset.name=${nothing.here}",
                "+seed=1",
                "tracking.tagz=1",
                "~nothing",
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
LIKE_HYDRA = settings(max_examples=10, deadline=None, phases=[Phase.explicit, Phase.generate])


def test_any_overrides_compose_as_in_hydra() -> None:
    """One composer makes them all, so that none leaves a trace in the next."""
    hydra = open_hydra()

    @LIKE_HYDRA
    @given(choices=CHOICES, values=VALUES, number=st.integers(0, 99), place=st.integers(0, 4))
    @example(choices=[], values=[], number=0, place=0)
    @example(choices=["model=ridge", "~gate"], values=["+extra={x: 1}", "++extra.deep=1"], number=3, place=1)
    @example(choices=["model=rf"], values=["~model.search", "~model.search"], number=3, place=0)
    @example(choices=[], values=["model.estimator.alpha=1"], number=3, place=0)
    def same(choices: list[str], values: list[str], number: int, place: int) -> None:
        overrides = (*values[:place], *choices, *values[place:])
        assert summarize_ours(hydra, overrides, number) == summarize_hydra(hydra, overrides, number)

    same()


@pytest.mark.parametrize("first", ["experiment=five_stars", "sweep=multi_objective"])
def test_an_experiment_leaves_no_trace_in_later_compositions(hydra: HydraSweep, first: str) -> None:
    hydra.composer.compose((first,))
    for overrides in [(), ("dataset=diabetes", "cleaning=full")]:
        assert summarize_ours(hydra, overrides, 1) == summarize_hydra(hydra, overrides, 1)


@pytest.mark.parametrize("first", sorted(path.stem for path in (CONF / "experiment").glob("*.yaml")))
def test_an_experiment_composes_as_in_hydra(hydra: HydraSweep, first: str) -> None:
    overrides = (f"experiment={first}", "model=ridge", "seed=3")
    assert summarize_ours(hydra, overrides, 1) == summarize_hydra(hydra, overrides, 1)


@pytest.mark.parametrize(
    "overrides",
    [
        pytest.param((f"{ALPHA}=2",), id="value-of-another-model"),
        pytest.param(("model=rigde",), id="no-option"),
        pytest.param(("modle=ridge",), id="no-group"),
        pytest.param(("modle@x=ridge",), id="no-group-with-package"),
        pytest.param(("+model=ridge",), id="added-twice"),
        pytest.param(("+seed=1",), id="there-already"),
        pytest.param(("~nothing",), id="not-there"),
        pytest.param(("~seed=7",), id="another-value"),
        pytest.param(("seed=[",), id="no-override"),
        pytest.param(("seed.deep=1",), id="below-a-value"),
    ],
)
def test_errors_are_those_of_hydra(shared: HydraSweep, overrides: tuple[str, ...]) -> None:
    with pytest.raises(HydraException) as theirs:
        shared.compose_with_hydra(overrides, 0)
    with pytest.raises(HydraException) as ours:
        shared.composer.compose(overrides, 0)
    assert (type(ours.value), str(ours.value)) == (type(theirs.value), str(theirs.value))


def test_a_refused_composition_leaves_no_trace(shared: HydraSweep) -> None:
    before = to_plain(shared.composer.compose(("model=ridge",)).cfg)
    with pytest.raises(HydraException):
        shared.composer.compose(("model=ridge", "seed=3", "~nothing"))
    assert to_plain(shared.composer.compose(("model=ridge",)).cfg) == before


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


def test_a_launch_holds_choices_overrides_and_folder(hydra: HydraSweep, home: Path) -> None:
    composed = hydra.composer.compose(("model=ridge", "split=kfold", f"{ALPHA}=2"), 7)
    assert composed.launch.overrides == ["model=ridge", "split=kfold", f"{ALPHA}=2"]
    assert composed.launch.choices == {
        "dataset": "olist",
        "cleaning": "preprocess",
        "split": "kfold",
        "model": "ridge",
        "stack": "local",
        "gate": "none",
        "deployer": "none",
    }
    assert composed.launch.job == 7
    assert composed.launch.folder.name == "7"
    assert home / "multirun" in composed.launch.folder.parents
    assert "hydra" not in composed.cfg
    assert composed.record == {}


def test_a_composition_without_a_number_has_no_folder(shared: HydraSweep) -> None:
    shared.composer.compose(("model=ridge",), 3)
    launch = shared.composer.compose(("model=ridge",)).launch
    assert (launch.job, launch.folder) == (None, Path())


# Files


@pytest.fixture
def conf(tmp_path: Path, home: Path) -> Path:  # noqa: ARG001 - see above
    return Path(shutil.copytree(CONF, tmp_path / "conf"))


def edit(file: Path, before: str, after: str) -> None:
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after))


def test_editing_a_file_after_its_first_use_changes_nothing(conf: Path) -> None:
    hydra = open_hydra(conf=conf)
    before = to_plain(hydra.composer.compose(("model=ridge",)).cfg)
    edit(conf / "model/ridge.yaml", "alpha: 1.0", "alpha: 9.0")
    edit(conf / "config.yaml", "seed: 0", "seed: 9")
    edit(conf / "split/80_20.yaml", "test: 0.2", "test: 0.9")
    assert to_plain(hydra.composer.compose(("model=ridge",)).cfg) == before
    assert hydra.composer.compose(("model=ridge", "threads=2")).cfg.model.estimator.alpha == 1.0
    again = hydra.composer.compose(("model=ridge", "cleaning=full")).cfg  # a new set of choices, of the same files
    assert (again.model.estimator.alpha, again.seed, again.split.test) == (1.0, 0, 0.2)
    assert hydra.loader.load_sweep_config(hydra.config, ["model=ridge"]).model.estimator.alpha == 9.0


def test_breaking_or_deleting_a_file_after_its_first_use_changes_nothing(conf: Path) -> None:
    hydra = open_hydra(conf=conf)
    before = to_plain(hydra.composer.compose(("model=ridge", "split=kfold")).cfg)
    (conf / "model/ridge.yaml").write_text("a: [")
    (conf / "split/kfold.yaml").unlink()
    assert to_plain(hydra.composer.compose(("model=ridge", "split=kfold")).cfg) == before


def test_a_deleted_file_is_still_available_to_other_choices(conf: Path) -> None:
    hydra = open_hydra(conf=conf)
    hydra.composer.compose(("model=ridge", "split=kfold"))
    (conf / "split/kfold.yaml").unlink()
    assert hydra.composer.compose(("model=rf", "split=kfold")).launch.choices["split"] == "kfold"


def test_a_file_is_read_at_its_first_use(conf: Path) -> None:
    hydra = open_hydra(conf=conf)
    hydra.composer.compose(("model=ridge",))
    edit(conf / "model/rf.yaml", "n_estimators: 200", "n_estimators: 7")
    assert hydra.composer.compose(("model=rf",)).cfg.model.estimator.n_estimators == 7


def test_a_second_composer_keeps_the_files_of_the_first(hydra: HydraSweep) -> None:
    """A sweep after a sweep in one process: the second wraps what the first has read."""
    again = Composer(hydra.context, hydra.config)
    assert to_plain(again.compose(("model=ridge",)).cfg) == to_plain(hydra.composer.compose(("model=ridge",)).cfg)


# The folder of the sweep


def test_a_new_sweep_dir_moves_the_folders_of_known_choices(hydra: HydraSweep, tmp_path: Path) -> None:
    hydra.composer.compose(("model=ridge",), 0)
    hydra.composer.set_sweep_dir(tmp_path / "earlier")
    composed = hydra.composer.compose(("model=ridge",), 5, record=True)
    assert composed.launch.folder == tmp_path / "earlier/5"
    node = yaml.safe_load(composed.record["hydra.yaml"])["hydra"]
    assert node["sweep"]["dir"] == str(tmp_path / "earlier")
    assert node["runtime"]["output_dir"] == str(tmp_path / "earlier/5")


def test_a_new_sweep_dir_moves_the_folders_of_new_choices(hydra: HydraSweep, tmp_path: Path) -> None:
    hydra.composer.set_sweep_dir(tmp_path / "earlier")
    assert hydra.composer.compose(("model=ridge",), 5).launch.folder == tmp_path / "earlier/5"


@pytest.mark.parametrize(
    ("subdir", "name"),
    [
        pytest.param("${hydra.job.num}", "5", id="number"),
        pytest.param("${hydra.job.override_dirname}", "model.estimator.alpha=2,model=ridge,seed=3", id="overrides"),
        pytest.param("${hydra.runtime.choices.model}-${model.name}", "ridge-ridge", id="choice"),
        pytest.param("${seed}", "3", id="value"),
        pytest.param("${hydra.job.num}-${model.estimator.alpha}", "5-2", id="number-and-value"),
    ],
)
def test_the_folder_of_a_trial_is_that_of_hydra(
    home: Path,  # noqa: ARG001 - see above
    subdir: str,
    name: str,
) -> None:
    overrides = ("model=ridge", f"{ALPHA}=2", "seed=3")
    hydra = open_hydra("sweep=optuna", f"hydra.sweep.subdir={subdir}")
    assert str(hydra.compose_with_hydra(overrides, 5).hydra.sweep.subdir) == name
    assert hydra.composer.compose(overrides, 5).launch.folder.name == name


# The record

RECORDED = [
    pytest.param((), id="default"),
    pytest.param(("model=ridge", "split='80_20'", f"{ALPHA}=2"), id="choices"),
    pytest.param(("cleaning=full", "~gate", "+extra={x: [1, null, 'a b']}"), id="additions"),
    pytest.param(("tracking.name='é ü — 日本'", "tracking.tags={}", "cleaning.drop=[]"), id="texts"),
    pytest.param(("tracking.name='12:30'", "dataset.name='1e5'", "+a=['yes','0x1','~','']"), id="texts-like-values"),
    pytest.param(("tracking.name='# a: b, [c] {d} & * ! | > %'",), id="texts-with-signs"),
    pytest.param((f"tracking.name='{'word ' * 60}'",), id="a-long-text"),
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


@pytest.mark.parametrize("model", sorted(path.stem for path in (CONF / "model").glob("*.yaml")))
def test_every_models_record_is_written_as_omegaconf_writes(shared: HydraSweep, model: str) -> None:
    ours = shared.composer.compose((f"model={model}", "dataset=diabetes"), 0, record=True)
    assert ours.record["config.yaml"] == OmegaConf.to_yaml(ours.cfg)


def test_a_record_has_the_number_of_its_trial(shared: HydraSweep) -> None:
    texts = [shared.composer.compose(("model=ridge",), number, record=True).record["hydra.yaml"] for number in (4, 5)]
    jobs = [yaml.safe_load(text)["hydra"]["job"] for text in texts]
    assert [(job["num"], job["id"]) for job in jobs] == [(4, "4"), (5, "5")]


# Choices


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("model=ridge", True),
        ("split='80_20'", True),
        ("~gate", True),
        ("+experiment=five_stars", True),
        ("features@model.features=trees", True),
        ("sweep=optuna", True),
        ("model=ridge,rf", False),
        ("model=choice(ridge,rf)", False),
        ("seed=1", False),
        ("model.estimator.alpha=1", False),
        ("+extra=1", False),
        ("size=zip(model=choice(rf,ridge),seed=choice(1,2))", False),
    ],
)
def test_a_fixed_choice_is_recognized(shared: HydraSweep, text: str, expected: bool) -> None:
    assert shared.composer.is_fixed_choice(text) is expected


def test_model_groups_are_unresolved(shared: HydraSweep) -> None:
    composed = shared.composer.compose_models(("dataset=diabetes",), ["ridge", "rf"])
    assert list(composed) == ["ridge", "rf"]
    assert composed["ridge"]["search"]["estimator.alpha"] == "tag(log, interval(0.001, 1000))"
    assert composed["rf"]["estimator"]["_target_"] == "${model.targets.${dataset.task}}"


@pytest.mark.parametrize(
    ("choices", "model"), [((), "xgboost"), (("model=ridge",), "ridge"), (("experiment=five_stars",), "rf")]
)
def test_no_option_stands_for_the_chosen_model(shared: HydraSweep, choices: tuple[str, ...], model: str) -> None:
    (name,) = shared.composer.compose_models(choices, [])
    assert name == model


def test_an_unknown_model_is_refused(shared: HydraSweep) -> None:
    with pytest.raises(HydraException, match="Could not find 'model/rigde'"):
        shared.composer.compose_models((), ["ridge", "rigde"])

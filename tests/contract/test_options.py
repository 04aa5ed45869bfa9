"""Every YAML file of conf/: commented, composable, and built into what it names, for both tasks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from omegaconf import DictConfig, OmegaConf

from mlrunner.composition.checks import KINDS
from mlrunner.composition.composition import read_settings
from mlrunner.composition.resolve import resolve_group
from mlrunner.composition.stand_ins import TASKS
from mlrunner.core.build import build
from mlrunner.core.column_roles import Task
from mlrunner.evaluation import custom_metrics
from mlrunner.groups.dataset import Dataset
from mlrunner.groups.features import Features
from mlrunner.groups.model import EstimatorModel
from mlrunner.search import sweeper_config
from tests.support.front_door import PROJECT

ROOT = PROJECT
CONF = ROOT / "conf"
FILES = sorted(CONF.rglob("*.yaml"))
GROUPS = ("dataset", "cleaning", "split", "features", "model", "stack", "gate", "deployer", "executor")
KEY = re.compile(r"""^(?P<indent>\s*)(?:- )?(?P<name>[\w./@]+|"[^"]*"|'[^']*'):(?:\s|$)""")
LITERAL = re.compile(r":\s*[|>][+-]?\d*\s*(#.*)?$")
Compose = Callable[[list[str]], DictConfig]


def option_names(group: str) -> list[str]:
    return sorted(file.stem for file in (CONF / group).glob("*.yaml"))


def relative_name(file: Path) -> str:
    return str(file.relative_to(CONF))


def has_comment(line: str) -> bool:
    """Check whether a line ends in a comment; a # within quotes starts no comment."""
    return re.search(r"\s#\s*\S", re.sub(r"\"[^\"]*\"|'[^']*'", '""', line)) is not None


def lines_of_keys(text: str) -> Iterator[tuple[str, str, str, str]]:
    """Yield the name, the line, and the lines above and below of each key with a line of its own."""
    lines = ["", *text.splitlines(), ""]
    literal: int | None = None  # indent of the key whose text the lines below are
    for place, line in enumerate(lines[:-1]):
        indent = len(line) - len(line.lstrip())
        if literal is not None and (not line.strip() or indent > literal):
            continue
        literal = indent if LITERAL.search(line) else None
        match = KEY.match(line)
        if match is not None:
            yield match["name"], line, lines[place - 1], lines[place + 1]


def holds_commented_keys(line: str, following: str) -> bool:
    """Check whether a key only contains others on the lines below it, which have their own comments."""
    opens = line.rstrip().endswith(":")
    deeper = len(following) - len(following.lstrip()) > len(line) - len(line.lstrip())
    return opens and (deeper or following.lstrip().startswith("- "))


def uncommented(text: str) -> list[str]:
    match = lines_of_keys(text)
    return [
        name
        for name, line, above, following in match
        if name not in ("_target_", "defaults")
        and not has_comment(line)
        and not above.lstrip().startswith("# ")
        and not holds_commented_keys(line, following)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# top\n\na: 1\n", ["a"]),
        ("# top\n\na: 1 # why\n", []),
        ("# top\n\n# why\na: 1\n", []),
        ("a: '# no comment'\n", ["a"]),
        ("a: x#y\n", ["a"]),
        ("a: 1 #\n", ["a"]),
        ("a:\n  b: 1\n", ["b"]),
        ("a:\n  b: 1 # why\n", []),
        ("a:\n  - b\n", []),
        ("a:\nb: 1 # why\n", ["a"]),
        ("a: |- # why\n  b: 1\n\n  c: 2\nd: 3\n", ["d"]),
        ("- a: 1\n", ["a"]),
        ("a.b: tag(log, int(interval(1, 2)))\n", ["a.b"]),
        ("a: [b, c]\n", ["a"]),
        ("'a b': 1\n", ["'a b'"]),
    ],
)
def test_the_scanner_finds_keys_without_a_comment(text: str, expected: list[str]) -> None:
    assert uncommented(text) == expected


@pytest.mark.parametrize("file", FILES, ids=relative_name)
def test_each_file_starts_with_its_purpose(file: Path) -> None:
    first, *rest = file.read_text().splitlines()
    description = rest[0] if first.startswith("# @package ") else first
    assert re.fullmatch(r"# \S.{9,}[.:?]", description), description


@pytest.mark.parametrize("file", FILES, ids=relative_name)
def test_each_key_has_a_comment(file: Path) -> None:
    text = file.read_text()
    assert uncommented(text) == []
    assert len(list(lines_of_keys(text))) >= len(OmegaConf.load(file))  # type: ignore[arg-type]


@pytest.mark.parametrize("group", GROUPS)
def test_each_group_is_a_module_with_a_test_and_options(group: str) -> None:
    assert option_names(group) != []
    assert find_spec(f"mlrunner.groups.{group}") is not None
    assert (ROOT / "tests" / "unit" / "groups" / group / f"test_{group}.py").is_file()


def test_no_folder_of_options_is_forgotten() -> None:
    match = {folder.name for folder in CONF.iterdir() if folder.is_dir()}
    assert match - {"experiment", "hydra", "metric", "sweep"} == set(GROUPS)
    assert set(GROUPS) == {*KINDS, "dataset", "features"}


def defaults_of(cfg: Any) -> dict[str, Any]:
    """Return the options of a defaults list by group."""
    entries = [entry for entry in cfg["defaults"] if OmegaConf.is_dict(entry)]
    return {str(key).removeprefix("override ").strip("/"): entry[key] for entry in entries for key in entry}


WITH_DEFAULTS = [file for file in FILES if "defaults" in OmegaConf.load(file)]


@pytest.mark.parametrize("file", WITH_DEFAULTS, ids=relative_name)
def test_the_defaults_of_each_file_exist(file: Path) -> None:
    for group, option in defaults_of(OmegaConf.load(file)).items():
        is_registered = group == "hydra/sweeper" or option in sweeper_config.SWEEPER_OPTIONS.get(group, {})
        is_file = (CONF / group.partition("@")[0] / f"{option}.yaml").is_file()
        assert option is None or is_file or is_registered, f"{group}={option}"


def test_the_default_composition_has_every_group() -> None:
    assert {
        group for group, option in defaults_of(OmegaConf.load(CONF / "mlrunner.yaml")).items() if option is not None
    } == {*GROUPS, "hydra/job_logging", "hydra/hydra_logging"} - {"features"}


@pytest.mark.parametrize("option", [name for name in option_names("metric") if name != "custom"])
def test_each_metric_of_conf_can_be_computed(option: str, compose: Compose) -> None:
    custom = read_settings(compose([f"metric={option}"])).metric
    assert list(custom) == [option]
    assert list(custom_metrics.problems(custom, custom[option].task)) == []


# --- every option is built ----------------------------------------------------------------------------------

BUILT_GROUPS = ("cleaning", "split", "stack", "gate", "deployer", "executor")
BUILT = [(group, option) for group in BUILT_GROUPS for option in option_names(group)]
OPTIONS = [(*built, task) for built, task in zip(BUILT, cycle(TASKS), strict=False)]  # the tasks take turns
EXTRA_MODULES = {"lightgbm": "lightgbm", "catboost": "catboost"}


@pytest.mark.parametrize(("group", "option", "task"), OPTIONS)
def test_each_option_is_built(group: str, option: str, task: Task, compose: Compose) -> None:
    cfg = compose([f"{group}='{option}'", f"dataset.task={task}"])
    built = build(resolve_group(cfg, group), group, KINDS[group])
    target = cfg[group]["_target_"]
    assert f"{type(built).__module__}.{type(built).__name__}" == target
    assert target.startswith(f"mlrunner.groups.{group}.")


@pytest.mark.parametrize("option", option_names("dataset"))
def test_each_data_set_is_built(option: str, compose: Compose) -> None:
    built = build(resolve_group(compose([f"dataset={option}"]), "dataset"), "dataset", Dataset)
    assert built.name == option
    assert built.task in (None, *TASKS)
    unset = {"csv": ["path", "target"], "parquet": ["path", "target"], "sql": ["url", "query", "target"]}
    assert [problem.partition(" ")[0] for problem in built.problems()] == [
        f"dataset.{key}" for key in unset.get(option, [])
    ]


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("option", option_names("model"))
def test_each_model_is_built_for_the_tasks_it_does(option: str, task: Task, compose: Compose) -> None:
    if option in EXTRA_MODULES:
        pytest.importorskip(EXTRA_MODULES[option])
    more = [
        "model.estimator._target_=sklearn.dummy.Dummy"
        + {"regression": "Regressor", "classification": "Classifier"}[task]
    ]
    cfg = compose([f"model={option}", f"dataset.task={task}", *(more if option == "custom" else [])])
    built = build(resolve_group(cfg, "model"), "model", EstimatorModel)
    assert built.name == option
    does = built.targets is None or built.targets[task] is not None
    other = {"regression": "classification", "classification": "regression"}[task]
    refused = f"model={option} does {other} only, but dataset.task is {task}; choose another model."
    assert built.problems(task) == ([] if does else [refused])


@pytest.mark.parametrize("option", option_names("model"))
def test_each_search_space_names_keys_of_its_model(option: str, compose: Compose) -> None:
    model = compose([f"model={option}"]).model
    absent = [key for key in model.search if OmegaConf.select(model, key, default="absent") == "absent"]
    assert absent == []


@pytest.mark.parametrize("option", [name for name in option_names("model") if name not in ("dummy", "custom")])
def test_each_model_has_something_to_search(option: str) -> None:
    assert len(OmegaConf.load(CONF / "model" / f"{option}.yaml").search) > 0


@pytest.mark.parametrize("option", option_names("features"))
def test_each_option_of_features_lands_in_the_model(option: str, compose: Compose) -> None:
    cfg = compose([f"features@model.features={option}"])
    built = build(resolve_group(cfg.model, "features"), "model.features", Features)
    assert built.problems() == []
    expected = OmegaConf.load(CONF / "features" / f"{option}.yaml")
    assert (built.impute, built.low_cardinality) == (expected.impute, expected.low_cardinality)


@pytest.mark.parametrize("folder", ["experiment", "sweep"])
def test_each_ready_composition_is_built(folder: str, compose: Compose) -> None:
    for option in option_names(folder):
        cfg = compose([f"{folder}={option}"])
        for group, kind in {**KINDS, "dataset": Dataset}.items():
            assert isinstance(build(resolve_group(cfg, group), group, kind), kind)
        assert read_settings(cfg).objective.metric == cfg.objective.metric


def test_there_are_three_experiments_and_one_is_the_course_s_own() -> None:
    assert len(option_names("experiment")) >= 3
    assert "course_original" in option_names("experiment")


@pytest.mark.parametrize("option", option_names("experiment"))
def test_command_line_overrides_an_experiment(option: str, compose: Compose) -> None:
    cfg = compose([f"experiment={option}", "model=dummy", "seed=7", "objective.metric=rmse"])
    assert (cfg.model.name, cfg.seed, cfg.objective.metric) == ("dummy", 7, "rmse")


@pytest.mark.parametrize(("task", "metric"), [("regression", "r2"), ("classification", "accuracy")])
def test_the_objective_follows_the_task(task: Task, metric: str, compose: Compose) -> None:
    assert read_settings(compose([f"dataset.task={task}"])).objective.metric == metric


def test_the_split_follows_the_data_set(compose: Compose) -> None:
    assert compose([]).split.group == "order_id"
    assert compose(["dataset=wine"]).split.group is None
    assert compose(["dataset=wine", "seed=5"]).split.seed == 5

"""What the application tests of Hydra's own plugin for Optuna hold, for our sweeper in a program that is not mlrunner.

The official tests (branch 1.3 and main) by name, and what holds them here; `differs` stands beside the reason:

- `test_discovery`: `tests/unit/hydra_plugins/mlrunner_sweeper/test_sweeper.py`
- `test_create_optuna_distribution_from_config`: `test_the_form_of_hydra_1_1_is_read`
- `test_create_optuna_distribution_from_override`, `test_create_params_from_overrides`:
  `test_overrides_are_ranges_or_fixed`; `range` differs: its stop is not a value, as in Hydra's grammar and the
  official 1.4
- `test_launch_jobs`: `nothing`; `test_optuna_example`: `file` and `typed`; `test_example_with_grid_sampler`: `grid`
  and `first of grid`; `test_optuna_multi_objective_example`: `front` and `typed front`;
  `test_optuna_custom_search_space_example`: `custom`; `test_failure_rate`: `half` and `all`
- `test_example_with_deprecated_search_space`, `test_warnings`: `older` and `both`; an empty `params` beside
  `search_space` differs: it is our default, so it warns as if it were absent
- `test_motpe_sampler_removed`, `test_example_with_removed_motpe`: `motpe`, a sentence where the official one has a
  traceback
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import optuna
import pytest
import yaml
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from mlrunner.search.function_settings import read_range
from mlrunner.search.space_reader import read_overrides
from tests.support.front_door import PROJECT, environment

PROGRAM = """
import hydra

@hydra.main(version_base="1.3", config_path="conf", config_name="bowl")
def bowl(cfg):
    if cfg.fails:
        raise OSError("no water")
    return cfg.a ** 2 + cfg.b ** 2

@hydra.main(version_base="1.3", config_path="conf", config_name="front")
def front(cfg):
    return [cfg.a ** 2, (cfg.a - 3) ** 2 + cfg.b]

@hydra.main(version_base="1.3", config_path="conf", config_name="custom")
def cube(cfg):
    return cfg.a ** 2 + cfg.c ** 2 + cfg.d

def near(cfg, trial):
    middle = trial.params["a"]
    trial.suggest_float("c", middle - cfg.reach, middle + cfg.reach)
    trial.suggest_float("+d", 0, float(trial.user_attrs["reach"]))
"""
DRIVER = """
import contextlib, io, json, sys
import program

results = {}
for name, (function, *words) in json.load(sys.stdin).items():
    sys.argv, code, out, err = ["program.py", "--multirun", *words], 0, io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            getattr(program, function)()
        except SystemExit as end:
            code = end.code
    results[name] = [code, out.getvalue(), err.getvalue()]
heavy = [name for name in ("zenml", "mlflow", "pandas", "sklearn", "xgboost") if name in sys.modules]
json.dump([results, heavy], sys.stdout)
"""
SEARCH = {"defaults": ["_self_", {"override hydra/sweeper": "optuna"}], "a": 1, "b": 1}
BOWL = {**SEARCH, "c": "deep", "fails": False}


def search(values: dict[str, Any], sampler: str = "tpe", **keys: Any) -> str:
    """Write the configuration of a program with its `hydra.sweeper`."""
    defaults = [*SEARCH["defaults"], {"override hydra/sweeper/sampler": sampler}]  # type: ignore[misc]
    return yaml.safe_dump({**values, "defaults": defaults, "hydra": {"sweeper": {"n_jobs": 1, **keys}}})


RANGES = {"a": "range(-5.5, 5.5, step=0.5)", "b": "choice(-5 ,0 ,5)"}
OLDER = {
    "a": {"type": "float", "low": -5.5, "high": 5.5, "step": 0.5},
    "b": {"type": "categorical", "choices": [-5, 0, 5]},
}
CONF = {
    "bowl": search(BOWL, direction="minimize", params=RANGES),
    "grid": search(BOWL, "grid", params={"a": "choice(-1, 1)", "b": "range(-1.0, 1.0, step=1)", "c": "choice(x,'2')"}),
    "older": search(BOWL, "random", search_space=OLDER, n_trials=1),
    "both": search(BOWL, "random", search_space=OLDER, params={"a": "choice(7)"}, n_trials=1),
    "motpe": search(BOWL, "motpe", direction=["minimize", "minimize"], params=RANGES),
    "front": search(
        SEARCH,
        "nsgaii",
        direction=["minimize", "minimize"],
        params={"a": "range(0, 5, step=0.5)", "b": "range(0, 3, step=0.5)"},
        n_trials=6,
    ),
    "custom": search(
        {**SEARCH, "c": 100, "reach": 0.5},
        "random",
        params={"a": "range(-5.5, 5.5, 0.5)"},
        custom_search_space="program.near",
        n_trials=3,
    ),
    "nothing": search(BOWL, n_trials=3, n_jobs=2),
}
TWELVE = ["hydra.sweeper.n_trials=12", "hydra.sweeper.sampler.seed=123", "hydra.job.chdir=true", "~c"]
TYPED = [*TWELVE[1:], "a=choice(0, 1, 2)", "b=0"]
FAILING = ["hydra/sweeper/sampler=random", "hydra.sweeper.n_jobs=2", "hydra.sweeper.n_trials=4", "fails=true"]
COMMANDS = {
    "file": ["bowl", *TWELVE],
    "typed": ["bowl", *TYPED, "hydra.sweeper.n_trials=3"],
    "again": ["bowl", *TYPED, "hydra.sweeper.n_trials=1"],
    "grid": ["bowl", "-cn", "grid", "hydra.sweeper.n_trials=10"],
    "first of grid": ["bowl", "-cn", "grid", "hydra.sweeper.n_trials=1"],
    "older": ["bowl", "-cn", "older"],
    "both": ["bowl", "-cn", "both"],
    "nothing": ["bowl", "-cn", "nothing"],
    "motpe": ["bowl", "-cn", "motpe"],
    "front": ["front"],
    "typed front": ["front", "hydra/sweeper/sampler=random", "a=range(0, 5)", "b=range(0, 3)"],
    "custom": ["cube", "reach=0.3"],
    "half": ["bowl", *FAILING, "hydra.sweeper.max_failure_rate=0.5"],
    "all": ["bowl", *FAILING, "hydra.sweeper.max_failure_rate=1.0"],
    "apart": ["bowl", "hydra.sweeper.n_trials=1", "+seed=1,2", "+model.name=m1,m2", "+model.alpha=3"],
}
STORAGES = {"file": "file.journal", "typed": "sqlite:///typed.db", "again": "sqlite:///typed.db"}


class Program:
    """The results of the commands."""

    def __init__(self, home: Path, results: dict[str, list[Any]]) -> None:
        self.home, self.results = home, results

    def read(self, name: str) -> dict[str, Any]:
        """Read `optimization_results.yaml` of a command that ended well."""
        code, _, err = self.results[name]
        assert code == 0, err
        results: dict[str, Any] = yaml.safe_load((self.home / name / "optimization_results.yaml").read_text())
        return results

    def list_overrides(self, name: str) -> list[list[str]]:
        """List the overrides of the jobs of a command."""
        files = sorted((self.home / name).glob("*/.hydra/overrides.yaml"), key=lambda file: int(file.parts[-3]))
        return [yaml.safe_load(file.read_text()) for file in files]

    def error(self, name: str) -> str:
        """Return what a command that failed printed as its error."""
        code, _, err = self.results[name]
        assert code == 1
        return str(err)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """Run all commands, in one process that imports nothing of mlrunner by itself."""
    home = tmp_path_factory.mktemp("program")
    (home / "program.py").write_text(PROGRAM)
    (home / "conf").mkdir()
    (home / "conf" / "__init__.py").touch()  # Hydra reads the folder of an imported program as a package
    for name, text in CONF.items():
        (home / "conf" / f"{name}.yaml").write_text(text)
    storages = {name: [f"hydra.sweeper.storage='{address}'"] for name, address in STORAGES.items()}
    commands = {
        name: [*words, f"hydra.sweep.dir='{name}'", "hydra.sweeper.study_name=s", *storages.get(name, [])]
        for name, words in COMMANDS.items()
    }
    env = environment(home, PYTHONPATH=f"{home}:{PROJECT}")
    done = subprocess.run(
        [sys.executable, "-c", DRIVER], input=json.dumps(commands), capture_output=True, text=True, cwd=home, env=env
    )
    assert done.returncode == 0, done.stderr
    results, heavy = json.loads(done.stdout)
    assert heavy == []
    assert not (home / ".mlrunner").exists()
    return Program(home, results)


def draw_with_optuna(count: int) -> optuna.Study:
    """Search the ranges of the file with Optuna alone."""
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=123))
    for _ in range(count):
        trial = study.ask()
        a, b = trial.suggest_float("a", -5.5, 5, step=0.5), trial.suggest_categorical("b", [-5, 0, 5])
        study.tell(trial, a**2 + b**2)
    return study


def test_a_search_draws_what_optuna_draws_and_writes_what_the_official_plugin_writes(program: Program) -> None:
    results, expected = program.read("file"), draw_with_optuna(12)
    assert results == {"name": "optuna", "best_params": expected.best_params, "best_value": expected.best_value}
    storage = JournalStorage(JournalFileBackend(str(program.home / "file.journal")))
    trials = optuna.load_study(storage=storage, study_name="s").trials
    assert [trial.params for trial in trials] == [trial.params for trial in expected.trials]
    assert len(program.list_overrides("file")) == 12


def test_a_typed_value_is_fixed_a_typed_range_wins_and_a_study_goes_on(program: Program) -> None:
    study = optuna.load_study(storage=f"sqlite:///{program.home}/typed.db", study_name="s")
    assert len(study.trials) == 4  # each session has n_trials of its own
    assert {(name, value) for trial in study.trials for name, value in trial.params.items()} <= {
        ("a", value) for value in (0, 1, 2)
    }
    assert program.read("again")["best_params"] == study.best_params
    assert [overrides[:2] for overrides in program.list_overrides("typed")] == [["~c", "b=0"]] * 3


def test_a_grid_has_each_combination_once_and_stops_at_its_end(program: Program) -> None:
    assert program.read("grid")["best_value"] == 1
    combinations = [[f"a={a}", f"b={b}", f"c={c}"] for a in (-1, 1) for b in (-1.0, 0.0) for c in ("x", "'2'")]
    assert program.list_overrides("grid") == combinations
    best = {"a": -1, "b": -1.0, "c": "x"}
    assert program.read("first of grid") == {"name": "optuna", "best_params": best, "best_value": 2.0}


@pytest.mark.parametrize("name", ["front", "typed front"])
def test_several_objectives_have_solutions_that_do_not_dominate_each_other(program: Program, name: str) -> None:
    results = program.read(name)
    assert list(results) == ["name", "solutions"]
    solutions = [solution["values"] for solution in results["solutions"]]
    assert solutions
    assert not [
        (one, other)
        for one in solutions
        for other in solutions
        if one != other and all(x <= y for x, y in zip(one, other, strict=True))
    ]
    steps = {0, 0.5} if name == "front" else {0}
    assert {value % 1 for solution in results["solutions"] for value in solution["params"].values()} <= steps


def test_a_function_extends_the_space_and_sees_what_is_fixed(program: Program) -> None:
    best = program.read("custom")["best_params"]
    assert set(best) == {"a", "c", "+d"}
    assert abs(best["a"] - best["c"]) <= 0.3 >= best["+d"] >= 0


def test_the_form_of_hydra_1_1_warns_and_works_unless_params_are_set(program: Program) -> None:
    assert set(program.read("older")["best_params"]) == {"a", "b"}
    assert "UserWarning: hydra.sweeper.search_space is the deprecated form" in program.results["older"][2]
    assert program.read("both")["best_params"] == {"a": 7}
    assert "Both hydra.sweeper.search_space and hydra.sweeper.params are set" in program.results["both"][2]


def test_without_a_range_all_trials_are_equal(program: Program) -> None:
    assert program.read("nothing") == {"name": "optuna", "best_params": {}, "best_value": 2.0}
    assert program.list_overrides("nothing") == [[], [], []]


def test_too_many_failures_raise_the_error_of_the_function(program: Program) -> None:
    assert "\nOSError: no water\n" in program.error("half")
    assert len(program.list_overrides("half")) == 2
    assert "OSError: no water" not in program.error("all")
    assert "\nNo trial completed and met the constraints of the sampler" in program.error("all")
    assert len(program.list_overrides("all")) == 4


def test_a_removed_sampler_is_one_sentence(program: Program) -> None:
    assert program.error("motpe").startswith("hydra/sweeper/sampler=motpe: Optuna has no MOTPESampler any more; choose")
    assert "Traceback" not in program.error("motpe")


def test_keys_that_mlrunner_treats_apart_are_plain_keys_elsewhere(program: Program) -> None:
    assert set(program.read("apart")["best_params"]) == {"a", "b", "+seed", "+model.name"}


@pytest.mark.parametrize(
    ("texts", "ranges", "fixed"),
    [
        (["k=choice(1,2)"], {"k": CategoricalDistribution([1, 2])}, {}),
        (["k=choice(true, false)"], {"k": CategoricalDistribution([True, False])}, {}),
        (["k=choice('hello', 'world')"], {"k": CategoricalDistribution(["hello", "world"])}, {}),
        (["k=shuffle(range(1,3))"], {"k": CategoricalDistribution([1, 2])}, {}),
        (["k=range(1,3)"], {"k": IntDistribution(1, 2)}, {}),  # official 1.3: 1 to 3
        (["k=range(0.5, 5.5, step=1)"], {"k": FloatDistribution(0.5, 4.5, step=1)}, {}),  # official 1.3: to 5.5
        (["k=interval(1, 5)"], {"k": FloatDistribution(1, 5)}, {}),
        (["k=int(interval(1, 5))"], {"k": IntDistribution(1, 5)}, {}),
        (["k=tag(log, interval(1, 5))"], {"k": FloatDistribution(1, 5, log=True)}, {}),
        (["k=tag(log, int(interval(1, 5)))"], {"k": IntDistribution(1, 5, log=True)}, {}),
        (["k=5"], {}, {"k": "k=5"}),
        (["k=choice(1,2)", "l=5"], {"k": CategoricalDistribution([1, 2])}, {"l": "l=5"}),
        (["k=choice(1,2)", "k=5"], {}, {"k": "k=5"}),
    ],
)
def test_overrides_are_ranges_or_fixed(
    texts: list[str], ranges: dict[str, BaseDistribution], fixed: dict[str, str]
) -> None:
    dimensions, found = read_overrides(texts, None)
    distributions = {dimension.name: dimension.distribution for dimension in dimensions}
    if texts == ["k=shuffle(range(1,3))"]:
        distributions["k"] = CategoricalDistribution(sorted(distributions["k"].choices))  # type: ignore[attr-defined]
    assert (distributions, found) == (ranges, fixed)


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        ({"type": "categorical", "choices": [1, 2, 3]}, CategoricalDistribution([1, 2, 3])),
        ({"type": "int", "low": 0, "high": 10}, IntDistribution(0, 10)),
        ({"type": "int", "low": 0, "high": 10, "step": 2}, IntDistribution(0, 10, step=2)),
        ({"type": "int", "low": 1, "high": 100, "log": True}, IntDistribution(1, 100, log=True)),
        ({"type": "float", "low": 0, "high": 1}, FloatDistribution(0, 1)),
        ({"type": "float", "low": 0, "high": 10, "step": 2}, FloatDistribution(0, 10, step=2)),
        ({"type": "float", "low": 1, "high": 100, "log": True}, FloatDistribution(1, 100, log=True)),
    ],
)
def test_the_form_of_hydra_1_1_is_read(node: dict[str, Any], expected: BaseDistribution) -> None:
    assert read_range("k", node).distribution == expected

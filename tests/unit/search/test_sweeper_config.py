"""Our sweeper among Hydra's plugins: what it is told, and whose name it has beside the official plugin."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
import textwrap
import warnings
from dataclasses import fields
from pathlib import Path
from typing import Any

import optuna
import pytest
import yaml
from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper
from hydra.utils import get_class

from mlrunner.cli.hydra_app import readable, register_sweeper
from mlrunner.search import sweeper_config
from tests.support.front_door import PROJECT, environment

DRY = ("sweep=optuna", "model=ridge", "dataset=diabetes", "hydra.sweeper.dry_run=true")
SETTINGS = [(group, name) for group, options in sweeper_config.OPTIONS.items() for name in options]
HEAVY = ("optuna", "zenml", "mlflow", "pandas", "sklearn", "mlrunner.search")

# As hydra-optuna-sweeper 1.3 registers itself: on import of its config, which Hydra's scanner causes.
OFFICIAL = """
from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING


@dataclass
class SamplerConfig:
    _target_: str = MISSING


@dataclass
class TPESamplerConfig(SamplerConfig):
    _target_: str = "optuna.samplers.TPESampler"
    seed: Optional[int] = None


@dataclass
class MOTPESamplerConfig(SamplerConfig):
    _target_: str = "optuna.samplers.MOTPESampler"
    seed: Optional[int] = None


@dataclass
class OptunaSweeperConf:
    defaults: List[Any] = field(default_factory=lambda: [{"sampler": "tpe"}])
    _target_: str = "hydra_plugins.hydra_optuna_sweeper.optuna_sweeper.OptunaSweeper"
    sampler: SamplerConfig = MISSING
    direction: Any = "minimize"
    storage: Optional[Any] = None
    study_name: Optional[str] = None
    n_trials: int = 20
    n_jobs: int = 2
    max_failure_rate: float = 0.0
    search_space: Optional[Dict[str, Any]] = None
    params: Optional[Dict[str, Any]] = None
    custom_search_space: Optional[str] = None


store = ConfigStore.instance()
store.store(group="hydra/sweeper", name="optuna", node=OptunaSweeperConf, provider="optuna_sweeper")
store.store(group="hydra/sweeper/sampler", name="tpe", node=TPESamplerConfig, provider="optuna_sweeper")
store.store(group="hydra/sweeper/sampler", name="motpe", node=MOTPESamplerConfig, provider="optuna_sweeper")
"""
SHELL = """
from hydra.plugins.sweeper import Sweeper

from .config import SamplerConfig


class OptunaSweeper(Sweeper):
    def __init__(self, **settings):
        pass

    def setup(self, *, hydra_context, task_function, config):
        pass

    def sweep(self, arguments):
        print("the official sweeper")
"""
APP = """
import hydra


@hydra.main(version_base="1.3", config_path=None)
def app(cfg):
    return 0.0


app()
"""


@pytest.fixture(scope="module")
def official(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what a pip install of the official plugin leaves."""
    folder = tmp_path_factory.mktemp("site")
    package = folder / "hydra_plugins" / "hydra_optuna_sweeper"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "config.py").write_text(OFFICIAL)
    (package / "optuna_sweeper.py").write_text(SHELL)
    return folder


def run(home: Path, path: list[Path], *command: str) -> subprocess.CompletedProcess[str]:
    """Run Python where these folders come first, as site-packages of an environment."""
    env = environment(home, PYTHONPATH=os.pathsep.join(map(str, [*path, PROJECT])))
    return subprocess.run([sys.executable, *command], capture_output=True, text=True, timeout=120, cwd=home, env=env)


def sweeper_of(home: Path, path: list[Path], *command: str) -> dict[str, Any]:
    """Read the sweeper's keys that a program composes."""
    done = run(home, path, *command, "hydra/sweeper=optuna", "--cfg", "hydra", "-p", "hydra.sweeper")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = yaml.safe_load(done.stdout)
    return found


# Beside the official plugin


def test_our_program_searches_with_our_sweeper(official: Path, tmp_path: Path) -> None:
    done = run(tmp_path, [official], "-m", "mlrunner", *DRY)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == "mlrunner  plan  20 trials"
    assert "the official sweeper" not in done.stdout


@pytest.mark.parametrize("place", ["before", "after"])
def test_our_program_knows_our_keys_wherever_the_official_plugin_lies(
    official: Path, tmp_path: Path, place: str
) -> None:
    path = [official] if place == "before" else [PROJECT, official]
    found = sweeper_of(tmp_path, path, "-m", "mlrunner")
    assert found["_target_"] == sweeper_config.SWEEPER
    assert (found["direction"], found["pruner"]) == (None, {"_target_": "optuna.pruners.NopPruner"})
    assert found["sampler"]["n_startup_trials"] == 10


def test_another_program_keeps_the_official_sweeper(official: Path, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP)
    found = sweeper_of(tmp_path, [official], "app.py")
    assert found["_target_"] == "hydra_plugins.hydra_optuna_sweeper.optuna_sweeper.OptunaSweeper"
    assert set(found["sampler"]) == {"_target_", "seed"}
    done = run(tmp_path, [official], "app.py", "-m", "hydra/sweeper=optuna", "+x=range(1,5)")
    assert (done.returncode, done.stdout) == (0, "the official sweeper\n")


def test_another_program_of_this_environment_has_ours_where_there_is_no_other(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP)
    assert sweeper_of(tmp_path, [], "app.py")["_target_"] == sweeper_config.SWEEPER


def test_a_sampler_that_only_the_official_plugin_has_stays_its_own(official: Path, tmp_path: Path) -> None:
    code = """
        from hydra.core.config_store import ConfigStore
        from mlrunner.cli.hydra_app import register_sweeper
        register_sweeper()
        store = ConfigStore.instance()
        for group, name in (("", "optuna"), ("/sampler", "tpe"), ("/sampler", "motpe"), ("/pruner", "median")):
            print(name, store.load(f"hydra/sweeper{group}/{name}.yaml").provider)
    """
    done = run(tmp_path, [official], "-c", textwrap.dedent(code))
    assert done.stdout.split("\n")[:4] == ["optuna mlrunner", "tpe mlrunner", "motpe optuna_sweeper", "median mlrunner"]


# Registration


def test_the_sweeper_is_one_of_hydras_plugins() -> None:
    names = [cls.__name__ for cls in Plugins.instance().discover(Sweeper)]
    assert "OptunaSweeper" in names
    assert get_class(sweeper_config.SWEEPER).__name__ == "OptunaSweeper"


def test_registering_twice_changes_nothing() -> None:
    register_sweeper()
    before = ConfigStore.instance().load("hydra/sweeper/optuna.yaml").node
    register_sweeper()
    assert ConfigStore.instance().load("hydra/sweeper/optuna.yaml").node == before
    assert before._target_ == sweeper_config.SWEEPER


@pytest.mark.parametrize(("group", "name"), [("hydra/sweeper", "optuna"), *SETTINGS])
def test_each_option_is_registered_as_ours(group: str, name: str) -> None:
    register_sweeper()
    assert ConfigStore.instance().load(f"{group}/{name}.yaml").provider == "mlrunner"


def test_the_samplers_are_those_of_the_issue() -> None:
    assert sorted(sweeper_config.OPTIONS["hydra/sweeper/sampler"]) == [
        "cmaes",
        "gp",
        "grid",
        "nsgaii",
        "qmc",
        "random",
        "tpe",
    ]


def test_scanning_for_plugins_imports_nothing_heavy(tmp_path: Path) -> None:
    code = f"""
        import sys
        from mlrunner.cli.hydra_app import register_sweeper
        register_sweeper()
        from hydra_plugins.mlrunner_sweeper.sweeper import OptunaSweeper
        OptunaSweeper(n_trials=3, anything=1)
        print([name for name in {HEAVY} if name in sys.modules])
    """
    done = run(tmp_path, [], "-c", textwrap.dedent(code))
    assert (done.stdout, done.stderr) == ("[]\n", "")


# What Optuna is told


def accepted(target: str) -> set[str]:
    return set(inspect.signature(get_class(target)).parameters)


@pytest.mark.parametrize(("group", "name"), SETTINGS)
def test_every_setting_has_a_class_of_optunas(group: str, name: str) -> None:
    node = sweeper_config.OPTIONS[group][name]()
    base = optuna.samplers.BaseSampler if group.endswith("sampler") else optuna.pruners.BasePruner
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert issubclass(get_class(node._target_), base)  # type: ignore[attr-defined]


@pytest.mark.parametrize(("group", "name"), [pair for pair in SETTINGS if pair[1] != "grid"])
def test_every_setting_with_a_value_is_one_that_optuna_knows(group: str, name: str) -> None:
    node: Any = sweeper_config.OPTIONS[group][name]()
    told = {one.name: getattr(node, one.name) for one in fields(node) if not one.name.startswith("_")}
    assert {key for key, value in told.items() if value is not None} <= accepted(node._target_)


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
def test_the_settings_of_the_official_samplers_are_taken(name: str, keys: set[str]) -> None:
    assert keys <= {one.name for one in fields(sweeper_config.OPTIONS["hydra/sweeper/sampler"][name])}  # type: ignore[arg-type]


# The front door's part


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("model=ridge", "model=ridge"),
        ("split=80_20", "split='80_20'"),
        ("split=80_20,kfold", "split='80_20',kfold"),
        ("split='80_20'", "split='80_20'"),
        ("split=choice(80_20,70_15_15)", "split=choice('80_20','70_15_15')"),
        ("seed=80_20", "seed=80_20"),
        (
            "size=zip(a=choice(1,2),b=choice(3,4))",
            "+hydra.sweeper.params.size='zip(a=choice(1,2),b=choice(3,4))'",
        ),
        (
            "size=zip(split=choice(80_20,kfold),seed=choice(1,2))",
            "+hydra.sweeper.params.size='zip(split=choice(\\'80_20\\',kfold),seed=choice(1,2))'",
        ),
    ],
)
def test_the_command_line_is_written_so_that_hydra_reads_it(text: str, expected: str) -> None:
    assert readable(text) == expected

"""Our sweeper beside the official plugin of Optuna."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml

from mlrunner.search import sweeper_config
from tests.support.front_door import PROJECT, environment

OFFICIAL_CONFIG = """
from dataclasses import dataclass, field
from typing import Any, List, Optional

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
class TheirSamplerConfig(SamplerConfig):
    _target_: str = "optuna.samplers.PartialFixedSampler"
    seed: Optional[int] = None


@dataclass
class OptunaSweeperConf:
    defaults: List[Any] = field(default_factory=lambda: [{"sampler": "tpe"}])
    _target_: str = "hydra_plugins.hydra_optuna_sweeper.optuna_sweeper.OptunaSweeper"
    sampler: SamplerConfig = MISSING
    direction: Any = "minimize"


store = ConfigStore.instance()
store.store(group="hydra/sweeper", name="optuna", node=OptunaSweeperConf, provider="optuna_sweeper")
store.store(group="hydra/sweeper/sampler", name="tpe", node=TPESamplerConfig, provider="optuna_sweeper")
store.store(group="hydra/sweeper/sampler", name="theirs", node=TheirSamplerConfig, provider="optuna_sweeper")
"""
OFFICIAL_SWEEPER = """
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
import sys

import hydra


@hydra.main(version_base="1.3", config_path=None)
def app(cfg):
    return 0.0


for option in sys.argv.pop(1).split(","):
    sys.argv[1] = f"hydra/sweeper={option}"
    print(f"[{option}]", flush=True)
    try:
        app()
    except SystemExit as end:
        print(end.code)
"""


@pytest.fixture(scope="module")
def official(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files of the installed official plugin."""
    folder = tmp_path_factory.mktemp("site")
    package = folder / "hydra_plugins" / "hydra_optuna_sweeper"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "config.py").write_text(OFFICIAL_CONFIG)
    (package / "optuna_sweeper.py").write_text(OFFICIAL_SWEEPER)
    return folder


def run(home: Path, path: list[Path], *command: str) -> subprocess.CompletedProcess[str]:
    """Run Python with these folders first on the path, as site-packages."""
    env = environment(home, PYTHONPATH=os.pathsep.join(map(str, [*path, PROJECT])))
    return subprocess.run([sys.executable, *command], capture_output=True, text=True, timeout=120, cwd=home, env=env)


def compose_sweeper(home: Path, path: list[Path], *command: str) -> dict[str, Any]:
    """Read the keys of `hydra.sweeper` that a program composes."""
    completed = run(home, path, *command, "hydra/sweeper=optuna", "--cfg", "hydra", "-p", "hydra.sweeper")
    assert completed.returncode == 0, completed.stderr
    node: dict[str, Any] = yaml.safe_load(completed.stdout)
    return node


@pytest.mark.parametrize("place", ["before", "after"])
def test_our_program_has_our_keys_wherever_the_official_plugin_lies(official: Path, tmp_path: Path, place: str) -> None:
    path = [official] if place == "before" else [PROJECT, official]
    sweeper = compose_sweeper(tmp_path, path, "-m", "mlrunner")
    assert sweeper["_target_"] == sweeper_config.SWEEPER_CLASS
    assert (sweeper["direction"], sweeper["pruner"]) == (None, {"_target_": "optuna.pruners.NopPruner"})
    assert sweeper["sampler"]["n_startup_trials"] == 10


def test_another_program_asks_which_sweeper_is_meant(official: Path, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP)
    path = [PROJECT, official]  # Hydra scans the official plugin last
    options = "optuna,optuna_official,optuna_mlrunner"
    sweep = ("+x=range(1,3)", "hydra.sweep.dir=.", "hydra/hydra_logging=disabled", "++hydra.sweeper.n_trials=1", "-m")
    completed = run(tmp_path, path, "app.py", options, "hydra/sweeper=", *sweep)
    assert completed.stdout.split("\n")[:5] == [
        *("[optuna]", "1", "[optuna_official]", "the official sweeper", "[optuna_mlrunner]")
    ]
    assert completed.stderr.startswith(
        "hydra/sweeper=optuna is offered by two installed plugins, the official one and mlrunner's; choose "
        "hydra/sweeper=optuna_official or hydra/sweeper=optuna_mlrunner, or uninstall one of them.\n"
    )
    assert (tmp_path / "optimization_results.yaml").read_text().endswith("best_value: 0.0\n")


def test_another_program_has_our_sweeper_without_the_official_plugin(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP.partition("for option")[0] + "app()\n")
    assert compose_sweeper(tmp_path, [], "app.py")["_target_"] == sweeper_config.SWEEPER_CLASS


def test_a_sampler_of_the_official_plugin_alone_stays(official: Path, tmp_path: Path) -> None:
    code = """
        from hydra.core.config_store import ConfigStore
        from mlrunner.cli.hydra_app import register_sweeper
        register_sweeper()
        store = ConfigStore.instance()
        for group, name in (("", "optuna"), ("/sampler", "tpe"), ("/sampler", "theirs"), ("/pruner", "median")):
            print(name, store.load(f"hydra/sweeper{group}/{name}.yaml").provider)
    """
    completed = run(tmp_path, [official], "-c", textwrap.dedent(code))
    assert completed.stdout.split("\n")[:4] == [
        *("optuna mlrunner", "tpe mlrunner", "theirs optuna_sweeper", "median mlrunner")
    ]

"""The sweeper as a plugin of Hydra."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper
from hydra.utils import get_class

from mlrunner.search import sweeper_config
from tests.support.front_door import PROJECT, environment

HEAVY = ("optuna", "zenml", "mlflow", "pandas", "sklearn", "mlrunner.search.entry")


def test_hydra_discovers_the_sweeper() -> None:
    names = [cls.__name__ for cls in Plugins.instance().discover(Sweeper)]
    assert "OptunaSweeper" in names
    assert get_class(sweeper_config.SWEEPER_CLASS).__name__ == "OptunaSweeper"


def test_scanning_for_plugins_imports_no_heavy_module(tmp_path: Path) -> None:
    code = f"""
        import sys
        from mlrunner.cli.hydra_app import register_sweeper
        register_sweeper()
        from hydra_plugins.mlrunner_sweeper.sweeper import OptunaSweeper
        OptunaSweeper(n_trials=3, anything=1)
        print([name for name in {HEAVY} if name in sys.modules])
    """
    command, env = [sys.executable, "-c", textwrap.dedent(code)], environment(tmp_path, PYTHONPATH=str(PROJECT))
    completed = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=tmp_path, env=env)
    assert (completed.stdout, completed.stderr) == ("[]\n", "")

"""Where the project is, and the environment variables of ours."""

from __future__ import annotations

import os
import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent
PROJECT = PACKAGE.parent
CONF = PROJECT / "conf"


def prepare_environment(verbose: bool) -> None:
    """Tell the configuration where it is, and Hydra to leave errors to us."""
    os.environ["MLRUNNER_PROJECT"] = str(PROJECT)
    os.environ.setdefault("MLRUNNER_HOME", str(PROJECT))
    os.environ["MLRUNNER_HOME"] = str(Path(os.environ["MLRUNNER_HOME"]).resolve())
    os.environ["HYDRA_FULL_ERROR"] = "1"
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # spinning threads starve every other process of the machine
    os.environ["MLRUNNER_VERBOSE"] = str(int(verbose))
    here = Path.cwd()
    if here != PROJECT:  # what is here can be imported, but a `random.py` or `py.py` stands in for nothing else
        sys.path[:] = [*(folder for folder in sys.path if folder != str(here)), str(here)]

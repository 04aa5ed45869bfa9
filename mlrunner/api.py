"""mlrunner from Python: what the command line does, as functions of `mlrunner` itself."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from mlrunner import handover
from mlrunner.__main__ import prepare_environment
from mlrunner.handover import HandedOver


def deploy(what: str, overrides: Sequence[str] = (), home: Path | None = None) -> HandedOver:
    """Judge a saved model on its test rows, and deploy it if the gate opens: `mlrunner deploy` from Python.

    Args:
        what: A run (id, name, folder), a sweep (DAY/TIME), `latest` or `best`.
        overrides: Of gate, deployer and stack, like `gate=threshold`; those of the run stand where none are given.
        home: The folder that holds `.mlrunner/`; None takes `MLRUNNER_HOME`, or the project's folder.

    Returns:
        What the gate said, and where the model serves.

    Raises:
        MlrunnerError: When there is no such run, a choice is impossible, or the model cannot be deployed.
    """
    if home is not None:
        os.environ["MLRUNNER_HOME"] = str(home)
    prepare_environment(verbose=False)
    return handover.deploy(what, overrides)

"""The version of mlrunner, and those of the frameworks it is made of."""

from __future__ import annotations

import importlib.metadata
import platform

from mlrunner import __version__

FRAMEWORKS = ("hydra-core", "zenml", "mlflow", "optuna", "scikit-learn")


def describe(is_verbose: bool) -> str:
    """Return the answer to `--version`: one line, with `-v` further ones for Python and the frameworks.

    Args:
        is_verbose: Whether `-v` was given.
    """
    lines = [f"mlrunner {__version__}"]
    if is_verbose:
        lines.append(f"python {platform.python_version()}")
        lines += [f"{name} {importlib.metadata.version(name)}" for name in FRAMEWORKS]
    return "\n".join(lines)
